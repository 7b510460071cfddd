// Package harness is how a run goes: what a scenario and a target are, and the runner, which makes one Attempt after
// another and folds them into verdicts. The language in which scenarios are told is package story, the proof of
// scenarios by planted faults package proof. It is not a test framework (no *testing.T: the same scenario runs from the
// command and from go test) and knows no target by name. Before changing it know that a story ends early by unwinding:
// Inconclusive, Unsupported and FailNow panic with a private value that the runner recovers. Deferred functions run;
// code after them does not.
package harness

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/stackproof/stackproof/release"
)

// Capability is something that a target can show.
type Capability string

// The capabilities that scenarios ask for.
const (
	API         Capability = "api"
	UsageDB     Capability = "usage-db"
	UsageRun    Capability = "usage-run"
	PushLog     Capability = "push-log"
	PushCount   Capability = "push-count"
	PushFault   Capability = "push-fault"
	RouterFiles Capability = "router-files"
	DataPlane   Capability = "data-plane"
	TimeTravel  Capability = "time-travel"
)

// Scenario is a named story.
type Scenario struct {
	ID, Title string
	Group     string // result.GroupUsage, GroupLB or GroupAutoscale
	Priority  int    // 0 runs by default
	Weight    int    // rough cost; the heaviest start first
	Guards    []string
	Needs     []Capability
	// KnownBad names the releases on which the scenario is expected to fail.
	KnownBad Known
	// Inconclusive says why the scenario can never decide; such a verdict is left out of the exit status.
	Inconclusive string
	// Twins are the lab's knobs that must make the scenario fail.
	Twins []release.Knob
	// Cures switch off the lab's knobs of a defect that every release has (NAME=off). With them the scenario must pass
	// on a sound release, and its twins are planted on top of them: what always fails shows nothing about a twin.
	Cures []release.Knob
	// About are the lab's knobs of what the story is about, where a release has it not: they are switched on before a
	// twin is planted, as cures are switched off.
	About []release.Knob
	Run   Tell
	// APIOnly tells the story where there is no database, by what the API lists alone; nil where that shows nothing.
	// Its verdict is marked as the weaker one that it is.
	APIOnly Tell
}

// Plantable is the scenario as twins are caught with it on a release, and the knobs to set before the twin's: where the
// release always fails, its cures, and no failure counts as known. ok is false when it can show nothing about a twin.
func (s Scenario) Plantable(name string) (planted Scenario, cures []release.Knob, ok bool) {
	lacks := slices.DeleteFunc(slices.Clone(s.About),
		func(k release.Knob) bool { return release.Where(k).Contains(name) })
	switch {
	case s.Inconclusive != "", s.KnownBad.On(name) && len(s.Cures) == 0:
		return s, nil, false
	case s.KnownBad.On(name):
		s.KnownBad = Known{}
		return s, append(lacks, s.Cures...), true
	}
	return s, lacks, true
}

// Catalogue is an ordered list of scenarios with unique ids.
type Catalogue []Scenario

// Select returns the scenarios that match any of the patterns (path.Match globs, case does not matter), in the
// catalogue's order. Without patterns it returns those of priority 0. A pattern that matches nothing is an error that
// names the nearest id.
func (c Catalogue) Select(patterns ...string) (Catalogue, error) {
	if len(patterns) == 0 {
		return slices.DeleteFunc(slices.Clone(c), func(s Scenario) bool { return s.Priority != 0 }), nil
	}
	chosen := map[string]bool{}
	for _, p := range patterns {
		found := false
		for _, s := range c {
			ok, err := path.Match(strings.ToUpper(p), strings.ToUpper(s.ID))
			if err != nil {
				return nil, fmt.Errorf("scenario pattern %q: %w", p, err)
			}
			if ok {
				chosen[s.ID], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no scenario matches %q; did you mean %s? (stackproof list shows all)", p,
				Nearest(p, c.IDs()))
		}
	}
	return slices.DeleteFunc(slices.Clone(c), func(s Scenario) bool { return !chosen[s.ID] }), nil
}

// IDs lists the ids in order.
func (c Catalogue) IDs() []string {
	ids := make([]string, len(c))
	for i, s := range c {
		ids[i] = s.ID
	}
	return ids
}

// Nearest returns the word with the smallest edit distance to s, or "" without words.
func Nearest(s string, words []string) string {
	best, at := "", 1<<30
	for _, w := range words {
		if d := levenshtein.ComputeDistance(strings.ToLower(s), strings.ToLower(w)); d < at {
			best, at = w, d
		}
	}
	return best
}
