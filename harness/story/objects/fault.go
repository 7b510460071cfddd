package objects

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
)

// PushFaults are verbs that make the simulator fail commands to routers.
type PushFaults struct{ t *Cast }

// lbCommand is the agent command that carries a router's load balancing configuration.
const lbCommand = "LoadBalancerConfigCommand"

// FailPushes makes the next count pushes of the zone fail, through the API of the simulator hypervisor.
func (p PushFaults) FailPushes(count int) *Fault {
	return p.t.fail("pushes", lbCommand, failing, count)
}

// FailStarts makes the next count starts of instances fail.
func (p PushFaults) FailStarts(count int) *Fault {
	return p.t.fail("starts of instances", "StartCommand", failing, count)
}

// failing is what the simulator is told of commands that fail.
const failing = "result:fail"

// Turn makes another fault of the one that is set.
func (f *Fault) Turn(value string, count int) {
	var err error
	f.mock, err = harness.SetMock(f.t.Ctx, f.t.Site.Cloud, f.t.Site.Ledger, f.t.choices().zone, f.name, value, count)
	f.t.Must(err, "configureSimulator %s", f.name)
	f.all = count
	f.t.Stray = f.stray
}

// stray: on a site that others use, autoscale groups of theirs act by themselves, whoever waits.
func (f *Fault) stray() string {
	if f.ended || f.t.Site.Gate == nil {
		return ""
	}
	groups, err := f.t.Site.Cloud.ListAutoScaleVMGroups(f.t.Ctx, nil)
	f.t.Must(err, "listing autoscale groups")
	others := 0
	for _, g := range groups {
		own := slices.ContainsFunc(f.t.accounts, func(a *Account) bool { return a.Name == g.Account })
		if !own && !strings.EqualFold(g.State, "DISABLED") { // enabled, or scaling
			others++
		}
	}
	if others == 0 {
		return ""
	}
	return fmt.Sprintf("the failure was set for the whole zone, and %d autoscale groups of other accounts act by "+
		"themselves: a %s of theirs may have met it; run the scenario alone", others, f.name)
}

// Fault is a fault of the simulator hypervisor that is set.
type Fault struct {
	t    *Cast
	mock *cloud.SimulatorMock
	name string
	all  int

	ended bool
}

func (t *Cast) fail(what, command, value string, count int) *Fault {
	defer t.Step("the next %d %s: %s", count, what, value)()
	f := &Fault{t: t, name: command}
	t.UsesPushFaults()
	t.OnCleanup("taking back the simulator's fault", f.end)
	if t.Site.Gate != nil {
		t.Must(t.Site.Gate.Alone(t.Ctx), "waiting until no other scenario works")
	}
	f.Turn(value, count)
	return f
}

// End takes the fault back before the scenario's end, so that the next one does not replace it.
func (f *Fault) End() {
	f.t.Must(f.end(f.t.Ctx), "taking back the simulator's fault")
}

// end takes the fault back, once, and lets other scenarios work again.
func (f *Fault) end(ctx context.Context) error {
	if f.ended {
		return nil
	}
	f.ended = true
	var errs []error
	if f.mock != nil {
		errs = append(errs, harness.DropMock(ctx, f.t.Site.Cloud, f.t.Site.Ledger, f.mock.ID))
		f.mock = nil
	}
	if f.t.Site.Gate != nil {
		errs = append(errs, f.t.Site.Gate.Together(ctx))
	}
	return errors.Join(errs...)
}

// Met is how many commands have failed so far.
func (f *Fault) Met() int {
	now, err := f.t.Site.Cloud.QuerySimulatorMock(f.t.Ctx, f.mock.ID)
	f.t.Must(err, "querySimulatorMock %d", f.mock.ID)
	return f.all - now.Count
}

// RequireMet makes sure that the fault was met: what did not fail shows nothing of failures.
func (f *Fault) RequireMet(count int) {
	if got := f.Met(); got != count {
		f.t.Inconclusive("%d %s met the fault that was set for them, want %d", got, f.name, count)
	}
	if f.t.Site.Gate != nil && count == f.all {
		f.t.Must(f.end(f.t.Ctx), "taking back the simulator's fault")
	}
}

// FailFirewall makes routers refuse the next count firewall configurations.
func (p PushFaults) FailFirewall(count int) *Fault {
	return p.t.fail("firewall configurations", "SetFirewallRulesCommand", failing, count)
}
