// Package faults plants the faults that act between the zone's rooms: what usage events are written, what commands
// do with their parameters and answers, and what guards allow. Each is a wrapper around something that works; the
// registry of package fault names them. Faults of pushes are in zone/push, those of the usage server in zone/usage,
// those of routers with the routers.
package faults

import (
	"context"
	"slices"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/lb"
	"github.com/stackproof/stackproof/zone/push"
)

// obj is a JSON object of an answer.
type obj = map[string]any

// Faults are the planted faults of one zone. They act while their knob is on.
type Faults struct {
	*kernel.Kernel
	push      *push.Manager
	lb        *lb.Manager
	autoscale *autoscale.Manager
	compute   *compute.Manager
	firewall  *firewall.Manager
	// least are the bounds of groups when their monitor first looked, unwatched the groups that were disabled.
	least     map[int64]int
	unwatched map[int64]bool
	// ghosts are the deleted rules, for RuleListedAfterDelete.
	ghosts []*push.Rule
}

// New returns the faults of a zone and puts them around its usage events.
func New(k *kernel.Kernel, pushes *push.Manager, balancing *lb.Manager, scaling *autoscale.Manager,
	instances *compute.Manager, rules *firewall.Manager) *Faults {
	f := &Faults{Kernel: k, push: pushes, lb: balancing, autoscale: scaling, compute: instances, firewall: rules,
		least: map[int64]int{}, unwatched: map[int64]bool{}}
	k.WrapUsage(f.usage)
	return f
}

// Guard is the guard of members of groups that scale.
func (f *Faults) Guard(guard func(vm *compute.VM) error) func(vm *compute.VM) error {
	return func(vm *compute.VM) error {
		if f.On(fault.MemberGuardMissing) {
			return nil
		}
		return guard(vm)
	}
}

// Bound is the guard of rules that have an autoscale group.
func (f *Faults) Bound(bound func(*push.Rule, lb.Change) bool) func(*push.Rule, lb.Change) bool {
	missing := map[lb.Change]release.Knob{lb.Delete: fault.GuardMissing, lb.Assign: fault.AssignGuardMissing}
	return func(r *push.Rule, c lb.Change) bool { return bound(r, c) && !f.On(missing[c]) }
}

// Replaced is which policies a new one takes the place of.
func (f *Faults) Replaced(
	replaced func(*push.Rule, *push.Policy) []*push.Policy) func(*push.Rule, *push.Policy) []*push.Policy {
	return func(r *push.Rule, by *push.Policy) []*push.Policy {
		if f.On(fault.SecondPolicyKept) {
			return nil
		}
		return replaced(r, by)
	}
}

// Scaling are the rules of autoscale groups.
func (f *Faults) Scaling(sound autoscale.Hooks) autoscale.Hooks {
	return autoscale.Hooks{
		Editable: func(g *autoscale.Group) bool { return sound.Editable(g) || f.On(fault.EnabledUpdateAllowed) },
		Missing: func(g *autoscale.Group) int {
			return f.missing(g, sound.Missing(g))
		},
		Fits: func(g *autoscale.Group, n int) bool { return sound.Fits(g, n) || f.On(fault.MemberCreatedTwice) },
		Resting: func(p *autoscale.ScalePolicy, since time.Duration) bool {
			return sound.Resting(p, since) && !f.On(fault.QuietTimeIgnored)
		},
	}
}

// LeaveRules takes a VM that goes out of its rules; the fault tells no router.
func (f *Faults) LeaveRules(leave func(context.Context, *compute.VM) error) func(context.Context, *compute.VM) error {
	return func(ctx context.Context, vm *compute.VM) error {
		if f.On(fault.ExpungeWithoutPush) {
			for _, r := range f.push.LBRules.All() {
				r.Members = slices.DeleteFunc(r.Members, func(m *push.Member) bool { return m.VM == vm })
			}
		}
		return leave(ctx, vm)
	}
}
