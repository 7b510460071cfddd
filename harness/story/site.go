package story

import (
	"context"
	"errors"
	"sync"
	"time"
	_ "time/tzdata"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
)

// PassSeconds lets the target's time go by.
func (t Clock) PassSeconds(n int) {
	t.Must(t.site.Clock.Pass(t.ctx, time.Duration(n)*time.Second), "letting %d s pass", n)
}

const clockPace = 5 * time.Millisecond

// WhileTimePasses lets the target's time go by, step after step, for as long as the work takes: what the server does by
// itself then happens between the calls of the work.
func (t Clock) WhileTimePasses(step time.Duration, work func()) {
	end, ended := make(chan struct{}), make(chan error, 1)
	t.timePasses = true
	defer func() { t.timePasses = false }()
	go func() {
		// A clock that jumps is paced, so that it leaves the server time for the work's calls. A jump is never cut
		// short: what the server does in it would be left half done.
		pace := time.NewTicker(clockPace)
		defer pace.Stop()
		for {
			select {
			case <-end:
				ended <- nil
				return
			case <-pace.C:
			}
			if err := t.site.Clock.Pass(t.ctx, step); err != nil {
				ended <- err
				return
			}
		}
	}()
	stop := sync.OnceValue(func() error {
		close(end)
		return <-ended
	})
	defer func() { _ = stop() }() // the work unwound: its reason stands
	work()
	t.Must(stop(), "letting time pass")
}

// Location is a time zone by its name, such as Asia/Jerusalem.
func (t Clock) Location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	t.Must(err, "reading time zone %s", name)
	return zone
}

// PassUntil lets time go by until a moment.
func (t Clock) PassUntil(at time.Time) {
	defer t.Step("until %s", stamp(at))()
	if d := at.Sub(t.now()); d > 0 {
		t.pass(d)
	}
}

// NewYear is when the next year begins in a time zone.
func (t Clock) NewYear(zone *time.Location) time.Time {
	return time.Date(t.now().In(zone).Year()+1, time.January, 1, 0, 0, 0, 0, zone)
}

// ClockChange is midnight before the next day on which a zone's clocks are changed.
func (t Clock) ClockChange(zone *time.Location) time.Time {
	now := t.now().In(zone)
	for days := range 400 {
		midnight := time.Date(now.Year(), now.Month(), now.Day()+days+1, 0, 0, 0, 0, zone)
		if midnight.AddDate(0, 0, 1).Sub(midnight) != 24*time.Hour {
			return midnight
		}
	}
	t.Inconclusive("the clocks of %s are not changed within 400 days", zone)
	return time.Time{}
}

// Pass lets time go by.
func (t Clock) Pass(d time.Duration) { t.pass(d) }

// lbCommand is the agent command that carries a router's load balancing configuration.
const lbCommand = "LoadBalancerConfigCommand"

// FailPushes makes the next count pushes of the zone fail, through the API of the simulator hypervisor.
func (t PushFaults) FailPushes(count int) *Fault { return t.fail("pushes", lbCommand, failing, count) }

// FailStarts makes the next count starts of instances fail.
func (t PushFaults) FailStarts(count int) *Fault {
	return t.fail("starts of instances", "StartCommand", failing, count)
}

// failing is what the simulator is told of commands that fail.
const failing = "result:fail"

// Turn makes another fault of the one that is set.
func (f *Fault) Turn(value string, count int) {
	var err error
	f.mock, err = harness.SetMock(f.t.ctx, f.t.site.Cloud, f.t.site.Ledger, f.t.choices().zone, f.name, value, count)
	f.t.Must(err, "configureSimulator %s", f.name)
	f.all = count
}

// Fault is a fault of the simulator hypervisor that is set.
type Fault struct {
	t    *core
	mock *cloud.SimulatorMock
	name string
	all  int

	ended bool
}

func (t PushFaults) fail(what, command, value string, count int) *Fault {
	defer t.Step("the next %d %s: %s", count, what, value)()
	f := &Fault{t: t.core, name: command, all: count}
	t.UsesPushFaults()
	t.OnCleanup("taking back the simulator's fault", f.end)
	if t.site.Gate != nil {
		t.Must(t.site.Gate.Alone(t.ctx), "waiting until no other scenario works")
	}
	var err error
	f.mock, err = harness.SetMock(t.ctx, t.site.Cloud, t.site.Ledger, t.choices().zone, command, value, count)
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
func (t PushFaults) FailFirewall(count int) *Fault {
	return t.fail("firewall configurations", "SetFirewallRulesCommand", failing, count)
}
