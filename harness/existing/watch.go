package existing

import (
	"context"

	"github.com/stackproof/stackproof/harness"
)

// watcher sees the pushes of the management log, and through them the routers.
type watcher struct {
	routers harness.Routers
}

func (w *watcher) describe() string { return "none" }

func (t *Target) openWatch(context.Context) error {
	for _, c := range []harness.Capability{harness.PushLog, harness.RouterFiles, harness.DataPlane} {
		t.found(missing(c, "give the management server's log", "no log is given"))
	}
	return nil
}
