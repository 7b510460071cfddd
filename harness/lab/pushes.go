package lab

import (
	"context"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
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
	return answer(f.Fleet.Push(ctx, p.Router, push))
}

// answer is what a router answers the zone.
func answer(err error) error {
	if rejected := (*router.RejectedError)(nil); errors.As(err, &rejected) {
		return fmt.Errorf("%w: %w", zone.ErrRefused, err)
	}
	return err
}

// answering hands changes of port forwarding to the routers, too: they run a release's own scripts (zone.Forwards).
type answering struct{ pushes }

// Forward implements zone.Forwards.
func (f answering) Forward(ctx context.Context, c zone.Forward) error {
	rules := make([]scripts.ForwardingRule, len(c.Rules))
	for i, r := range c.Rules {
		rules[i] = scripts.ForwardingRule{Revoke: r.Revoked, Protocol: r.Protocol, SourceIP: r.Public.String(),
			SourcePorts: ports(r.PublicPorts), DestinationIP: r.Private.String(),
			DestinationPorts: ports(r.PrivatePorts)}
	}
	return answer(f.Deliver(ctx, c.Router, scripts.Forwarding(rules...)))
}

// ports is a range as items have it (PortForwardingRuleTO.java@4.22.0.0).
func ports(r [2]int) string { return fmt.Sprintf("%d:%d", r[0], r[1]) }

// Pushes hand a zone's pushes to the routers of a fleet.
func Pushes(f *fleet.Fleet) zone.Pushes { return pushes{f} }

// receiver takes what a zone of the target sends to its routers.
func (t *Target) receiver(f *fleet.Fleet) zone.Pushes {
	if t.opts.Scripts != nil {
		return answering{pushes{f}}
	}
	return pushes{f}
}
