package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// lane keeps the pushes to one router in the order of their sequence numbers while the zone's lock is released.
type lane struct{ mu sync.Mutex }

func (mgr *Manager) lane(r *net.Router) *lane {
	if mgr.lanes == nil {
		mgr.lanes = map[int64]*lane{}
	}
	l := mgr.lanes[r.ID]
	if l == nil {
		l = &lane{}
		mgr.lanes[r.ID] = l
	}
	return l
}

// PushNetwork sends the configuration to each router of the network, one after the other; the first failure stops.
// A stopped router counts as done without a push. Called with the lock held, which is released while a push is on
// its way.
func (mgr *Manager) PushNetwork(ctx context.Context, n *net.Network, c Cause) error {
	targets, err := mgr.pushTargets(ctx, n)
	if err != nil {
		return err
	}
	for _, r := range targets {
		if r.Redundant == "BACKUP" && mgr.On(fault.BackupRouterForgotten) {
			continue
		}
		switch r.State {
		case "Stopped", "Stopping":
			continue
		case "Running":
		default:
			return fmt.Errorf("router %s is %s: %w", r.Name, r.State, kernel.ErrUnavailable)
		}
		if err := mgr.PushRouter(ctx, r, n, c, false); err != nil {
			return err
		}
	}
	return nil
}

// PushStart sends the bulk configuration of a router that starts. A VPC's router gets one command with the rules of
// all tiers, on the NIC of the first tier that balances load (VpcVirtualNetworkApplianceManagerImpl.java@4.19.1.0,
// @4.20.1.0, createApplyLoadBalancingRulesCommandsForVpc).
func (mgr *Manager) PushStart(ctx context.Context, r *net.Router) error {
	for _, n := range mgr.net.Networks.All() {
		mine := r.Network == n || r.VPC != nil && n.VPC == r.VPC
		if !mine || n.State != "Implemented" || !n.Removed.IsZero() || !n.Offering.Has("Lb") ||
			n.Offering.LBProvider() != n.Offering.Provider() {
			continue
		}
		ruled := slices.ContainsFunc(mgr.LBRules.All(), func(l *Rule) bool {
			return l.Network == n || r.VPC != nil &&
				l.Network.VPC == r.VPC
		})
		if ruled {
			if err := mgr.PushRouter(ctx, r, n, Cause{Why: Start}, true); err != nil {
				return err
			}
		}
		if r.VPC != nil {
			return nil
		}
	}
	return nil
}

// PushRouter builds, logs and delivers one command. The zone's lock is released while it waits for pushes
// before it, if there are any, and while it is on its way; nobody waits for a lane with the zone's lock held.
func (mgr *Manager) PushRouter(ctx context.Context, r *net.Router, n *net.Network, c Cause, aggregated bool) error {
	l := mgr.lane(r)
	if !l.mu.TryLock() {
		mgr.Unlock()
		l.mu.Lock()
		mgr.Lock()
	}
	defer l.mu.Unlock()
	text, send, err := mgr.preparePush(r, n, c, aggregated)
	if err != nil || !send || mgr.overtaken(ctx, r, text, c) {
		return err
	}
	for _, one := range mgr.inOrder(r, c, content{text, kernel.OriginOf(ctx), net.GuestIP(r, n), aggregated}) {
		if err := mgr.send(ctx, r, one); err != nil {
			return err
		}
	}
	return nil
}

// content is a command as it was built, on its way to a router.
type content struct {
	text       json.RawMessage
	from       kernel.Origin
	guest      string // the router's address in the network
	aggregated bool
}

// send writes the log line of a command and delivers it. The caller holds the router's lane and the zone's lock,
// which is released meanwhile.
func (mgr *Manager) send(ctx context.Context, r *net.Router, c content) error {
	p, err := mgr.logged(r, c)
	if err != nil {
		return err
	}
	answer := mgr.compute.Simulated("LoadBalancerConfigCommand", r.Host)
	err = mgr.released(func() error { return mgr.deliver(ctx, p, answer) })
	answer.Answered()
	if err == nil || errors.Is(err, net.ErrRefused) {
		r.Holds = err != nil
	}
	return err
}

// released runs f without the zone's lock and has it again when f returns or panics.
func (mgr *Manager) released(f func() error) error {
	mgr.Unlock()
	defer mgr.Lock()
	return f()
}

// preparePush makes the command; send is false where a planted fault swallows it.
func (mgr *Manager) preparePush(r *net.Router, n *net.Network, c Cause, aggregated bool) (text json.RawMessage,
	send bool, err error) {
	if mgr.swallowed(c) {
		return nil, false, nil
	}
	cmd := buildCommand(mgr, r, n)
	mgr.distortStart(&cmd, n, aggregated)
	mgr.distort(&cmd, c)
	if r.Internal && mgr.On(fault.InternalPoliciesDropped) {
		dropPolicies(&cmd)
	}
	text, err = cmd.encode()
	if err != nil {
		return nil, false, err
	}
	if text, err = mgr.fieldChanged(text); err != nil {
		return nil, false, err
	}
	return mgr.stale(r, text, c), true, nil
}

// logged gives the command its sequence number and writes its log line.
func (mgr *Manager) logged(r *net.Router, c content) (net.Push, error) {
	if r.Seq == 0 {
		r.Seq = int64(1+mgr.Number(1<<20))<<40 | int64(mgr.Number(1<<20))
	}
	r.Seq += 3
	flags, commands, from := "100001", string(c.text), c.from
	if c.aggregated {
		flags, commands, from = "100111", startCommands(r, c.guest, commands), from.StartWork()
	}
	line := mgr.requestLine(mgr.Now(), from, r, r.Seq, flags, commands)
	if mgr.managementLog != nil {
		if _, err := fmt.Fprintln(mgr.managementLog, line); err != nil {
			return net.Push{}, fmt.Errorf("writing the management log: %w", err)
		}
	}
	return net.Push{Router: r.Name, Seq: r.Seq, Command: c.text, Line: line, Aggregated: c.aggregated}, nil
}

// deliver runs without the zone's lock.
func (mgr *Manager) deliver(ctx context.Context, p net.Push, answer compute.MockAnswer) error {
	if err := answer.Play(ctx); err != nil {
		if mgr.On(fault.FailedPushSucceeds) {
			return nil
		}
		return fmt.Errorf("router %s: %w", p.Router, err)
	}
	if mgr.net.Pushes == nil {
		return nil
	}
	if err := mgr.net.Pushes.Push(ctx, p); err != nil {
		return fmt.Errorf("router %s: %w: %w", p.Router, kernel.ErrUnavailable, err)
	}
	return nil
}
