// Package existing is the target that somebody else built and runs: a management server with its usage server and two
// databases, on simulated or real hypervisors. It is reached through its API, a SELECT-only account, and the management
// server's log; where the zone has no real routers, each router of the log gets a shadow (package fleet).
//
// It is not a judge and keeps no objects: scenarios make and remove what they need. It never writes to a database.
//
// The one thing to know before changing it: all sites of a run share one usage server. A usage run takes up to two
// minutes there, so scenarios wait for it together (barrier); whoever keeps the others waiting must leave the barrier.
package existing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/clock"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/harness/existing/room"
	"github.com/stackproof/stackproof/harness/existing/usageruns"
	"github.com/stackproof/stackproof/harness/fleet"
)

// Options say which target to open.
type Options struct {
	Name   string
	Config config.Config
	// Ledger notes what a run creates; nil for none.
	Ledger harness.Ledger
	// Trace gets every call, with secrets removed.
	Trace io.Writer
	// Scripts run on the shadow routers in place of the model; nil is the model.
	Scripts *fleet.Scripts
	// TempDir is where the shadow routers' folders are made; default the system's.
	TempDir string
	// OpenRouters looks at real routers (router mode command); nil where that is not built in.
	OpenRouters func(ctx context.Context, o RouterAccess) (harness.Routers, finding.Finding, error)
}

// RouterAccess is what a reader of real routers needs.
type RouterAccess struct {
	Config config.Config
	Cloud  *cloud.Client
	Pushes harness.Pushes // nil without a log
	Rules  string         // release whose generator renders
}

// Target is an open target.
type Target struct {
	opts     Options
	config   config.Config
	cloud    *cloud.Client
	db       *sql.DB
	clock    clock.Clock
	apiClock *clock.API
	usage    *usageruns.Server
	release  string
	findings []finding.Finding
	notes    []string

	watch *watcher // pushes and routers; nil without a log
	// routers are real ones; nil where the zone has none or they are not reached.
	routers   harness.Routers
	room      room.Room
	simulated bool // the zone's hosts are the simulator's
	chosen    int  // scenarios of the run
	counted   bool // pushes are, or were, counted

	gate *gate
	// admission counts the scenarios that are under way.
	admission *admission
	accounts  harness.Turn // to make accounts
	barrier   *usageruns.Barrier
	ending    context.CancelFunc
	serving   sync.WaitGroup

	mu     sync.Mutex
	show   func(id, step string)
	needs  map[string][]harness.Capability
	domain string // uuid of the run's own domain
	// domainName is its name, by which it is removed.
	domainName string
	domained   bool
	dropped    bool // its removal was tried
	undo       []undo
}

type undo struct {
	what string
	do   func(context.Context) error
}

