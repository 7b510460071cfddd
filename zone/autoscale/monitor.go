package autoscale

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/kernel"
)

// statsInterval is how often policies are evaluated (autoscale.stats.interval).
const statsInterval = 60 * time.Second

// ErroredThreshold is autoscale.errored.instance.threshold (#11244): more members that did not start stop a group's
// growth. The releases that have it count members in state Error, in which no failed start ends
// (AutoScaleVmGroupVmMapDaoImpl.java@4.22.1.0), so it stops nothing there.
const ErroredThreshold = 10

// scaling is what the monitor remembers of a group.
type scaling struct {
	monitor *kernel.Task
	// gap is when the group's statistics were last broken by a change: nothing is evaluated within a policy's
	// duration of it.
	gap time.Time
	// sample is when a member's counters were last read; they are constant on the simulator.
	sample  time.Time
	errored int
}

func (mgr *Manager) scalingOf(g *Group) *scaling {
	if mgr.scaling == nil {
		mgr.scaling = map[int64]*scaling{}
	}
	s := mgr.scaling[g.ID]
	if s == nil {
		s = &scaling{}
		mgr.scaling[g.ID] = s
	}
	return s
}

// noteGap marks a change after which statistics start anew.
func (mgr *Manager) noteGap(g *Group) { mgr.scalingOf(g).gap = mgr.Now() }

// watch plans the group's monitor, first after one interval, and the evaluation of policies.
func (mgr *Manager) watch(g *Group) {
	mgr.unwatch(g)
	s := mgr.scalingOf(g)
	g.NextCheck = mgr.Now().Add(time.Duration(g.Interval) * time.Second)
	s.monitor = mgr.At(g.NextCheck, fmt.Sprintf("monitor of group %d", g.ID), func(ctx context.Context) {
		s.monitor = nil
		mgr.monitor(ctx, g)
		if g.Removed.IsZero() && g.State != groupDisabled && s.monitor == nil {
			mgr.watch(g)
		}
	})
	if !mgr.evaluating {
		mgr.evaluating = true
		mgr.At(mgr.Now().Add(statsInterval), "evaluation of autoscale policies", mgr.evaluate)
	}
}

func (mgr *Manager) unwatch(g *Group) {
	if s := mgr.scalingOf(g); s.monitor != nil {
		mgr.Cancel(s.monitor)
		s.monitor = nil
	}
}

// monitor keeps an enabled group between its bounds, else reads the counters.
func (mgr *Manager) monitor(ctx context.Context, g *Group) {
	if g.State != groupEnabled || !g.Removed.IsZero() {
		return
	}
	ctx = kernel.WithOrigin(ctx, kernel.Origin{Thread: fmt.Sprintf("VmGroup-Monitor-%d-1", g.ID)})
	mgr.dropStopped(ctx, g)
	switch n := available(g); {
	case n < g.Min:
		if missing := mgr.Hooks.Missing(g); missing > 0 {
			mgr.scaleUp(ctx, g, missing)
		}
	case n > g.Max && !(n == g.Max+1 && mgr.On(fault.OneTooManyStays)):
		mgr.scaleDown(ctx, g)
	default:
		now := mgr.Now()
		if slices.ContainsFunc(g.Members, func(vm *compute.VM) bool { return vm.State == "Running" }) {
			mgr.scalingOf(g).sample = now
		}
		if err := mgr.Update(ctx, "cloud.autoscale_vmgroups", g.ID, obj{"last_interval": now}); err != nil {
			mgr.Log.Error("noting a monitor's run", "group", g.ID, "err", err)
		}
	}
}

// evaluate looks at the policies of all enabled groups.
func (mgr *Manager) evaluate(ctx context.Context) {
	live := false
	for _, g := range slices.Clone(mgr.Groups.All()) {
		live = live || g.Removed.IsZero()
		acts := g.State == groupEnabled || g.State == groupDisabled && mgr.On(fault.DisabledGroupActs)
		if !acts || !g.Removed.IsZero() {
			continue
		}
		ctx := kernel.WithOrigin(ctx, kernel.Origin{Thread: "AutoScale-VmGroup-Check-1"})
		switch mgr.action(g) {
		case "SCALEUP":
			mgr.scaleUp(ctx, g, 1)
		case "SCALEDOWN":
			mgr.scaleDown(ctx, g)
		}
	}
	if mgr.evaluating = live; live {
		mgr.At(mgr.Now().Add(statsInterval), "evaluation of autoscale policies", mgr.evaluate)
	}
}

// action is that of the first policy, scale-up ones first, that is past its quiet time and whose conditions all hold.
func (mgr *Manager) action(g *Group) string {
	s, now := mgr.scalingOf(g), mgr.Now()
	for _, p := range slices.Concat(g.Up, g.Down) {
		window := now.Add(-time.Duration(p.Duration) * 1024 * time.Millisecond)
		if s.gap.After(window) {
			return ""
		}
		known := s.sample.After(window) || g.State == groupDisabled // which is evaluated by a planted fault alone
		if mgr.Hooks.Resting(p, now.Sub(mgr.quiet[p.ID])) || !known {
			continue
		}
		if !slices.ContainsFunc(p.Conditions, func(k *Condition) bool { return !mgr.holds(k) }) {
			return p.Action
		}
	}
	return ""
}

// holds compares a condition with the simulator's constants: CPU is always 10 %, other counters never have data
// (facts: cloudstack.md 4).
func (mgr *Manager) holds(k *Condition) bool {
	const cpu = 10
	if k.Counter.Source != "CPU" || k.Threshold == cpu && mgr.On(fault.AtLeastIsMore) {
		return false
	}
	switch k.Operator {
	case "EQ":
		return cpu == k.Threshold
	case "GT":
		return cpu > k.Threshold
	case "GE":
		return cpu >= k.Threshold
	case "LT":
		return cpu < k.Threshold
	case "LE":
		return cpu <= k.Threshold
	}
	return false
}

// noteQuiet starts the quiet time of the group's first scale-up policy, for scaling in both directions: the release's
// defect, by which a scale-down policy has none (facts: cloudstack.md 2.7).
func (mgr *Manager) noteQuiet(ctx context.Context, g *Group) {
	if len(g.Up) == 0 {
		return
	}
	if mgr.quiet == nil {
		mgr.quiet = map[int64]time.Time{}
	}
	g.LastQuietUp = mgr.Now()
	mgr.quiet[g.Up[0].ID] = g.LastQuietUp
	if err := mgr.Update(ctx, "cloud.autoscale_policies", g.Up[0].ID,
		obj{"last_quiet_time": g.LastQuietUp}); err != nil {
		mgr.Log.Error("noting a quiet time", "policy", g.Up[0].ID, "err", err)
	}
}

// scaleEvent writes an AUTOSCALEVMGROUP row as the system user for the group's account.
func (mgr *Manager) scaleEvent(ctx context.Context, g *Group, direction, state, level, text string) {
	_, err := mgr.Event(ctx, kernel.Event{
		Type: "AUTOSCALEVMGROUP." + direction, State: state, Level: level, Text: text, Account: g.Account,
		ResourceID: g.ID, ResourceType: "AutoScaleVmGroup", ResourceUUID: g.UUID,
	})
	if err != nil {
		mgr.Log.Error("writing an event", "group", g.ID, "err", err)
	}
}
