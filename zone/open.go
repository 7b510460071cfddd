package zone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/database"
)

// Open starts a pristine zone of a release: its database emptied, the API listening.
func Open(ctx context.Context, opts Options) (_ *Zone, err error) {
	z, err := newZone(opts)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, z.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := z.openDatabase(ctx); err != nil {
		return nil, err
	}
	z.mu.Lock()
	err = z.pristine(ctx)
	z.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("preparing a pristine zone: %w", err)
	}
	if err := z.startHeartbeat(ctx); err != nil {
		return nil, err
	}
	if err := z.StartUsage(ctx, FirstUsageHost, UsageSettings{}); err != nil {
		return nil, err
	}
	if _, manual := z.clock.(*Manual); !manual {
		z.working.Add(1)
		go z.follow()
	}
	z.http, err = api.Listen(api.Options{
		Listen: opts.Listen, ListenIntegration: opts.ListenIntegration, Backend: z, Log: z.log,
		SessionKeyEither: z.knobs[release.SessionKeyEither], Date: z.dateHeader(), Lost: z.load.lost,
	})
	if err != nil {
		return z, err
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	return z, z.tellEndpoint(ctx, z.APIURL())
}

// newZone fills in the options' defaults.
func newZone(opts Options) (*Zone, error) {
	profile, err := release.ProfileKnobs(opts.Release)
	if err != nil {
		return nil, err
	}
	if opts.Knobs == nil {
		opts.Knobs = profile
	}
	if opts.DB == nil {
		return nil, errors.New("a zone needs a database server")
	}
	if opts.Clock == nil {
		opts.Clock = Wall{}
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.ManagementLog == nil {
		opts.ManagementLog = io.Discard
	}
	z := &Zone{
		opts: opts, version: opts.Release, seed: opts.Seed, bare: opts.Bare, startSettings: opts.Settings, pushes: opts.Pushes, managementLog: opts.ManagementLog, knobs: maps.Clone(opts.Knobs), clock: opts.Clock, log: opts.Log, rand: newRand(opts.Seed),
		planned: make(chan struct{}, 1), jobs: map[string]*job{}, tails: map[string]chan struct{}{},
		ids: map[string]int64{}, limits: map[limitKey]int64{},
	}
	z.load = newLoaded(opts.Load, opts.Clock)
	z.background, z.stop = context.WithCancel(context.Background())
	z.idle = sync.NewCond(&z.mu)
	z.finders = map[string]func(string) bool{"job": func(u string) bool { return z.jobByUUID(u) != nil }}
	for _, room := range []map[string]func(string) bool{
		z.tenancyFinders(), z.netFinders(), z.computeFinders(), z.firewallFinders(), z.lbFinders(), z.autoscaleFinders(),
	} {
		maps.Copy(z.finders, room)
	}
	z.connect()
	return z, z.register(z.commands())
}

// dateHeader is the time in the header of that name where the zone's time is not the computer's, so that a client can follow it.
// On the wall clock the API has none, as a packaged management server's has none (ServerDaemon.java@4.20.0.0).
func (z *Zone) dateHeader() func() time.Time {
	if _, wall := z.clock.(Wall); wall {
		return nil
	}
	return z.clock.Now
}

func (z *Zone) openDatabase(ctx context.Context) error {
	if have := z.opts.DB.Release(); !database.SameTables(have, z.opts.Release) {
		return fmt.Errorf("the database server has the tables of %s, those of release %s differ", have, z.opts.Release)
	}
	if err := z.opts.DB.Reset(ctx); err != nil {
		return fmt.Errorf("emptying the databases: %w", err)
	}
	db, err := z.opts.DB.Open(ctx)
	if err != nil {
		return err
	}
	z.store, err = newStore(db, z.opts.DB.Release())
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// Close stops the API, lets queued jobs end, and stops everything that works in the background.
func (z *Zone) Close(ctx context.Context) error {
	var errs []error
	z.load.end()
	if z.http != nil {
		errs = append(errs, z.http.Close(ctx))
	}
	z.mu.Lock()
	z.closing = true
	z.mu.Unlock()
	errs = append(errs, z.Jobs(ctx))
	z.stop()
	if err := z.wait(ctx); err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, p := range z.usages {
		errs = append(errs, p.server.Stop(ctx, true))
	}
	if z.store != nil {
		errs = append(errs, z.dropRemoved(ctx), z.store.db.Close())
	}
	return errors.Join(errs...)
}

func (z *Zone) wait(ctx context.Context) error {
	ended := make(chan struct{})
	go func() { z.working.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the zone's work to end: %w", ctx.Err())
	}
}

// APIURL is the address of the signed API, IntegrationURL that of the unauthenticated port.
func (z *Zone) APIURL() string         { return z.http.URL() }
func (z *Zone) IntegrationURL() string { return z.http.IntegrationURL() }

// APIKey and SecretKey belong to the root admin.
func (z *Zone) APIKey() string    { return z.admin.APIKey }
func (z *Zone) SecretKey() string { return z.admin.SecretKey }

// Knobs is a copy of what is switched on.
func (z *Zone) Knobs() release.Knobs { return maps.Clone(z.knobs) }

// RouterNames lists the routers that exist, oldest first.
func (z *Zone) RouterNames() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	names := make([]string, len(z.routers))
	for i, r := range z.routers {
		names[i] = r.Name
	}
	return names
}

// Now is the zone's time.
func (z *Zone) Now() time.Time { return z.now() }
