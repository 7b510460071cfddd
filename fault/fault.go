// Package fault is the registry of planted faults: ways of behaving that no release ever had and that a scenario must
// catch. It holds names and sentences. The zone, the usage server, the fleet of routers and the lab act on them.
package fault

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// All lists the planted faults.
func All() []release.KnobInfo {
	return slices.Concat(answerFaults(), pushFaults(), routerFaults(), usageFaults())
}

// AllKnobs lists every knob: those of releases first, then the planted faults.
func AllKnobs() []release.KnobInfo { return slices.Concat(release.AllKnobs(), All()) }

// Set switches knobs by words of the form "name", "name=on" or "name=off".
func Set(knobs release.Knobs, words ...release.Knob) error {
	for _, w := range words {
		word, value, _ := strings.Cut(string(w), "=")
		name := release.Knob(word)
		known := AllKnobs()
		at := slices.IndexFunc(known, func(one release.KnobInfo) bool { return one.Name == name })
		if at < 0 {
			return fmt.Errorf("knob %q does not exist", name)
		}
		switch value {
		case "", "on", "true":
			knobs[name] = true
			for _, needed := range known[at].Needs {
				knobs[needed] = true
			}
		case "off", "false":
			delete(knobs, name)
		default:
			return fmt.Errorf("knob %s takes on or off, not %q", name, value)
		}
	}
	return nil
}
