package existing

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/clock"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/harness/existing/mgmtlog"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/internal/selfsigned"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// watcher reads pushes from the management log, hands them to the shadow routers, and makes sure that whoever looks
// sees all that was sent before (harness.Pushes, harness.Routers).
type watcher struct {
	source mgmtlog.Source
	fleet  *fleet.Fleet // nil when routers are not stood in for
	rules  string
	count  *counter // nil where the zone is not simulated

	counting sync.Mutex // held while counting is begun anew

	mu       sync.Mutex
	inbox    *mgmtlog.Inbox
	recent   mgmtlog.Recent
	pushes   map[string][]router.Push
	refused  map[string]error // what could not be applied, by router
	patience time.Duration    // how long log and counter may disagree
	failed   error            // the log cannot be read
	lost     int
	past     past
	standIn  selfsigned.Pair // in the place of all certificates

	ended sync.WaitGroup
}

// pollEvery is how often the log is read when nobody asks.
const pollEvery = 500 * time.Millisecond

// openWatch starts to follow the log and, for simulated zones, stands routers in.
func (t *Target) openWatch(ctx context.Context) error {
	if len(t.config.Log.File) == 0 && len(t.config.Log.Command) == 0 {
		const remedy = "give log: a file, a glob, or a command such as ssh mgmt tail -n +1 -F " +
			"/var/log/cloudstack/management/management-server.log"
		for _, c := range []harness.Capability{harness.PushLog, harness.RouterFiles, harness.DataPlane} {
			if c != harness.PushLog && t.config.Router.Mode == "command" {
				continue // real routers are seen without a log
			}
			t.found(finding.Lacks(c, remedy, "no management log is given"))
		}
		return nil
	}
	w := &watcher{inbox: mgmtlog.NewInbox(), pushes: map[string][]router.Push{}, refused: map[string]error{},
		patience: settleTime}
	if err := t.openSource(w); err != nil {
		return err
	}
	t.onClose("closing the log", func(context.Context) error { return w.source.Close() })
	if err := t.openShadow(w); err != nil {
		return err
	}
	if err := w.catchUp(ctx); err != nil {
		return err
	}
	t.watch = w
	t.found(w.tryLog())
	background, stop := context.WithCancel(context.Background())
	w.ended.Add(1)
	go w.follow(background)
	// Registered last: nobody may hand pushes to routers that are ending.
	t.onClose("stopping to follow the log", func(context.Context) error { stop(); w.ended.Wait(); return nil })
	return nil
}

func (t *Target) openSource(w *watcher) error {
	if len(t.config.Log.Command) > 0 {
		w.source = mgmtlog.StartCommand(t.config.Log.Command, t.config.Log.Settle)
		return nil
	}
	f, err := mgmtlog.NewFiles(t.config.Log.File)
	if err != nil {
		return err
	}
	paths, err := f.Paths()
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("log %s: there is no such file: give the path of management-server.log as this machine "+
			"sees it, or a command (ssh mgmt tail -n +1 -F ...)", f.Describe())
	}
	w.source = f
	return nil
}

// openShadow prepares the routers; what it needs and does not find makes the data plane missing.
func (t *Target) openShadow(w *watcher) error {
	mode := t.config.Router.Mode
	switch {
	case mode == "none":
		for _, c := range []harness.Capability{harness.RouterFiles, harness.DataPlane} {
			t.found(finding.Lacks(c, "set router: shadow", "routers are not looked at (router: none)"))
		}
		return nil
	case mode == "command":
		return nil
	case mode == config.RealScripts && t.opts.Scripts == nil:
		return errors.New("router: no scripts were opened for mode " + config.RealScripts)
	}
	w.rules = t.release
	if t.config.RouterProfile != "" {
		w.rules = t.config.RouterProfile
	}
	rules, err := router.RulesFor(w.rules)
	if err != nil {
		return fmt.Errorf("router rules: %w: give --router-profile", err)
	}
	_, noHAProxy := router.FindHAProxy("")
	if err := errors.Join(noHAProxy, network.Check()); err != nil {
		t.found(finding.Lacks(harness.RouterFiles, "", "no shadow routers: %v", err))
		t.found(finding.Lacks(harness.DataPlane, "", "no shadow routers: %v", err))
		return nil
	}
	dir, err := os.MkdirTemp(t.opts.TempDir, fmt.Sprintf("stackproof-lab-%d-", os.Getpid()))
	if err != nil {
		return fmt.Errorf("making the shadow routers' folder: %w", err)
	}
	t.onClose("removing the shadow routers' folder", func(context.Context) error { return os.RemoveAll(dir) })
	w.past.rules = rules
	w.fleet = fleet.New(dir, rules, nil)
	t.onClose("ending the shadow routers", func(context.Context) error { return w.fleet.Close() })
	if err := w.fleet.Run(t.opts.Scripts, fleet.Ignored); err != nil {
		return err
	}
	whose := "rules of " + w.rules
	if t.opts.Scripts != nil {
		whose = t.opts.Scripts.String()
	}
	t.found(finding.Works(harness.RouterFiles, "shadow routers, %s", whose))
	t.found(finding.Works(harness.DataPlane, "clients, HAProxy and backends in namespaces of this machine"))
	return nil
}