// Open connects and tries every capability. It changes nothing on the target. The error is one line with what to do; a
// capability that is not there is no error but a Finding.
func Open(ctx context.Context, o Options) (_ *Target, err error) {
	t := &Target{opts: o, config: o.Config, gate: newGate(), admission: newAdmission(),
		accounts: harness.NewTurn(), show: func(string, string) {}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("target %s: %w", o.Name, err), t.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := t.config.Check(); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{t.openAPI, t.openDatabase, t.openClock, t.openRelease,
		t.openUsage, t.tryCount, t.room.Measure, t.openWatch, t.openRouters} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Target) onClose(what string, do func(context.Context) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.undo = append(t.undo, undo{what, do})
}

func (t *Target) found(f finding.Finding) { t.findings = append(t.findings, f) }

// openAPI makes sure that the API answers and that we are its root administrator.
func (t *Target) openAPI(ctx context.Context) error {
	o, err := t.config.Options()
	if err != nil {
		return err
	}
	o.Trace = t.opts.Trace
	if o.Integration && o.UserURL == "" {
		if o.UserURL, err = userURL(ctx, o); err != nil {
			return err
		}
	}
	t.cloud, err = cloud.New(o)
	if err != nil {
		return err
	}
	t.room = room.Room{Cloud: t.cloud, Config: t.config}
	t.onClose("closing the API client", t.cloud.Close)
	t.apiClock, err = clock.NewAPI(o, t.cloud.URL())
	if err != nil {
		return err
	}
	t.onClose("closing the clock's client", func(context.Context) error { t.apiClock.Close(); return nil })
	err = t.cloud.Call(ctx, "listConfigurations", cloud.Params{"name": "usage.stats.job.aggregation.range"}, nil)
	switch {
	case cloud.IsUnauthorized(err), o.Username != "" && cloud.IsDenied(err):
		return fmt.Errorf("%s refuses the keys or the login: check them (%w)", t.cloud.URL(), err)
	case cloud.IsUnsupported(err):
		return fmt.Errorf("the keys are not those of a root administrator, who is needed to make accounts: %w", err)
	case cloud.IsUntrusted(err):
		return fmt.Errorf("the API's certificate is not trusted: give the authority's file as api.ca, or set "+
			"api.insecure: %w", err)
	case err != nil:
		return fmt.Errorf("the API does not answer: check the URL, and that the management server is up: %w", err)
	}
	t.found(finding.Works(harness.API, "%s answers a root administrator", t.cloud.URL()))
	return nil
}

func (t *Target) openDatabase(ctx context.Context) error {
	if len(t.config.DSN) == 0 {
		t.found(finding.Lacks(harness.UsageDB, "give a dsn with SELECT on cloud and cloud_usage",
			"no database is given"))
		return nil
	}
	db, err := openDatabase(ctx, t.config.DSN)
	if err != nil {
		return err
	}
	t.onClose("closing the database", func(context.Context) error { return db.Close() })
	t.db = db
	f, err := tryRights(ctx, db)
	if err != nil {
		return err
	}
	t.found(f)
	return nil
}

// openClock chooses whose time counts. Usage events carry the management server's time, so the two must agree.
func (t *Target) openClock(ctx context.Context) error {
	t.clock = clock.Clock{Source: t.apiClock}
	if t.db != nil && t.config.Clock != "api" {
		t.clock = clock.Clock{Source: clock.Database{DB: t.db}}
	}
	_, err := t.clock.Now(ctx)
	t.clock.Source = clock.Steady(t.clock.Source)
	if errors.Is(err, clock.ErrNoDate) && t.db == nil && t.config.Clock == "" {
		t.clock = clock.Clock{Source: clock.Own{}}
		t.notes = append(t.notes, "neither the API nor a database tells the server's time: this machine's is taken, "+
			"set both by NTP")
		return nil
	}
	return err
}

// openRelease asks the API, then the database, then the configuration.
func (t *Target) openRelease(ctx context.Context) error {
	release, err := t.cloud.Release(ctx)
	var unknown *cloud.ReleaseUnknown
	source := "listCapabilities"
	if errors.As(err, &unknown) {
		release, err, source = "", nil, "cloud.version"
		if t.db != nil {
			err = t.db.QueryRowContext(ctx, "SELECT version FROM cloud.version ORDER BY id DESC LIMIT 1").Scan(&release)
		}
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("asking for the release: %w", err)
	}
	if release == "" {
		release, source = t.config.Release, "the configuration"
	}
	if release == "" {
		return errors.New("neither the API nor the database tells the release: give --release")
	}
	if t.config.Release != "" && t.config.Release != release {
		t.notes = append(t.notes, fmt.Sprintf("the server says release %s (%s), the configuration %s: the server's "+
			"is taken", release, source, t.config.Release))
	}
	t.release = release
	return nil
}

func (t *Target) openUsage(ctx context.Context) error {
	u := &usageruns.Server{DB: t.db, API: t.cloud, Clock: t.clock, OnDemand: t.config.Usage.Run != "schedule",
		Wait: t.config.Usage.Wait, Look: 250 * time.Millisecond}
	t.usage = u
	if t.db == nil {
		u.Domain = t.runDomain
		t.found(u.TryListed(ctx))
		if u.Wait == 0 {
			u.Wait = 5*time.Minute + 2*u.Window
		}
		return nil
	}
	if t.config.Clock != "api" {
		u.Check = func(ctx context.Context) error { return usageruns.SameTime(ctx, t.db) }
		if err := u.Check(ctx); err != nil {
			t.found(finding.Fails(harness.UsageRun, "", "%v", err))
			return nil
		}
	}
	t.found(u.TryUsage(ctx))
	if u.Wait == 0 {
		u.Wait = 5*time.Minute + 2*u.Window
	}
	return nil
}

// Planned implements harness.Planner: it starts the barrier with everybody who will use it.
func (t *Target) Planned(p harness.Plan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.show, t.chosen = p.Progress.Step, len(p.Scenarios)
	t.needs = map[string][]harness.Capability{}
	t.startBarrier()
	for _, s := range p.Scenarios {
		t.needs[s.ID] = s.Needs
		if p.Workers >= len(p.Scenarios) && slices.Contains(s.Needs, harness.UsageRun) {
			t.barrier.Join(s.ID)
		}
	}
}

// grace is how long a scenario at work may keep the others from a usage run: instances on real hosts take minutes.
const grace = 4 * time.Minute

func (t *Target) startBarrier() {
	if t.barrier != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.ending = cancel
	t.barrier = usageruns.NewBarrier(t.usage.Run, grace, func(id, text string) { t.show(id, text) })
	t.serving.Add(1)
	go func() {
		defer t.serving.Done()
		t.barrier.Serve(ctx)
	}()
}

// usageRuns are the usage runs that were waited for so far.
func (t *Target) usageRuns() []usageruns.Served {
	t.mu.Lock()
	b := t.barrier
	t.mu.Unlock()
	if b == nil {
		return nil
	}
	return b.Made()
}

// Site implements harness.Target. All sites are the same zone; scenarios keep apart by accounts of their own.
func (t *Target) Site(ctx context.Context, scenario string, _ int64) (*harness.Site, error) {
	t.mu.Lock()
	t.startBarrier()
	needs, planned := t.needs[scenario]
	t.mu.Unlock()
	s := &harness.Site{Description: t.Describe(), Cloud: t.cloud, DB: t.db, Clock: t.clock, Ledger: t.opts.Ledger,
		Missing: map[harness.Capability]string{}, Broken: map[harness.Capability]string{}, SkewBudget: t.budget(),
		KeepLimits: t.config.KeepLimits, Named: t.config.Named(), Accounts: t.accounts}
	for _, f := range t.findings {
		switch f.State {
		case finding.Missing:
			s.Missing[f.Capability] = f.String()
		case finding.Broken:
			s.Broken[f.Capability] = f.String()
		}
	}
	if f, _ := t.failures(); f != nil {
		s.Broken[harness.UsageRun] = f.Error()
	}
	leave := func() { t.barrier.Leave(scenario) }
	s.OnTold(leave)
	s.OnClose(func(context.Context) error { leave(); return nil })
	if !planned || slices.Contains(needs, harness.UsageRun) {
		t.barrier.Join(scenario)
	}
	p := &pass{gate: t.gate, together: t.countOn, parted: t.countOff}
	s.Gate = p
	s.Usage = siteRuns{t.usage, t.barrier, p, scenario}
	if t.watch != nil {
		s.Pushes, s.Log = t.watch, t.watch
		if t.watch.fleet != nil {
			s.Routers = shadows{t.watch}
		}
	}
	if t.routers != nil {
		s.Routers = t.routers
	}
	s.Checks = t.checks()
	domain, err := t.begin(ctx)
	if err != nil {
		leave()
		return s, err
	}
	s.DomainID = domain
	return s, nil
}

// defaultBudget is how many harmless rules a run may make to set ids apart.
const defaultBudget = 200

func (t *Target) budget() int {
	if t.config.SkewBudget > 0 {
		return t.config.SkewBudget
	}
	return defaultBudget
}

// Close implements harness.Target.
func (t *Target) Close(ctx context.Context) error {
	if t.ending != nil {
		t.barrier.Close(errors.New("the target is closed"))
		t.ending()
		t.serving.Wait()
	}
	t.mu.Lock()
	all := t.undo
	t.undo = nil
	t.mu.Unlock()
	var errs []error
	for _, u := range slices.Backward(all) {
		if err := u.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", u.what, err))
		}
	}
	return errors.Join(errs...)
}
