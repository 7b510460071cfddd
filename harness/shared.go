package harness

import (
	"context"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Gate keeps the scenarios of a shared site apart for the moments in which one of them makes the site fail. Every verb is
// inside the gate while it works; waiting for a usage run is not work.
type Gate interface {
	// Enter waits while another scenario has the site for itself.
	Enter(ctx context.Context) error
	// Leave ends what Enter began.
	Leave()
	// Alone waits until no other scenario works, and keeps them waiting.
	Alone(ctx context.Context) error
	// Together ends what Alone began; without that it does nothing.
	Together(ctx context.Context) error
}

// enter is called when a verb begins.
func (t *T) enter() {
	if t.site == nil || t.site.Gate == nil {
		return
	}
	t.must(t.site.Gate.Enter(t.ctx), "waiting for another scenario that has the site for itself")
}

// exit is called when a verb ends.
func (t *T) exit() {
	if t.site != nil && t.site.Gate != nil {
		t.site.Gate.Leave()
	}
}

// sharesRuns says whether usage runs are slow and serve several scenarios.
func (t *T) sharesRuns() bool {
	s, ok := t.site.Usage.(SharedRuns)
	return ok && s.Shared()
}

// PassHalfWindow lets half a usage window pass, so that what comes next falls inside one. Where runs are shared they come
// at any time: there it is enough to be away from the minute's ends, at which windows end (UsageManagerImpl.java@4.20.0.0).
func (t *T) PassHalfWindow() {
	half := t.site.Usage.Window() / 2
	if t.sharesRuns() {
		half = inside(t.now())
	}
	t.must(t.site.Clock.Pass(t.ctx, half), "letting half a window pass")
}

// How far from a minute's ends a call is well inside a window, and its event too, which comes later.
const (
	afterEnd  = 5 * time.Second
	beforeEnd = 15 * time.Second
)

// inside is how long to wait until the middle of a minute.
func inside(now time.Time) time.Duration {
	at := now.Sub(now.Truncate(time.Minute))
	switch {
	case at < afterEnd:
		return afterEnd - at
	case at > time.Minute-beforeEnd:
		return time.Minute - at + afterEnd
	}
	return 0
}

// DrainThrough waits for a usage run that covers the present, and for count whole windows after it. Where runs are shared
// and take a minute each, one run covers all of it.
func (t *T) DrainThrough(count int) {
	if t.sharesRuns() {
		defer t.step("usage run over %d windows more", count)()
		until := t.now().Add(time.Duration(count) * t.site.Usage.Window())
		t.must(t.site.Usage.Cover(t.ctx, until), "waiting for a usage run that covers %s", stamp(until))
		t.look(until)
		return
	}
	t.Drain()
	t.Drains(count)
}

// inside does something of the scenario's clean-up inside the gate.
func (t *T) inside(ctx context.Context, do func(context.Context) error) error {
	if t.site == nil || t.site.Gate == nil {
		return do(ctx)
	}
	if err := t.site.Gate.Enter(ctx); err != nil {
		return err
	}
	defer t.site.Gate.Leave()
	return do(ctx)
}

// alone does something that others must not mix with, such as setting ids apart: on a shared site they wait meanwhile.
func (t *T) alone(do func()) {
	if t.site.Gate == nil {
		do()
		return
	}
	t.must(t.site.Gate.Alone(t.ctx), "waiting until no other scenario works")
	defer func() {
		t.must(t.site.Gate.Together(context.WithoutCancel(t.ctx)), "letting other scenarios work again")
	}()
	do()
}

// ahead is how far the next rule's id will be ahead of its helper id, when nobody else makes rules meanwhile. The event
// opens the helper row, the table holds it. Rules are really deleted and helper rows stay, so where rules came and went it is the
// ids given out that count and not those in use.
func (t *T) ahead(event, table string) int {
	var pending int
	t.scan(&pending, "SELECT COUNT(*) FROM cloud.usage_event WHERE type = ? AND id > (SELECT COALESCE(MAX(id), 0) FROM cloud_usage.usage_event)", event)
	return int(t.lastID("cloud", "firewall_rules")-t.lastID("cloud_usage", table)) - pending
}

// lastID is the last id that a table has given out.
func (t *T) lastID(schema, table string) int64 {
	id, err := usageprobe.LastID(t.ctx, t.site.DB, schema, table)
	t.must(err, "reading ids")
	return id
}

// consistent says whether a snapshot was not taken in the middle of a usage run: a run writes its records before it closes
// its job (UsageManagerImpl.java@4.20.0.0).
func consistent(s usageprobe.Snapshot) bool {
	for _, r := range s.Records {
		if r.End.After(s.Cutoff.Add(time.Second)) {
			return false
		}
	}
	return true
}

// Times within which a usage run that is under way must end.
const (
	runEnds   = 3 * time.Minute
	runLooked = time.Second
)

// snapshot reads the rows of accounts; on a shared site, where runs come unasked, not those of half a run.
func (t *T) snapshot(ids ...int64) usageprobe.Snapshot {
	began := t.now()
	for {
		s, err := usageprobe.New(t.site.DB).Snapshot(t.ctx, ids...)
		t.must(err, "reading usage rows")
		if !t.sharesRuns() || consistent(s) {
			return s
		}
		if t.now().Sub(began) > runEnds {
			t.Inconclusive("for %s there have been usage records later than %s, the end of the newest successful usage job: a run that does not end, or failed half way",
				runEnds, stamp(s.Cutoff))
		}
		t.must(t.site.Clock.Pass(t.ctx, runLooked), "waiting for the end of a usage run")
	}
}