// catchUp reads what the log holds already and takes, of each router, the pushes that can still show.
func (w *watcher) catchUp(ctx context.Context) error {
	if c, is := w.source.(*mgmtlog.Command); is {
		if err := c.Quiet(ctx); err != nil {
			return err
		}
		if err := c.Health(); err != nil && w.inbox.Lines == 0 {
			if !c.Printed() {
				return err
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.source.Poll(w.read); err != nil {
		return err
	}
	// What was damaged before we came is no concern of ours.
	w.inbox.Damaged = nil
	first := mgmtlog.Newest
	if w.fleet != nil {
		first = w.past.first
	}
	w.deliver(ctx, w.inbox.Take(first))
	w.past.routers = len(w.pushes)
	return nil
}

// tryLog says what the log showed so far.
func (w *watcher) tryLog() finding.Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	const level = "set the logger com.cloud.agent.transport.Request to DEBUG in log4j-cloud.xml (log4j2 from 4.20 " +
		"on) and wait a minute"
	switch {
	case w.inbox.Silent > 0 && w.inbox.Total == 0:
		return finding.Fails(harness.PushLog, level, "%s names pushes without their content (%d)", w.source.Describe(),
			w.inbox.Silent)
	case w.inbox.Total == 0 && w.inbox.Lines > 0:
		return finding.Works(harness.PushLog, "%s is read (%d lines), no push in it yet; if none comes: %s",
			w.source.Describe(), w.inbox.Lines, level)
	case w.inbox.Total == 0:
		return finding.Works(harness.PushLog, "%s is read, it is empty so far", w.source.Describe())
	}
	return finding.Works(harness.PushLog, "%s shows %d pushes to %d routers", w.source.Describe(), w.inbox.Total,
		len(w.pushes))
}

// follow keeps the routers up to date while nobody looks.
func (w *watcher) follow(ctx context.Context) {
	defer w.ended.Done()
	for clock.Wait(ctx, pollEvery) == nil {
		w.poll(ctx)
	}
}

func (w *watcher) poll(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = w.source.Poll(w.read)
	if f, is := w.source.(*mgmtlog.Files); is {
		w.lost = f.Lost
	}
	w.deliver(ctx, w.inbox.Take(nil))
}

// read takes a line of the log; the lock is held.
func (w *watcher) read(line string) {
	w.recent.Add(line)
	w.inbox.Add(line)
}

// Mark implements harness.ServerLog.
func (w *watcher) Mark() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.recent.Seen()
}

// Since implements harness.ServerLog. A log that cannot be read now shows what was read before.
func (w *watcher) Since(ctx context.Context, mark int) []string {
	w.poll(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.recent.Since(mark)
}

// withoutKeys puts another certificate in the place of each one, since a log holds the private keys of all customers:
// none of them is kept or written to a disk. Shadow routers end TLS with what nobody has.
func (w *watcher) withoutKeys(p *router.Push) error {
	for i := range p.LoadBalancers {
		c := p.LoadBalancers[i].Certificate
		if c == nil {
			continue
		}
		if w.standIn.Key == "" {
			var err error
			if w.standIn, err = selfsigned.Make("shadow.invalid", time.Now()); err != nil {
				return fmt.Errorf("making a certificate for shadow routers: %w", err)
			}
		}
		c.Cert, c.Key, c.Chain = w.standIn.Cert, w.standIn.Key, ""
	}
	return nil
}

// deliver hands pushes to their routers; the lock is held.
func (w *watcher) deliver(ctx context.Context, pushes []router.Push) {
	for _, p := range pushes {
		name := p.Router()
		if err := w.withoutKeys(&p); err != nil {
			w.refused[name] = err
			continue
		}
		w.pushes[name] = append(w.pushes[name], p)
		if w.fleet == nil {
			continue
		}
		var rejected *router.RejectedError
		if err := w.fleet.Push(ctx, name, p); err != nil && !errors.As(err, &rejected) {
			w.refused[name] = fmt.Errorf("applying push %s-%s: %w", p.Log.Agent, p.Log.Seq, err)
		}
	}
}

// settleTime bounds the wait for log and counter to agree, but not before they were compared settleLooks times: where
// each answer takes seconds, a few looks take longer.
const (
	settleTime  = 30 * time.Second
	settleLooks = 5
)

// settled returns when everything that was sent before the call has been read and applied. Where the simulator counts
// pushes too, both must agree.
func (w *watcher) settled(ctx context.Context) error {
	if c, is := w.source.(*mgmtlog.Command); is {
		// Where pushes are counted the count says when all was printed; else nothing does but silence.
		if w.counter() == nil {
			if err := c.Quiet(ctx); err != nil {
				return err
			}
		}
		if err := c.Health(); err != nil {
			return err
		}
	}
	began := time.Now()
	looks := 0
	for step := clock.FirstLook; ; step = min(2*step, clock.LastLook) {
		agree, seen, err := w.compare(ctx)
		if errors.Is(err, errTakenAway) {
			seen, err = err.Error(), w.recount(ctx)
		}
		if err != nil || agree {
			return err
		}
		if looks++; looks >= settleLooks && time.Since(began) > w.patience {
			return fmt.Errorf("log and simulator do not agree within %s: %s", time.Since(began).Round(time.Second),
				seen)
		}
		if err := clock.Wait(ctx, step); err != nil {
			return err
		}
	}
}

// recount begins to count anew after the counter was taken away, once for all that wait.
func (w *watcher) recount(ctx context.Context) error {
	w.counting.Lock()
	defer w.counting.Unlock()
	c := w.counter()
	if c == nil {
		return nil
	}
	if _, err := c.used(ctx); !errors.Is(err, errTakenAway) {
		return err
	}
	return c.begin(ctx, w)
}

// compare reads the counter before and after the log: what the log shows must lie between. What comes to the log while
// the second answer is on its way is not looked at: on a slow server that is much, and none of it is in the count.
func (w *watcher) compare(ctx context.Context) (agree bool, seen string, err error) {
	var before, after int
	count := w.counter()
	if count != nil {
		if before, err = count.used(ctx); err != nil {
			return false, "", err
		}
	}
	w.poll(ctx)
	logged := w.logged()
	if count != nil {
		if after, err = count.used(ctx); err != nil {
			return false, "", err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.failed != nil:
		return false, "", w.failed
	case len(w.inbox.Damaged) > 0:
		return false, "", fmt.Errorf("the log lost a push: %s", w.inbox.Damaged[len(w.inbox.Damaged)-1])
	case w.lost > 0:
		return false, "", fmt.Errorf("the log lost %d pushes when it was cut", w.lost)
	case count == nil:
		return true, "", nil
	}
	seen = fmt.Sprintf("the log shows %d pushes, the simulator counted %d", logged-count.base, after)
	return count.agrees(logged, before, after, time.Now()), seen, nil
}

// logged is how many pushes the log has shown so far.
func (w *watcher) logged() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.inbox.Total
}

func (w *watcher) counter() *counter {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// Of implements harness.Pushes.
func (w *watcher) Of(ctx context.Context, name string) ([]router.Push, error) {
	if err := w.settled(ctx); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]router.Push(nil), w.pushes[name]...), w.refused[name]
}

func (w *watcher) describe() string {
	if w.fleet == nil {
		return "none"
	}
	return "model, rules of " + w.rules + " (shadow)"
}

// shadows are the fleet's routers, looked at when all pushes have arrived (harness.Routers).
type shadows struct{ *watcher }

func (s shadows) ready(ctx context.Context, name string) error {
	if err := s.settled(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[name]
}

// Files implements harness.Routers.
func (s shadows) Files(ctx context.Context, name string) (router.Files, error) {
	if err := s.ready(ctx, name); err != nil {
		return router.Files{}, err
	}
	return s.fleet.Files(ctx, name)
}

// Rendered implements harness.Routers.
func (s shadows) Rendered(ctx context.Context, name string) (router.Rendered, error) {
	if err := s.ready(ctx, name); err != nil {
		return router.Rendered{}, err
	}
	return s.fleet.Rendered(ctx, name)
}

// Probe implements harness.Routers.
func (s shadows) Probe(ctx context.Context, name string, c dataplane.Config) (dataplane.Observation, error) {
	if err := s.ready(ctx, name); err != nil {
		return dataplane.Observation{}, err
	}
	return s.fleet.Probe(ctx, name, c)
}

// Clients implements harness.Routers.
func (s shadows) Clients() []netip.Addr { return s.fleet.Clients() }
