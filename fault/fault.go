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
	return slices.Concat(answerFaults(), harmlessFaults(), listingFaults(), scalingFaults(), rowFaults(), pushFaults(),
		routerFaults(), usageFaults())
}

// AllKnobs lists every knob: those of releases first, then the planted faults.
func AllKnobs() []release.KnobInfo { return slices.Concat(release.AllKnobs(), All()) }

// Value is the value that a knob which takes some was switched on with; empty for none.
func Value(name release.Knob, on func(release.Knob) bool) string {
	for _, k := range AllKnobs() {
		for _, value := range k.Takes {
			if k.Name == name && on(name.With(value)) {
				return value
			}
		}
	}
	return ""
}

// Set switches knobs by words of the form "name", "name=on", "name=off", or "name=value" for one that takes values.
func Set(knobs release.Knobs, words ...release.Knob) error {
	for _, w := range words {
		word, value, _ := strings.Cut(string(w), "=")
		name := release.Knob(word)
		known := AllKnobs()
		at := slices.IndexFunc(known, func(one release.KnobInfo) bool { return one.Name == name })
		if at < 0 {
			return fmt.Errorf("knob %q does not exist", name)
		}
		if slices.Contains(known[at].Takes, value) {
			knobs[name.With(value)] = true
			value = "on"
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
			if len(known[at].Takes) > 0 {
				return fmt.Errorf("knob %s takes on, off or one of %s, not %q", name,
					strings.Join(known[at].Takes, ", "), value)
			}
			return fmt.Errorf("knob %s takes on or off, not %q", name, value)
		}
	}
	return nil
}
