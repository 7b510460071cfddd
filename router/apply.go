package router

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Action is what the router did with HAProxy after it compared the files.
type Action string

const (
	// the files are equal to the router: HAProxy is not touched, not even when dead
	ActionNone Action = "none"
	// copied, but HAProxy is not running yet because nobody looked (Options.OnDemand, Play)
	ActionDeferred     Action = "deferred"
	ActionStart        Action = "start"         // HAProxy was not running and was started
	ActionStartRefused Action = "start-refused" // HAProxy was not running and does not start with this file
	ActionReload       Action = "reload"        // a new worker serves the file
	// the check before the signal refused the file: the old worker goes on
	ActionReloadRefused Action = "reload-refused"
	// the file is valid but cannot be used, a port being taken: the old worker goes on
	ActionReloadFailed Action = "reload-failed"
	// the check before use refused the file: the live file stays (from 4.22)
	ActionRejected Action = "rejected"
)

// Applied is what became of one push on the router.
type Applied struct {
	Seq         int    // number of the push on this router, from 1
	PushSeq     string // number of the request in the management server's log, if known
	Different   bool   // the router saw a difference between the new and the live file
	Masked      bool   // the files differ in order or count of lines, but the router saw none: the change is lost
	Copied      bool   // the new file became the live file
	Action      Action
	CheckOutput string // what HAProxy says of a file that it refused
	NewHash     string // first 16 digits of the SHA-256 of haproxy.cfg.new
	LiveHash    string // the same of haproxy.cfg after the push, empty when there is none
	At          time.Time
}

func hashOf(file []byte) string {
	if file == nil {
		return ""
	}
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:8])
}

// compare says whether the router sees a difference between the live file and the new one, and whether it overlooks
// one. A missing live file is one without lines (CsFile.load).
func compare(live, next []byte, rules Rules) (different, masked bool) {
	old, new := fileLines(live), fileLines(next)
	same := slices.Equal(old, new)
	if !rules.CompareAsSet {
		return !same, false
	}
	sameSet := equalSets(old, new)
	return !sameSet, sameSet && !same
}

func fileLines(file []byte) []string {
	if len(file) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(file), "\n"), "\n")
}

func equalSets(a, b []string) bool {
	in := make(map[string]bool, len(a))
	for _, line := range a {
		in[line] = false
	}
	n := 0
	for _, line := range b {
		seen, ok := in[line]
		if !ok {
			return false
		}
		if !seen {
			in[line] = true
			n++
		}
	}
	return n == len(in)
}

var blanks = regexp.MustCompile(` {2,}`)

// collapse gives the file as it reaches a router inside an aggregated command: vr_cfg.sh writes the JSON with an
// unquoted echo, so every run of blanks becomes one.
func (r Rendered) collapse() Rendered {
	c := r
	c.Config = make([]string, len(r.Config))
	for i, element := range r.Config {
		c.Config[i] = blanks.ReplaceAllString(element, " ")
	}
	return c
}

// renderFor renders a push as it arrives on the router.
func renderFor(p Push, renderer *Renderer, rules Rules) (Rendered, error) {
	rendered, err := renderer.Render(p, rules)
	if err != nil {
		return Rendered{}, err
	}
	if p.Aggregated {
		rendered = rendered.collapse()
	}
	return rendered, nil
}
