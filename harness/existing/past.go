package existing

import (
	"fmt"
	"maps"
	"strings"

	"github.com/stackproof/stackproof/router"
)

// past chooses, of the pushes that routers got before we came, those that can still show. What a router holds is the
// result of all of them: scripts that compare files as sets of lines leave a live file of which only the lines are
// those of the newest push (4.19.1.0; in story B 54 pushes in a row were lost). But a push with other lines than the
// one before is written by every release, and what was there before it shows no more.
type past struct {
	rules   router.Rules
	routers int // that had pushes before we came
	cut     int // of them, routers with more pushes than are applied
}

const (
	// writes is how many pushes that are surely written are applied: where HAProxy or the scripts refuse one, the one
	// before is what serves.
	writes = 3
	// pastLimit bounds the pushes of a router; real scripts take up to half a second for each, when somebody looks.
	pastLimit = 200
)

// first is the index of the earliest push to apply, of one router's in order.
func (p *past) first(pushes []router.Push) int {
	after, written := p.lines(pushes[len(pushes)-1]), 0
	for i := len(pushes) - 1; i > 0; i-- {
		before := p.lines(pushes[i-1])
		if before != nil && after != nil && !maps.Equal(before, after) {
			if written++; written == writes {
				return i
			}
		}
		if len(pushes)-i == pastLimit {
			p.cut++
			return i
		}
		after = before
	}
	return 0
}

// lines is the set of lines of the push's file, nil when it cannot be rendered.
func (p *past) lines(push router.Push) map[string]bool {
	rendered, err := router.Render(push, p.rules)
	if err != nil {
		return nil
	}
	set := map[string]bool{}
	for line := range strings.Lines(string(rendered.File())) {
		set[line] = true
	}
	return set
}

// notes say from where the shadows of routers start that were there before.
func (p *past) notes() []string {
	if p.routers == 0 {
		return nil
	}
	note := fmt.Sprintf("routers that had pushes before the run (%d): their shadows start from the log's pushes "+
		"that can still show", p.routers)
	if p.cut > 0 {
		note += fmt.Sprintf("; for %d of them these are more than %d, and the older ones are left out", p.cut,
			pastLimit)
	}
	return []string{note}
}
