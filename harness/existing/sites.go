package existing

import (
	"context"
	"time"

	"github.com/stackproof/stackproof/harness/existing/usageruns"
)

// siteRuns is the usage server as one scenario sees it (harness.UsageRuns).
type siteRuns struct {
	server  *usageruns.Server
	barrier *usageruns.Barrier
	pass    *pass
	id      string
}

// Window implements harness.UsageRuns.
func (s siteRuns) Window() time.Duration { return s.server.Window }

// Cover implements harness.UsageRuns. Who waits does not work: others may have the site for themselves meanwhile.
func (s siteRuns) Cover(ctx context.Context, until time.Time) error {
	inside := s.pass.inside
	s.pass.Leave()
	if err := s.barrier.Cover(ctx, s.id, until); err != nil || !inside {
		return err
	}
	return s.pass.Enter(ctx)
}

// Ask implements harness.RunAsker. Scheduled runs come by themselves.
func (s siteRuns) Ask(ctx context.Context) error { return s.server.Ask(ctx) }

// Shared says that many windows are better covered by one run (harness.SharedRuns).
func (s siteRuns) Shared() bool { return true }
