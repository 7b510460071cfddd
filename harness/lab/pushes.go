package lab

import (
	"context"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone"
)

// pushes hands the zone's pushes to its routers (zone.Pushes).
type pushes struct{ *fleet.Fleet }

// Push implements zone.Pushes.
func (f pushes) Push(ctx context.Context, p zone.Push) error {
	push, err := router.ParsePush(p.Command)
	if err != nil {
		return err
	}
	push.Aggregated = p.Aggregated
	for _, lb := range push.LoadBalancers {
		if lb.Certificate != nil { // read from the log elsewhere, from the command here
			lb.Certificate.KeyLogged = router.ShowsPrivateKey(p.Line)
		}
	}
	err = f.Fleet.Push(ctx, p.Router, push)
	if rejected := (*router.RejectedError)(nil); errors.As(err, &rejected) {
		return fmt.Errorf("%w: %w", zone.ErrRefused, err)
	}
	return err
}

// Pushes hand a zone's pushes to the routers of a fleet.
func Pushes(f *fleet.Fleet) zone.Pushes { return pushes{f} }
