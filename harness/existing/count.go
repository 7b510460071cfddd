package existing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/harness/existing/mgmtlog"
)

// counter counts pushes through the simulator: a mock that changes nothing and applies a great many times
// (configureSimulator wait:0); what is missing from its count was pushed.
type counter struct {
	api  *cloud.Client
	zone string

	mu   sync.Mutex // of mock: who finds it gone sets another, while others read it
	mock *cloud.SimulatorMock

	// ledger notes the mock; nil for none.
	ledger harness.Ledger
	base   int // pushes in the log when counting began
	// uncounted is by how many at least the log has been ahead of the counter since then, without a break.
	uncounted int
	since     time.Time
}

// errTakenAway says that the counter's mock is gone: there is one for a zone and command, and another run in the same
// zone has ended and removed it.
var errTakenAway = errors.New("the push counter was taken away by another run in this zone")

// lostAfter is how long the log must be ahead of the counter until the difference is the counter's fault. A push that
// is on its way is logged before it is counted.
const lostAfter = 3 * time.Second

// agrees compares what the log shows with the counter as it was read before and after the log. The simulator reads a
// mock, answers and writes the count back without a transaction (SimulatorManagerImpl.java@4.20.0.0, simulate): of
// pushes to two routers at the same time one may never be counted. So where the log stays ahead, the counter is set
// right; a push that was counted and is not in the log remains missing.
func (c *counter) agrees(logged, before, after int, now time.Time) bool {
	ahead := logged - c.base - after
	switch {
	case logged-c.base < before:
		c.uncounted = 0
		return false
	case ahead <= 0:
		c.uncounted = 0
		return true
	case c.uncounted == 0:
		c.uncounted, c.since = ahead, now
	}
	c.uncounted = min(c.uncounted, ahead)
	if now.Sub(c.since) < lostAfter {
		return false
	}
	c.base += c.uncounted
	ahead -= c.uncounted
	c.uncounted = 0
	return ahead == 0
}

// countFrom is more pushes than any run makes.
const countFrom = 1_000_000

// tryCount looks whether the zone's hosts are simulated; it changes nothing.
func (t *Target) tryCount(ctx context.Context) error {
	const remedy = "only a zone of the simulator hypervisor counts pushes"
	var list struct {
		Host []struct{ Hypervisor string }
	}
	zone, err := t.room.Find(ctx)
	if err != nil {
		return err
	}
	t.room.ZoneID = zone.ID
	err = t.cloud.Call(ctx, "listHosts", cloud.Params{"zoneid": zone.ID, "type": "Routing"}, &list)
	if err != nil && !cloud.IsRefused(err) {
		return fmt.Errorf("listing hosts: %w", err)
	}
	t.simulated = err == nil && len(list.Host) > 0
	for _, h := range list.Host {
		t.simulated = t.simulated && h.Hypervisor == "Simulator"
	}
	for _, c := range []harness.Capability{harness.PushCount, harness.PushFault} {
		if t.simulated {
			t.found(finding.Works(c, "the zone's hosts are simulated"))
		} else {
			t.found(finding.Lacks(c, remedy, "the zone's hosts are not simulated"))
		}
	}
	minded(t)
	return nil
}

// startCount begins to count; it is done with the first site, when something is created anyway.
func (t *Target) startCount(ctx context.Context) (err error) {
	if t.watch == nil || !t.simulated || t.watch.counter() != nil {
		return nil
	}
	c := &counter{api: t.cloud, zone: t.room.ZoneID, ledger: t.opts.Ledger}
	defer func() {
		if id, set := c.id(); err != nil && set {
			err = errors.Join(err, harness.DropMock(context.WithoutCancel(ctx), t.cloud, c.ledger, id))
		}
	}()
	if err := c.begin(ctx, t.watch); err != nil {
		return err
	}
	t.watch.mu.Lock()
	t.watch.count = c
	t.watch.mu.Unlock()
	if !t.counted {
		t.counted = true
		t.undo = append(t.undo, undo{"taking back the push counter", t.dropCount})
	}
	return nil
}

// begin sets the mock anew and counts from there.
func (c *counter) begin(ctx context.Context, w *watcher) error {
	for range countTries {
		if err := c.set(ctx); err != nil {
			return err
		}
		w.poll(ctx)
		logged := w.logged()
		used, err := c.used(ctx)
		if err != nil && !errors.Is(err, errTakenAway) {
			return err
		}
		if err == nil && used == 0 {
			w.mu.Lock()
			c.base, c.uncounted = logged, 0
			w.mu.Unlock()
			return nil
		}
	}
	return errors.New("pushes come so fast that counting cannot begin: is another run at work in this zone?")
}

// dropCount removes the counter's mock.
func (t *Target) dropCount(ctx context.Context) error {
	c := t.watch.counter()
	if c == nil {
		return nil
	}
	id, set := c.id()
	if !set {
		return nil
	}
	return t.gate.beside(ctx, func() error {
		if _, err := c.used(ctx); errors.Is(err, errTakenAway) {
			return harness.ForgetMock(c.ledger, id)
		}
		return harness.DropMock(ctx, t.cloud, c.ledger, id)
	})
}

// countOff stops comparing: a scenario sets a fault of the simulator in the counter's place.
func (t *Target) countOff() {
	if t.watch != nil {
		t.watch.mu.Lock()
		t.watch.count = nil
		t.watch.mu.Unlock()
	}
}

// countOn begins to count anew.
func (t *Target) countOn(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.startCount(ctx)
}

// countTries is how often counting is begun anew when a push comes in between.
const countTries = 20

func (c *counter) set(ctx context.Context) error {
	mock, err := harness.SetMock(ctx, c.api, c.ledger, c.zone, mgmtlog.PushWord, "wait:0", countFrom)
	if mock != nil {
		c.mu.Lock()
		before := c.mock
		c.mock = mock
		c.mu.Unlock()
		if before != nil && before.ID != mock.ID { // it was taken away
			err = errors.Join(err, harness.ForgetMock(c.ledger, before.ID))
		}
	}
	if err != nil {
		return fmt.Errorf("beginning to count pushes: %w", err)
	}
	return nil
}

// id is the mock's; set is false before there is one.
func (c *counter) id() (id int64, set bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mock == nil {
		return 0, false
	}
	return c.mock.ID, true
}

// used is how many pushes were counted since the beginning.
func (c *counter) used(ctx context.Context) (int, error) {
	id, _ := c.id()
	m, err := c.api.QuerySimulatorMock(ctx, id)
	// Rights and throttling are refused with codes of their own.
	if e, refused := errors.AsType[*cloud.Error](err); refused && e.Code == cloud.CodeInternal {
		return 0, fmt.Errorf("%w: %w", errTakenAway, err)
	}
	if err != nil {
		return 0, fmt.Errorf("counting pushes: %w", err)
	}
	return countFrom - m.Count, nil
}
