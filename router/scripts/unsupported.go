package scripts

import "fmt"

// Unsupported says why a tree's scripts cannot be run here, and what would help. It is no verdict on the tree.
type Unsupported struct {
	Reason string // one line, no full stop
	Remedy string // what to do, one line
}

func (e *Unsupported) Error() string {
	return fmt.Sprintf("router scripts cannot run here: %s; %s", e.Reason, e.Remedy)
}

func unsupported(remedy, reason string, args ...any) *Unsupported {
	return &Unsupported{Reason: fmt.Sprintf(reason, args...), Remedy: remedy}
}
