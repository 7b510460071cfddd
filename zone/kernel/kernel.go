// Package kernel is what every room of the zone stands on: calls and commands, their validation and paging, jobs, event
// rows, the clock with what falls due on it, the lock, and the rows of the database.
//
// It knows no object of CloudStack: who calls and whose something is are interfaces (Caller, Owner). Before changing it
// know that one lock guards the memory of all rooms. It is held while a command works and released while a push is on
// its way.
package kernel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/database"
	"github.com/stackproof/stackproof/zone/store"
)

// obj is a JSON object of an answer; nil values are left out when it is written.
type obj = map[string]any

// Options of a kernel; all are needed but Seed.
type Options struct {
	Release string
	Knobs   release.Knobs
	Clock   Clock
	Log     *slog.Logger
	// Load is how busy the management server is; the zero value is quiet.
	Load Load
	// Seed makes uuids, secrets and MACs repeatable.
	Seed int64
}

// Kernel is embedded by every room's manager.
type Kernel struct {
	*Random
	catalogue
	profile
	Clock Clock
	Log   *slog.Logger
	// Events are the rows of cloud.event, oldest first, and System is who acts where nobody calls. Both are guarded by
	// the lock.
	Events []*Event
	System Caller

	server Server
	store  *store.Rows
	load   *loaded
	usage  WriteUsage

	// background outlives calls: jobs, tasks. Stop cancels it and waits for working.
	background context.Context
	cancelAll  context.CancelFunc
	working    sync.WaitGroup
	planned    chan struct{}
	advancing  sync.Mutex

	mu      sync.Mutex // guards all below; held while a command works, released while a push is on its way
	idle    *sync.Cond // signalled when a job ends
	jobs    map[string]*Job
	tails   map[string]chan struct{} // last job of each sync key
	running int
	closing bool
	tasks   []*Task
	taskSeq int64
	ids     map[string]int64 // sequences of tables that are not mirrored
	// keepRules: deleted rules keep their row, with a removal date.
	keepRules bool
}

// New returns a kernel without commands and without a database.
func New(o Options) *Kernel {
	k := &Kernel{
		Clock: o.Clock, Log: o.Log, profile: profile{o.Release, maps.Clone(o.Knobs)},
		load: newLoaded(o.Load, o.Clock), Random: newRandom(o.Seed),
		planned: make(chan struct{}, 1), jobs: map[string]*Job{}, tails: map[string]chan struct{}{},
		ids: map[string]int64{},
	}
	k.background, k.cancelAll = context.WithCancel(context.Background())
	k.usage = func(ctx context.Context, e UsageEvent) error { return insertUsage(ctx, k, e) }
	k.idle = sync.NewCond(&k.mu)
	k.catalogue.finders = map[string]func(string) bool{"job": func(u string) bool { return k.JobByUUID(u) != nil }}
	return k
}

// Server holds the zone's two databases.
type Server interface {
	Open(ctx context.Context) (*sql.DB, error)
	Migrate(ctx context.Context, tables []database.Table) error
	Columns() map[string][]string
}

// UseDatabase gives the kernel its databases, and these the tables of its release and knobs.
func (k *Kernel) UseDatabase(ctx context.Context, server Server) error {
	k.server = server
	if err := k.migrate(ctx); err != nil {
		return err
	}
	db, err := server.Open(ctx)
	if err != nil {
		return err
	}
	k.store = store.NewRows(db, server.Columns())
	return nil
}

func (k *Kernel) migrate(ctx context.Context) error {
	tables, err := database.TablesWith(k.version, k.knobs)
	if err != nil {
		return err
	}
	return k.server.Migrate(DBContext(ctx), tables)
}

// Start runs due tasks on a clock that goes by itself, until Stop.
func (k *Kernel) Start() {
	if _, manual := k.Clock.(*Manual); !manual {
		k.Go(func(context.Context) { follow(k) })
	}
}

// Go runs f in the background; its context ends with Stop, which waits for it.
func (k *Kernel) Go(f func(ctx context.Context)) {
	k.working.Go(func() { f(k.background) })
}

// Hurry ends everything that only takes time because the server is busy; nothing does after that.
func (k *Kernel) Hurry() { k.load.end() }

// Lost says whether the answer to a call that was carried out is lost.
func (k *Kernel) Lost(command string) bool { return k.load.lost(command) }

// Stop refuses new jobs, lets queued ones end, and stops what works in the background.
func (k *Kernel) Stop(ctx context.Context) error {
	k.Lock()
	k.closing = true
	k.Unlock()
	err := k.Jobs(ctx)
	k.cancelAll()
	ended := make(chan struct{})
	go func() { k.working.Wait(); close(ended) }()
	select {
	case <-ended:
		return err
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("waiting for the zone's work to end: %w", ctx.Err()))
	}
}

// Stopped says whether the background work was told to end.
func (k *Kernel) Stopped() bool { return k.background.Err() != nil }

// Switch makes the server one of another release, tables and all. The lock must be held.
func (k *Kernel) Switch(ctx context.Context, version string, knobs release.Knobs) error {
	k.version, k.knobs = version, maps.Clone(knobs)
	if err := k.migrate(ctx); err != nil {
		return err
	}
	k.store.Know(k.server.Columns())
	return nil
}

// Lock takes the zone's lock.
func (k *Kernel) Lock() { k.mu.Lock() }

// Unlock gives the zone's lock back.
func (k *Kernel) Unlock() { k.mu.Unlock() }

// DB is the connection to the zone's databases; nil before UseDatabase.
func (k *Kernel) DB() *sql.DB {
	if k.store == nil {
		return nil
	}
	return k.store.DB()
}

// NextID is the next id of a table that is not mirrored. The lock must be held.
func (k *Kernel) NextID(table string) int64 {
	k.ids[table]++
	return k.ids[table]
}
