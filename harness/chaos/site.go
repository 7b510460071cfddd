package chaos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// DefaultSpeed is how many times as fast a site's time runs by default: a usage window of a minute takes a second.
const DefaultSpeed = 60

// SiteOptions say which zone is to stand.
type SiteOptions struct {
	Release string
	Speed   float64    // how many times as fast the zone's time runs; 0 is DefaultSpeed
	Load    zone.Load  // how busy the management server is
	Clock   zone.Clock // nil is one of Speed
	Dir     string     // where its folder is made; empty is the system's temporary folder
	Replica bool       // a replica of the database, for the faults that need one
}

// Site is a lab zone that stands in this process, with a door in front of its API through which runs come.
type Site struct {
	Program Program
	zone    *zone.Zone
	server  *database.Server
	admin   *cloud.Client
	rows    *sql.DB
	door    *door
	dir     string
	log     *logFile
	tables  *tables
	replica *database.Replica // nil without one
	clock   *zone.Scaled      // nil where it is another one
	before  inventory.Snapshot
	told    map[string]bool // what was other, by its words
	undo    []func(context.Context) error
	// What trials have done to the usage server.
	usageHost, second string
	hosts             int
	usageEnded        bool
}

// OpenSite opens a zone. Close must be called.
func OpenSite(ctx context.Context, p Program, o SiteOptions) (_ *Site, err error) {
	s := &Site{Program: p, usageHost: zone.FirstUsageHost, told: map[string]bool{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("opening a lab zone: %w", err), s.Close(context.WithoutCancel(ctx)))
		}
	}()
	if s.dir, err = os.MkdirTemp(o.Dir, "stackproof-selftest-"); err != nil {
		return nil, err
	}
	s.onClose(func(context.Context) error { return os.RemoveAll(s.dir) })
	if err = s.startDatabase(ctx, o); err != nil {
		return nil, err
	}
	if s.log, err = openLog(s.logName()); err != nil {
		return nil, err
	}
	s.onClose(func(context.Context) error { return s.log.close() })
	if s.tables, err = openTables(s.server.Port()); err != nil {
		return nil, err
	}
	s.onClose(func(context.Context) error { return s.tables.close() })
	if o.Speed == 0 {
		o.Speed = DefaultSpeed
	}
	if o.Clock == nil {
		s.clock = zone.NewScaled(o.Speed)
		o.Clock = s.clock
	}
	s.zone, err = zone.Open(ctx, zone.Options{Release: o.Release, DB: s.server, Clock: o.Clock, Load: o.Load, Seed: 1,
		ManagementLog: s.log, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	s.onClose(s.zone.Close)
	return s, s.connect(ctx)
}

// startDatabase starts the database, and a replica where one is wanted and possible.
func (s *Site) startDatabase(ctx context.Context, o SiteOptions) (err error) {
	s.server, err = database.Start(ctx, database.Options{Schema: o.Release, Dir: s.dir, Logged: o.Replica})
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.server.Close() })
	if !o.Replica {
		return nil
	}
	s.replica, err = s.server.StartReplica(ctx, s.dir)
	if errors.Is(err, database.ErrNoReplica) {
		return nil
	}
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.replica.Close() })
	return nil
}

// Possible are those of the faults that can befall runs on this site.
func (s *Site) Possible(faults []Fault) []Fault {
	return slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool {
		return f.replica && s.replica == nil || f.clock && s.clock == nil
	})
}

// connect opens what this process itself looks at the zone with, and the door.
func (s *Site) connect(ctx context.Context) (err error) {
	s.admin, err = cloud.New(cloud.Options{URL: s.zone.APIURL(), APIKey: s.zone.APIKey(),
		SecretKey: s.zone.SecretKey(), Eager: true})
	if err != nil {
		return err
	}
	s.onClose(s.admin.Close)
	if s.rows, err = s.server.OpenReadOnly(ctx); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.rows.Close() })
	if s.door, err = openDoor(s.zone.APIURL()); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.door.close() })
	s.before, err = inventory.Take(ctx, s.admin, s.rows)
	return err
}

func (s *Site) onClose(f func(context.Context) error) { s.undo = append(s.undo, f) }

// Close ends the zone and removes its folder.
func (s *Site) Close(ctx context.Context) error {
	var errs []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i](ctx))
	}
	s.undo = nil
	return errors.Join(errs...)
}

func (s *Site) logName() string { return filepath.Join(s.dir, "management-server.log") }

// folders makes the folders of a run.
func (s *Site) folders() (*child, error) {
	dir, err := os.MkdirTemp(s.dir, "run-")
	if err != nil {
		return nil, fmt.Errorf("making the folder of a run: %w", err)
	}
	c := &child{dir: dir, started: make(chan struct{})}
	return c, c.folders()
}

