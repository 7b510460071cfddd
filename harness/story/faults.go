package story

import (
	"context"
	"errors"
	_ "time/tzdata"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
)

// lbCommand is the agent command that carries a router's load balancing configuration.
const lbCommand = "LoadBalancerConfigCommand"

// FailPushes makes the next count pushes of the zone fail, through the API of the simulator hypervisor.
func (t *T) FailPushes(count int) *Fault { return t.fail("pushes", lbCommand, count) }

// FailStarts makes the next count starts of instances fail.
func (t *T) FailStarts(count int) *Fault { return t.fail("starts of instances", "StartCommand", count) }

// Fault is a fault of the simulator hypervisor that is set.
type Fault struct {
	t    *T
	mock *cloud.SimulatorMock
	name string
	all  int

	ended bool
}

func (t *T) fail(what, command string, count int) *Fault {
	defer t.Step("the next %d %s fail", count, what)()
	f := &Fault{t: t, name: command, all: count}
	t.UsesPushFaults()
	t.OnCleanup("taking back the simulator's fault", f.end)
	if t.site.Gate != nil {
		t.Must(t.site.Gate.Alone(t.ctx), "waiting until no other scenario works")
	}
	var err error
	f.mock, err = harness.SetMock(t.ctx, t.site.Cloud, t.site.Ledger, t.choices().zone, command, "result:fail", count)
	t.Must(err, "configureSimulator %s", command)
	return f
}

// End takes the fault back before the scenario's end, so that the next one does not replace it.
func (f *Fault) End() {
	f.t.Must(f.end(f.t.ctx), "taking back the simulator's fault")
}

// end takes the fault back, once, and lets other scenarios work again.
func (f *Fault) end(ctx context.Context) error {
	if f.ended {
		return nil
	}
	f.ended = true
	var errs []error
	if f.mock != nil {
		errs = append(errs, harness.DropMock(ctx, f.t.site.Cloud, f.t.site.Ledger, f.mock.ID))
		f.mock = nil
	}
	if f.t.site.Gate != nil {
		errs = append(errs, f.t.site.Gate.Together(ctx))
	}
	return errors.Join(errs...)
}

// Met is how many commands have failed so far.
func (f *Fault) Met() int {
	now, err := f.t.site.Cloud.QuerySimulatorMock(f.t.ctx, f.mock.ID)
	f.t.Must(err, "querySimulatorMock %d", f.mock.ID)
	return f.all - now.Count
}

// RequireMet makes sure that the fault was met: what did not fail shows nothing of failures.
func (f *Fault) RequireMet(count int) {
	if got := f.Met(); got != count {
		f.t.Inconclusive("%d %s met the fault that was set for them, want %d", got, f.name, count)
	}
	if f.t.site.Gate != nil && count == f.all {
		f.t.Must(f.end(f.t.ctx), "taking back the simulator's fault")
	}
}

// FailFirewall makes routers refuse the next count firewall configurations.
func (t *T) FailFirewall(count int) *Fault {
	return t.fail("firewall configurations", "SetFirewallRulesCommand", count)
}
