package harness

import (
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

// Foreseen is one way in which a known defect shows, to the value. With it a known failure excuses nothing beside the
// defect: a wrong row of another resource, or the same row with another date, is a failure of its own.
type Foreseen struct {
	Knob    release.Knob // the defect
	Class   result.Class
	Subject string // as in the finding; empty: of nothing in particular
	// Holds says whether what was seen is the known wrong value. It is asked when the story has ended.
	Holds func(result.Seen) bool
	Most  int    // how often it may show; 0 is any number
	About string // in words, for a run in which it does not show
}

func (f Foreseen) is(fact result.Finding, s result.Seen) bool {
	return f.Class == fact.Class && f.Subject == fact.Subject && f.Holds(s)
}

// Foresee says how a known defect will show in this story, if the target has it. All failures must then be of these,
// and each of these must come; else the failure is not the known one.
func (t *Attempt) Foresee(all ...Foreseen) {
	for _, f := range all {
		if t.Meets(f.Knob) {
			t.foreseen = append(t.foreseen, f)
		}
	}
}

// Meets says whether the scenario is known to meet a defect on this target.
func (t *Attempt) Meets(defect release.Knob) bool {
	return t.scenario.KnownBad.knows(defect, t.site.Description)
}

// knows says whether the target has one defect of several.
func (k Known) knows(knob release.Knob, d Description) bool {
	for _, one := range k.on(d) {
		if one.Knob == knob {
			return true
		}
	}
	return false
}
