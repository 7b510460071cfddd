package scripts

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/stackproof/stackproof/router"
)

// Action is what a push did to HAProxy.
type Action string

// Actions. A refused push is one whose file HAProxy's check, or its start, turned down: the live file may be replaced all
// the same, the former worker goes on.
const (
	None      Action = "none"
	Reloaded  Action = "reload"
	Restarted Action = "restart"
	Refused   Action = "refused"
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

	Action       Action `json:"action"`
	WorkerBefore int    `json:"worker_before"` // process ids inside the sandbox, 0 for none
	WorkerAfter  int    `json:"worker_after"`

	// Pending is where the live file differs from the new one: what the push wanted and did not get.
	Pending []router.SectionDiff `json:"pending,omitempty"`
	// Changed is where the live file differs from the one before the push.
	Changed []router.SectionDiff `json:"changed,omitempty"`
}

// Masked tells whether the scripts ended, wrote what was pushed, and left the live file different from it, also where only
// the order of lines differs.
func (r Report) Masked() bool {
	return !r.TimedOut && r.New.Rewritten && r.New.Hash != r.Live.Hash
}

// Crashed tells whether the scripts ended before they had written the new file or with a status that is not 0.
func (r Report) Crashed() bool {
	return !r.TimedOut && (r.Exit != 0 || r.Signal != "" || !r.New.Rewritten)
}

// action reads the calls. The last one that meant HAProxy counts.
func action(calls []Call, before, after int) Action {
	a := None
	for _, c := range calls {
		if len(c.Args) != 2 || !isHAProxy(c.Args[1]) {
			continue
		}
		switch c.Args[0] {
		case "reload", "restart", "start", "reload-or-restart":
		default:
			continue
		}
		switch {
		case c.Exit != 0 || c.Note != "" || before == after:
			a = Refused
		case c.Args[0] == "reload":
			a = Reloaded
		default:
			a = Restarted
		}
	}
	return a
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
