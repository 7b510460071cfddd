package chaos

import (
	"context"
	"errors"
	"time"

	"github.com/stackproof/stackproof/zone/usage"
)

// replicaFaults are those of a run that reads a replica of the database.
func replicaFaults() []Fault {
	causes := []string{"replica", "usage"}
	return []Fault{
		{Name: "replica-late", About: "the database is a replica that is always 3 s late", Causes: causes,
			replica: true,
			begin: func(ctx context.Context, a *attempt) error {
				return errors.Join(a.site.replica.Lag(ctx, 3*time.Second), a.follow())
			}},
		{Name: "replica-halted", About: "the database is a replica that stands still for 10 s", Causes: causes,
			replica: true,
			begin:   func(_ context.Context, a *attempt) error { return a.follow() },
			strike: func(ctx context.Context, a *attempt) error {
				if err := a.site.replica.Halt(ctx); err != nil {
					return ignoreEnd(ctx, err)
				}
				pause(ctx, 10*time.Second)
				return ignoreEnd(ctx, a.site.replica.Resume(ctx))
			}},
	}
}

// follow lets the run read the replica, until the trial is over.
func (a *attempt) follow() error {
	s := a.site
	s.tables.lead(s.replica.Port())
	a.undo = append(a.undo, func() error {
		s.tables.lead(s.server.Port())
		return s.replica.CatchUp(context.Background())
	})
	return nil
}

// ignoreEnd is an error of what was done when the run ended meanwhile: then it is nothing.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// clockFaults set the clock of the management server, its database and its usage server.
func clockFaults() []Fault {
	causes := []string{"clock", "usage", "time", "window"}
	const far = 5 * time.Minute
	return []Fault{
		{Name: "clock-forward", About: "the site's clocks are set 5 minutes forward", Causes: causes, clock: true,
			strike: func(_ context.Context, a *attempt) error {
				a.site.clock.Step(far)
				a.undo = append(a.undo, a.site.heartbeat)
				return nil
			}},
		{Name: "clock-back", About: "the site's clocks are set 5 minutes back", Causes: causes, clock: true,
			strike: func(_ context.Context, a *attempt) error {
				a.site.clock.Step(-far)
				a.undo = append(a.undo, func() error { a.site.clock.Step(far); return a.site.heartbeat() })
				return nil
			}},
	}
}

// heartbeat waits until the usage server has given a sign of life by the clock as it is now.
func (s *Site) heartbeat() error {
	return s.zone.Advance(context.Background(), usage.HeartbeatDelay+usage.HeartbeatEvery)
}
