package zone

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/fault"
)

// statsInterval is how often policies are evaluated (autoscale.stats.interval).
const statsInterval = 60 * time.Second

// erroredThreshold is autoscale.errored.instance.threshold: more errored members stop a group's growth (4.20.2, #11244).
const erroredThreshold = 10

// scaling is what the monitor remembers of a group.
type scaling struct {
	monitor *task
	// gap is when the group's statistics were last broken by a change: nothing is evaluated within a policy's duration of it.
	gap time.Time
	// sample is when a member's counters were last read; they are constant on the simulator.
	sample  time.Time
	errored int
}

func (z *Zone) scalingOf(g *Group) *scaling {
	if z.scaling == nil {
		z.scaling = map[int64]*scaling{}
	}
	s := z.scaling[g.ID]
	if s == nil {
		s = &scaling{}
		z.scaling[g.ID] = s
	}
	return s
}

// noteGap marks a change after which statistics start anew.
func (z *Zone) noteGap(g *Group) { z.scalingOf(g).gap = z.now() }

// watch plans the group's monitor, first after one interval, and the evaluation of policies.
func (z *Zone) watch(g *Group) {
	z.unwatch(g)
	s := z.scalingOf(g)
	g.NextCheck = z.now().Add(time.Duration(g.Interval) * time.Second)
	s.monitor = z.at(g.NextCheck, fmt.Sprintf("monitor of group %d", g.ID), func(ctx context.Context) {
		s.monitor = nil
		z.monitor(ctx, g)
		if g.Removed.IsZero() && g.State != groupDisabled && s.monitor == nil {
			z.watch(g)
		}
	})
	if !z.evaluating {
		z.evaluating = true
		z.at(z.now().Add(statsInterval), "evaluation of autoscale policies", z.evaluate)
	}
}

func (z *Zone) unwatch(g *Group) {
	if s := z.scalingOf(g); s.monitor != nil {
		z.cancel(s.monitor)
		s.monitor = nil
	}
}

// monitor keeps an enabled group between its bounds, else reads the counters.
func (z *Zone) monitor(ctx context.Context, g *Group) {
	if g.State != groupEnabled || !g.Removed.IsZero() {
		return
	}
	ctx = withOrigin(ctx, origin{thread: fmt.Sprintf("VmGroup-Monitor-%d-1", g.ID)})
	z.dropStopped(ctx, g)
	switch n := available(g); {
	case n < g.Min && z.knobs[fault.MonitorBlind]:
	case n < g.Min:
		if z.knobs[fault.MemberCreatedTwice] {
			n--
		}
		z.scaleUp(ctx, g, g.Min-n)
	case n > g.Max:
		z.scaleDown(ctx, g)
	default:
		now := z.now()
		if slices.ContainsFunc(g.Members, func(vm *VM) bool { return vm.State == "Running" }) {
			z.scalingOf(g).sample = now
		}
		if err := z.update(ctx, "cloud.autoscale_vmgroups", g.ID, obj{"last_interval": now}); err != nil {
			z.log.Error("noting a monitor's run", "group", g.ID, "err", err)
		}
	}
}

// evaluate looks at the policies of all enabled groups.
func (z *Zone) evaluate(ctx context.Context) {
	live := false
	for _, g := range slices.Clone(z.groups) {
		live = live || g.Removed.IsZero()
		if g.State != groupEnabled || !g.Removed.IsZero() {
			continue
		}
		ctx := withOrigin(ctx, origin{thread: "AutoScale-VmGroup-Check-1"})
		switch z.action(g) {
		case "SCALEUP":
			z.scaleUp(ctx, g, 1)
		case "SCALEDOWN":
			z.scaleDown(ctx, g)
		}
	}
	if z.evaluating = live; live {
		z.at(z.now().Add(statsInterval), "evaluation of autoscale policies", z.evaluate)
	}
}

// action is that of the first policy, scale-up ones first, that is past its quiet time and whose conditions all hold.
func (z *Zone) action(g *Group) string {
	s, now := z.scalingOf(g), z.now()
	for _, p := range slices.Concat(g.Up, g.Down) {
		window := now.Add(-time.Duration(p.Duration) * 1024 * time.Millisecond)
		if s.gap.After(window) {
			return ""
		}
		if !z.knobs[fault.QuietTimeIgnored] && now.Sub(z.quiet[p.ID]) < time.Duration(p.Quiet)*time.Second || !s.sample.After(window) {
			continue
		}
		if !slices.ContainsFunc(p.Conditions, func(k *Condition) bool { return !holds(k) }) {
			return p.Action
		}
	}
	return ""
}

// holds compares a condition with the simulator's constants: CPU is always 10 %, other counters never have data
// (facts: cloudstack.md 4).
func holds(k *Condition) bool {
	const cpu = 10
	if k.Counter.Source != "CPU" {
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
func (z *Zone) noteQuiet(ctx context.Context, g *Group) {
	if len(g.Up) == 0 {
		return
	}
	if z.quiet == nil {
		z.quiet = map[int64]time.Time{}
	}
	g.LastQuietUp = z.now()
	z.quiet[g.Up[0].ID] = g.LastQuietUp
	if err := z.update(ctx, "cloud.autoscale_policies", g.Up[0].ID, obj{"last_quiet_time": g.LastQuietUp}); err != nil {
		z.log.Error("noting a quiet time", "policy", g.Up[0].ID, "err", err)
	}
}

// scaleEvent writes an AUTOSCALEVMGROUP row as the system user for the group's account.
func (z *Zone) scaleEvent(ctx context.Context, g *Group, direction, state, level, text string) {
	_, err := z.event(ctx, Event{
		Type: "AUTOSCALEVMGROUP." + direction, State: state, Level: level, Text: text, Account: g.Account,
		ResourceID: g.ID, ResourceType: "AutoScaleVmGroup", ResourceUUID: g.UUID,
	})
	if err != nil {
		z.log.Error("writing an event", "group", g.ID, "err", err)
	}
}
