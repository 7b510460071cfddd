// Package finding tells what trying a target's capabilities gave.
package finding

import (
	"fmt"

	"github.com/stackproof/stackproof/harness"
)

// State is how a capability was found.
type State string

// The states. Missing is what the configuration leaves out or the target does not have, and makes a scenario
// unsupported; Broken should be there and does not work, and makes it inconclusive.
const (
	OK      State = "ok"
	Missing State = "missing"
	Broken  State = "broken"
)

// Finding is what trying a capability gave.
type Finding struct {
	Capability harness.Capability `json:"capability"`
	State      State              `json:"state"`
	// Evidence is what was seen, or what is missing.
	Evidence string `json:"evidence"`
	// Remedy says how to get it; empty when nothing is wrong.
	Remedy string `json:"remedy,omitempty"`
}

func (f Finding) String() string {
	if f.Remedy == "" {
		return f.Evidence
	}
	return fmt.Sprintf("%s: %s", f.Evidence, f.Remedy)
}

// Works is a capability that was seen to work.
func Works(c harness.Capability, format string, a ...any) Finding {
	return Finding{Capability: c, State: OK, Evidence: fmt.Sprintf(format, a...)}
}

// Lacks is a capability that the target or its configuration does not have.
func Lacks(c harness.Capability, remedy, format string, a ...any) Finding {
	return Finding{Capability: c, State: Missing, Evidence: fmt.Sprintf(format, a...), Remedy: remedy}
}

// Fails is a capability that should be there and does not work.
func Fails(c harness.Capability, remedy, format string, a ...any) Finding {
	return Finding{Capability: c, State: Broken, Evidence: fmt.Sprintf(format, a...), Remedy: remedy}
}
