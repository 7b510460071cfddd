// Package lab is the embedded target: a zone (package zone) on a private database, with a real HAProxy per virtual
// router in namespaces of its own. Each scenario gets a pristine zone, so that ids, rows and routers are its own and
// the virtual clock can jump. Nothing outlives Close.
//
// Before changing it know that a site must be closed before its database is handed to the next one: Site.Close does
// that.
package lab

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// Options say which lab to open.
type Options struct {
	Release string
	Knobs   release.Knobs // default: the release's profile
	// Workers bounds the zones, and databases, that are open at once; at least 1.
	Workers int
	// Dir is where folders are made; default the system's temporary folder.
	Dir string
	// Groups overrides the sizes of L-04.
	Groups []int
	// Pool lends the databases; nil is a pool of the target's own. A pool may serve several targets, one after another
	// or at once, as long as their releases have the same tables (all of 4.19, all of 4.20).
	Pool *Pool
	// Databases starts the databases of the target's own pool; nil starts private processes.
	Databases Starter
	// Scripts run on the routers in place of the model; nil is the model.
	Scripts *fleet.Scripts
	// Log gets what the zones log; nil for nobody.
	Log *slog.Logger
	// Start is the zones' time when they open; the zero value is Epoch.
	Start time.Time
}

// Target is the lab.
type Target struct {
	opts  Options
	rules router.Rules
	slots chan struct{}
	pool  *Pool
}

// New checks the options. Close must be called.
func New(opts Options) (*Target, error) {
	profile, err := release.ProfileKnobs(opts.Release)
	if err != nil {
		return nil, err
	}
	if opts.Knobs == nil {
		opts.Knobs = profile
	}
	rules := router.RulesOf(opts.Knobs)
	rules.Slips = mutations{opts.Knobs}.slips()
	if opts.Scripts != nil && (mutations{opts.Knobs}).Router() != (router.Faults{}) {
		return nil, errors.New("faults of the model of a router cannot be planted in real scripts: leave out " +
			(mutations{opts.Knobs}).ofModel())
	}
	pool := opts.Pool
	if pool == nil {
		pool = NewPool(opts.Dir)
		if opts.Databases != nil {
			pool = NewPoolOf(opts.Databases)
		}
	}
	if opts.Start.IsZero() {
		opts.Start = Epoch()
	}
	return &Target{opts: opts, rules: rules, slots: make(chan struct{}, max(1, opts.Workers)), pool: pool}, nil
}

// Describe names the lab.
func (t *Target) Describe() harness.Description {
	d := harness.Description{Name: "lab", Release: t.opts.Release, Router: "model, rules of " + t.opts.Release,
		Groups: t.opts.Groups, Knobs: t.opts.Knobs}
	if s := t.opts.Scripts; s != nil {
		d.Router, d.RouterCode = s.String(), cmp.Or(s.Release(), harness.UnknownRelease)
	}
	d.Router += mutations{t.opts.Knobs}.planted()
	return d
}

// Site opens a pristine zone.
func (t *Target) Site(ctx context.Context, scenario string, seed int64) (_ *harness.Site, err error) {
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	var undo []func(context.Context) error
	closeAll := func(ctx context.Context) error {
		var errs []error
		for i := len(undo) - 1; i >= 0; i-- {
			errs = append(errs, undo[i](ctx))
		}
		return errors.Join(errs...)
	}
	undo = append(undo, func(context.Context) error { <-t.slots; return nil })
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(context.WithoutCancel(ctx)))
		}
	}()
	server, err := t.pool.take(ctx, t.opts.Release)
	if err != nil {
		return nil, err
	}
	undo = append(undo, func(context.Context) error { t.pool.put(server); return nil })
	dir, err := os.MkdirTemp(t.opts.Dir, folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("making the routers' folder: %w", err)
	}
	undo = append(undo, func(context.Context) error { return os.RemoveAll(dir) })
	routers := fleet.New(dir, t.rules, mutations{t.opts.Knobs})
	undo = append(undo, func(context.Context) error { return routers.Close() })
	if err := routers.Run(t.opts.Scripts, fleet.Awaited); err != nil {
		return nil, err
	}
	manual := zone.NewManual(t.opts.Start)
	z, err := zone.Open(ctx, zone.Options{Release: t.opts.Release, Knobs: t.opts.Knobs, DB: server, Clock: manual,
		Pushes: t.receiver(routers), Seed: seed, Log: t.opts.Log})
	if err != nil {
		return nil, fmt.Errorf("opening a zone for %s: %w", scenario, err)
	}
	undo = append(undo, z.Close)
	routers.Serve(z.Served)
	return t.site(ctx, clock{z, manual}, server, routers, &undo, closeAll)
}

func (t *Target) site(ctx context.Context, now clock, server *database.Server, routers *fleet.Fleet,
	undo *[]func(context.Context) error,
	closeAll func(context.Context) error) (*harness.Site, error) {
	z := now.z
	calls := &harness.Calls{}
	admin, err := cloud.New(cloud.Options{URL: z.APIURL(), APIKey: z.APIKey(), SecretKey: z.SecretKey(), Eager: true,
		Trace: calls})
	if err != nil {
		return nil, err
	}
	*undo = append(*undo, admin.Close)
	db, err := server.OpenReadOnly(ctx)
	if err != nil {
		return nil, err
	}
	*undo = append(*undo, func(context.Context) error { return db.Close() })
	s := &harness.Site{Description: t.Describe(), Cloud: admin, DB: db, Usage: usageRuns{now, db}, Clock: now,
		Pushes: routers, Routers: routers, Journal: routers, Calls: calls,
		SkewBudget: skewBudget, Disposable: true, Tamper: tamper{z, t.opts.Release, t.opts.Knobs},
		Checks: harness.ChecksOfModel}
	if t.opts.Scripts != nil {
		s.Checks = harness.ChecksNotRun
	}
	s.OnUsed(func(ctx context.Context) (map[harness.Capability]bool, error) { return used(ctx, db, routers) })
	s.OnClose(closeAll)
	return s, nil
}

// used says what a scenario has used: usage by its jobs, whoever asked for them, and routers by looks at them.
func used(ctx context.Context, db *sql.DB, routers *fleet.Fleet) (map[harness.Capability]bool, error) {
	var jobs int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM cloud_usage.usage_job WHERE end_millis <> 0").Scan(
		&jobs); err != nil {
		return nil, fmt.Errorf("counting usage jobs: %w", err)
	}
	return map[harness.Capability]bool{harness.UsageRun: jobs > 0, harness.RouterFiles: routers.Looks() > 0}, nil
}

// skewBudget is generous: harmless rules cost the lab a millisecond each.
const skewBudget = 1000

// Ready makes sure that a site can be opened as far as programs and folders go.
func (t *Target) Ready(ctx context.Context) error { return t.pool.Ready(ctx, t.opts.Release) }

// Close ends what the target started itself. Sites must be closed before.
func (t *Target) Close(context.Context) error {
	if t.opts.Pool != nil {
		return nil
	}
	return t.pool.Close()
}

// folderPrefix marks the lab's folders; the owner's process id follows.
var folderPrefix = fmt.Sprintf("stackproof-lab-%d-", os.Getpid())
