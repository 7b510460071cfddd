package zone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/stackproof/stackproof/fault"
)

// lane keeps the pushes to one router in the order of their sequence numbers while the zone's lock is released.
type lane struct{ mu sync.Mutex }

// errUnavailable is CloudStack's ResourceUnavailableException: a router that cannot be reached or answered result=false.
// Callers roll back on it, half-done as the release does.
var errUnavailable = errors.New("resource is unavailable")

// Rule states of cloud.firewall_rules.
const (
	stateStaged = "Staged"
	stateAdd    = "Add"
	stateActive = "Active"
	stateRevoke = "Revoke"
)

func (z *Zone) lane(r *Router) *lane {
	if z.lanes == nil {
		z.lanes = map[int64]*lane{}
	}
	l := z.lanes[r.ID]
	if l == nil {
		l = &lane{}
		z.lanes[r.ID] = l
	}
	return l
}

// routersOf lists the routers that serve n: none while it is not implemented, so that a push counts as done.
func (z *Zone) routersOf(n *Network) []*Router {
	if n == nil || n.State != "Implemented" {
		return nil
	}
	var routers []*Router
	for _, r := range z.routers {
		if r.Network == n || n.VPC != nil && r.VPC == n.VPC {
			routers = append(routers, r)
		}
	}
	return routers
}

// pushNetwork sends the configuration to each router of the network, one after the other; the first failure stops. A
// stopped router counts as done without a push. Called with the lock held, which is released while a push is on its way.
func (z *Zone) pushNetwork(ctx context.Context, n *Network) error {
	targets, err := z.pushTargets(ctx, n)
	if err != nil {
		return err
	}
	for _, r := range targets {
		if r.Redundant == "BACKUP" && z.knobs[fault.BackupRouterForgotten] {
			continue
		}
		switch r.State {
		case "Stopped", "Stopping":
			continue
		case "Running":
		default:
			return fmt.Errorf("router %s is %s: %w", r.Name, r.State, errUnavailable)
		}
		if err := z.pushRouter(ctx, r, n, false); err != nil {
			return err
		}
	}
	return nil
}

// pushStart sends the bulk configuration of a router that starts. A VPC's router gets one command with the rules of all tiers, on the
// NIC of the first tier that balances load (VpcVirtualNetworkApplianceManagerImpl.java@4.19.1.0, @4.20.1.0,
// createApplyLoadBalancingRulesCommandsForVpc).
func (z *Zone) pushStart(ctx context.Context, r *Router) error {
	for _, n := range z.networks {
		mine := r.Network == n || r.VPC != nil && n.VPC == r.VPC
		if !mine || n.State != "Implemented" || !n.Removed.IsZero() || !n.Offering.has("Lb") || n.Offering.lbProvider() != n.Offering.provider() {
			continue
		}
		ruled := slices.ContainsFunc(z.lbRules, func(l *LBRule) bool { return l.Network == n || r.VPC != nil && l.Network.VPC == r.VPC })
		if ruled {
			if err := z.pushRouter(withCause(ctx, causeStart, nil), r, n, true); err != nil {
				return err
			}
		}
		if r.VPC != nil {
			return nil
		}
	}
	return nil
}

// pushRouter builds, logs and delivers one command. The zone's lock is released while it waits for the pushes before it and
// while it is on its way; nobody waits for a lane with the zone's lock held.
func (z *Zone) pushRouter(ctx context.Context, r *Router, n *Network, aggregated bool) error {
	l := z.lane(r)
	z.mu.Unlock()
	l.mu.Lock()
	z.mu.Lock()
	defer l.mu.Unlock()
	text, send, err := z.preparePush(ctx, r, n, aggregated)
	if err != nil || !send || z.overtaken(ctx, r, text) {
		return err
	}
	for _, one := range z.inOrder(ctx, r, content{text, originOf(ctx), guestIP(r, n), aggregated}) {
		if err := z.send(ctx, r, one); err != nil {
			return err
		}
	}
	return nil
}

// content is a command as it was built, on its way to a router.
type content struct {
	text       json.RawMessage
	from       origin
	guest      string // the router's address in the network
	aggregated bool
}

// send writes the log line of a command and delivers it. The caller holds the router's lane and the zone's lock, which is
// released meanwhile.
func (z *Zone) send(ctx context.Context, r *Router, c content) error {
	p, err := z.logged(r, c)
	if err != nil {
		return err
	}
	answer := z.simulated("LoadBalancerConfigCommand", r.Host)
	err = z.released(func() error { return z.deliver(ctx, p, answer) })
	answer.answered()
	return err
}

// released runs f without the zone's lock and has it again when f returns or panics.
func (z *Zone) released(f func() error) error {
	z.mu.Unlock()
	defer z.mu.Lock()
	return f()
}

// preparePush makes the command; send is false where a planted fault swallows it.
func (z *Zone) preparePush(ctx context.Context, r *Router, n *Network, aggregated bool) (text json.RawMessage, send bool, err error) {
	why := causeOf(ctx)
	if z.swallowed(why) {
		return nil, false, nil
	}
	cmd := z.buildCommand(r, n)
	z.distortStart(&cmd, n, aggregated)
	z.distort(&cmd, why)
	if r.Internal && z.knobs[fault.InternalPoliciesDropped] {
		dropPolicies(&cmd)
	}
	text, err = cmd.encode()
	if err != nil {
		return nil, false, err
	}
	return z.stale(r, text, why), true, nil
}

// logged gives the command its sequence number and writes its log line.
func (z *Zone) logged(r *Router, c content) (Push, error) {
	if r.Seq == 0 {
		r.Seq = int64(1+z.number(1<<20))<<40 | int64(z.number(1<<20))
	}
	r.Seq += 3
	flags, commands, from := "100001", string(c.text), c.from
	if c.aggregated {
		flags, commands, from = "100111", startCommands(r, c.guest, commands), from.startWork()
	}
	line := z.requestLine(z.now(), from, r, r.Seq, flags, commands)
	if z.managementLog != nil {
		if _, err := fmt.Fprintln(z.managementLog, line); err != nil {
			return Push{}, fmt.Errorf("writing the management log: %w", err)
		}
	}
	return Push{Router: r.Name, Seq: r.Seq, Command: c.text, Line: line, Aggregated: c.aggregated}, nil
}

// deliver runs without the zone's lock.
func (z *Zone) deliver(ctx context.Context, p Push, answer mockAnswer) error {
	if err := answer.play(ctx); err != nil {
		if z.knobs[fault.FailedPushSucceeds] {
			return nil
		}
		return fmt.Errorf("router %s: %w", p.Router, err)
	}
	if z.pushes == nil {
		return nil
	}
	if err := z.pushes.Push(ctx, p); err != nil {
		return fmt.Errorf("router %s: %w: %w", p.Router, errUnavailable, err)
	}
	return nil
}

// unavailable reports whether an operation failed because of a router.
func unavailable(err error) bool { return errors.Is(err, errUnavailable) }