// run prepares a run of scenarios through the door.
func (s *Site) run(ctx context.Context, seed int64, scenarios []string, flags ...string) (*child, error) {
	c, err := s.folders()
	if err != nil {
		return nil, err
	}
	s.prepare(ctx, c, seed, scenarios, flags...)
	return c, nil
}

// prepare gives a run its command.
func (s *Site) prepare(ctx context.Context, c *child, seed int64, scenarios []string, flags ...string) {
	args := []string{"run", "--target", "existing", "--yes", "--clock", "api", "--api-url", s.door.url,
		"--ledger-dir", c.ledger(), "--seed", fmt.Sprint(seed),
		"--json", filepath.Join(c.dir, jsonName), "--junit", filepath.Join(c.dir, junitName)}
	for _, id := range scenarios {
		args = append(args, "--scenario", id)
	}
	c.cmd = s.command(ctx, c, append(args, flags...)...)
}

// sources are the flags that name the site's database and log.
func (s *Site) sources() []string {
	return []string{"--dsn", s.readerDSN(), "--log", s.logName()}
}

// readerDSN names the database as runs reach it.
func (s *Site) readerDSN() string {
	direct := fmt.Sprintf("127.0.0.1:%d", s.server.Port())
	return strings.Replace(s.server.ReadOnlyDSN(), direct, s.tables.address(), 1)
}

// connections bounds how many connections the database's reader may have; 0 is no bound.
func (s *Site) connections(ctx context.Context, most int) error {
	db, err := s.server.Open(ctx)
	if err != nil {
		return err
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		_, more := db.ExecContext(ctx, fmt.Sprintf("ALTER USER 'stackproof_ro'@'%s' WITH MAX_USER_CONNECTIONS %d", host,
			most))
		err = errors.Join(err, more)
	}
	return errors.Join(err, db.Close())
}

// swept cleans up after a run if it left a ledger, and says what is left then.
func (s *Site) swept(ctx context.Context, c *child) ([]string, error) {
	ledgers, err := files(c.ledger())
	if err != nil {
		return nil, err
	}
	var left []string
	if len(ledgers) > 0 {
		if _, err := s.cleanup(ctx, c); err != nil {
			left = append(left, err.Error())
		}
	}
	more, err := s.left(ctx, c)
	return append(left, more...), err
}

// command is stackproof with the site's keys, in a run's folders.
func (s *Site) command(ctx context.Context, c *child, args ...string) *exec.Cmd {
	cmd := s.Program.Command(ctx, c.temp(), args...)
	cmd.Env = append(cmd.Env, "CLOUDSTACK_API_KEY="+s.zone.APIKey(), "CLOUDSTACK_SECRET_KEY="+s.zone.SecretKey())
	return cmd
}

// cleanup removes what a run left, as a user would, and says how many objects there were. The server has nothing of
// the run's under way any more, so nothing can be committed late.
func (s *Site) cleanup(ctx context.Context, c *child) (removed int, err error) {
	said, err := s.command(ctx, c, "cleanup", "--ledger-dir", c.ledger(), "--late", "0s", "--wait", "1m",
		"--api-url", s.door.url).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("cleanup: %w: %s", err, said)
	}
	return countLines(string(said), "  removed "), nil
}

// left says what is on the site and the machine that was not there before.
func (s *Site) left(ctx context.Context, c *child) ([]string, error) {
	after, err := inventory.Take(ctx, s.admin, s.rows)
	if err != nil {
		return nil, fmt.Errorf("looking for what is left: %w", err)
	}
	left := s.news(after)
	left = append(left, ended(ctx, c.killed)...)
	for _, dir := range []string{c.temp(), c.ledger()} {
		more, err := files(dir)
		if err != nil {
			return nil, err
		}
		left = append(left, more...)
	}
	return left, nil
}

// news is what is other than before the first run. It is told once: the next run is not blamed for what this one left,
// nor for its going later.
func (s *Site) news(now inventory.Snapshot) (left []string) {
	for _, one := range difference(s.before, now) {
		if !s.told[one] {
			left = append(left, one)
		}
		s.told[one] = true
	}
	return left
}

// door is where runs come to the API: what is behind it can be changed while it stands.
type door struct {
	url    string
	plain  http.Handler
	server *http.Server

	mu     sync.Mutex
	behind http.Handler
}

func openDoor(api string) (*door, error) {
	to, err := url.Parse(api)
	if err != nil {
		return nil, fmt.Errorf("the API's address: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening in front of the API: %w", err)
	}
	d := &door{url: "http://" + l.Addr().String() + to.Path,
		plain: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: to.Scheme, Host: to.Host})
		}, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}}
	d.behind = d.plain
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = d.server.Serve(l) }() // ends with close, which is no error of ours
	return d, nil
}

// put puts a handler behind the door; nil is the zone itself.
func (d *door) put(h http.Handler) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.behind = h; h == nil {
		d.behind = d.plain
	}
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	behind := d.behind
	d.mu.Unlock()
	behind.ServeHTTP(w, r)
}

func (d *door) close() error { return d.server.Close() }
