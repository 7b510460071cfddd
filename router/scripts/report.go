package scripts

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/stackproof/stackproof/router"
)

// FileState is one of the router's two configuration files after a push.
type FileState struct {
	Exists    bool   `json:"exists"`
	Hash      string `json:"sha256,omitempty"` // hexadecimal
	Rewritten bool   `json:"rewritten"`        // another file, or written to, since before the push
}

// Report is what a run of the scripts did. Nothing in it is concluded from the exit status.
type Report struct {
	Router   string        `json:"router,omitempty"`
	Seq      int           `json:"seq"` // number of the push in this sandbox, from 1
	PushSeq  string        `json:"push_seq,omitempty"`
	At       time.Time     `json:"at"` // end of the run
	Form     Form          `json:"form"`
	Item     string        `json:"item"` // name of the delivered file
	Exit     int           `json:"exit"` // 0 also for masked changes and refused files
	Signal   string        `json:"signal,omitempty"`
	TimedOut bool          `json:"timed_out,omitempty"`
	Stdout   string        `json:"stdout,omitempty"` // the last 8 KiB of each
	Stderr   string        `json:"stderr,omitempty"` // full of noise on every release
	Log      string        `json:"log,omitempty"`    // what was added to /var/log/cloud.log
	Took     time.Duration `json:"took"`             // nanoseconds

	New   FileState `json:"new"`
	Live  FileState `json:"live"`
	Calls []Call    `json:"calls"` // of systemctl, in order

	Action       router.Action `json:"action"`        // never deferred
	WorkerBefore int           `json:"worker_before"` // process ids inside the sandbox, 0 for none
	WorkerAfter  int           `json:"worker_after"`

	// Pending is where the live file differs from the new one: what the push wanted and did not get.
	Pending []router.SectionDiff `json:"pending,omitempty"`
	// Changed is where the live file differs from the one before the push.
	Changed []router.SectionDiff `json:"changed,omitempty"`
}

// Masked tells whether the scripts wrote what was pushed, ended as usual, and left the live file different from it,
// also where only the order of lines differs.
func (r Report) Masked() bool {
	return !r.TimedOut && !r.Crashed() && r.Action != router.ActionRejected && r.New.Hash != r.Live.Hash
}

// Crashed tells whether the scripts ended before they had written the new file, or with a status that is not 0 and
// without having refused the file.
func (r Report) Crashed() bool {
	return !r.TimedOut && r.Action != router.ActionRejected && (r.Exit != 0 || r.Signal != "" || !r.New.Rewritten)
}

// actionOf reads the calls. The last one that meant HAProxy counts.
func actionOf(calls []Call, before, after int) router.Action {
	action := router.ActionNone
	for _, c := range calls {
		if len(c.Args) != 2 || !isHAProxy(c.Args[1]) {
			continue
		}
		served := c.Exit == 0 && c.Note == "" && after != 0 && after != before
		switch c.Args[0] {
		case "reload":
			switch {
			case served:
				action = router.ActionReload
			case c.Exit != 0:
				action = router.ActionReloadRefused
			default:
				action = router.ActionReloadFailed
			}
		case "start", "restart", "reload-or-restart":
			action = router.ActionStartRefused
			if served {
				action = router.ActionStart
			}
		}
	}
	return action
}

// Applied is the report in the words of router's model, so that both can stand behind the same interface.
func (r Report) Applied() router.Applied {
	a := router.Applied{
		Seq: r.Seq, PushSeq: r.PushSeq, Different: r.Live.Rewritten, Masked: r.Masked(), Copied: r.Live.Rewritten,
		Action:  r.Action,
		NewHash: short(r.New.Hash), LiveHash: short(r.Live.Hash), At: r.At,
	}
	for _, c := range r.Calls {
		if len(c.Args) == 2 && isHAProxy(c.Args[1]) && c.Exit != 0 {
			a.CheckOutput = c.Output
		}
	}
	if r.Action == router.ActionRejected {
		a.Different = true
		a.CheckOutput, _ = refusal(r.Stderr + r.Log)
	}
	return a
}

// rejection is what 4.22 and later say when HAProxy refuses the new file before it is used (CsLoadBalancer.py, #11468).
const rejection = "haproxy config is invalid"

// rejected tells whether the scripts refused the new file themselves. It is the one case in which their words count,
// since a refusal and a crash look alike otherwise.
func (r Report) rejected() bool {
	return r.Exit != 0 && r.New.Rewritten && !r.Live.Rewritten && strings.Contains(r.Stderr+r.Log, rejection)
}

// refusal is what HAProxy said of a file that the scripts refused. Their exception comes after the line of source that
// raises it, and shows what was said as python writes bytes.
func refusal(words string) (said string, refused bool) {
	if _, said, refused = strings.Cut(words, "Exception: "+rejection); !refused {
		_, said, refused = strings.Cut(words, rejection)
	}
	said = strings.TrimSpace(strings.TrimPrefix(said, " with error"))
	if text, is := strings.CutPrefix(said, `b"`); is {
		text, _, _ = strings.Cut(text, `"`+"\n")
		said = strings.ReplaceAll(text, `\n`, "\n")
	}
	return strings.TrimSpace(said), refused
}

func short(hash string) string { return hash[:min(len(hash), 16)] }

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
