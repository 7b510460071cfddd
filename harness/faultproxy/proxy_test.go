package faultproxy_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/faultproxy"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/ledger"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/scenarios"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	goleak.VerifyTestMain(testhome.Around(m), goleak.Cleanup(func(code int) {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		os.Exit(code)
	}))
}

// speed is how many times as fast the zones' time runs. Much more, and a busy machine starves a heartbeat.
const speed = 60

// profiles are a release that closes the wrong usage row, and one that does not, with the verdict that would be wrong.
func profiles() map[string]result.Verdict {
	return map[string]result.Verdict{"4.20.0.0": result.Pass, "4.20.1.0": result.Fail}
}

// site is somebody else's zone.
type site struct {
	*zone.Zone
	db *database.Server
}

func startDatabase(t *testing.T, release string) *database.Server {
	t.Helper()
	server, err := database.Start(t.Context(), database.Options{Schema: release})
	var missing *database.MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	return server
}

func open(t *testing.T, db *database.Server, o zone.Options) site {
	t.Helper()
	o.DB = db
	if o.Clock == nil {
		o.Clock = zone.NewScaled(speed)
	}
	z, err := zone.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, z.Close(context.Background())) })
	return site{z, db}
}

func (s site) config(api string) config.Config {
	return config.Config{API: config.API{URL: api, Key: s.APIKey(), Secret: s.SecretKey()},
		DSN: config.Words{s.db.ReadOnlyDSN()}, Clock: "api",
		Usage: config.Usage{Wait: 20 * time.Second}}
}

type silent struct{}

func (silent) Scenario(string, string, int) {}
func (silent) Step(string, string)          {}
func (silent) Finished(result.Case)         {}

// run runs one scenario on an existing target, as the command does.
func run(t *testing.T, conf config.Config, id string) (result.Run, error) {
	t.Helper()
	chosen, err := scenarios.Catalogue().Select(id)
	require.NoError(t, err)
	target, err := existing.Open(t.Context(), existing.Options{Name: "standing", Config: conf, TempDir: t.TempDir()})
	if err != nil {
		return result.Run{}, err
	}
	l, err := ledger.Create(t.TempDir(), "standing", target.URL())
	require.NoError(t, err)
	target.Keep(l)
	done, runErr := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 1,
		Progress: silent{}})
	return done, errors.Join(runErr, target.Close(context.Background()))
}

// verdict is a scenario's, and why.
func verdict(r result.Run, id string) (result.Verdict, string) {
	for _, c := range r.Results {
		if c.ID == id {
			return c.Verdict, c.Reason
		}
	}
	return result.Inconclusive, "no result"
}

// untouched makes sure, without faults, that the zone holds what it held before.
func (s site) untouched(t *testing.T) func() {
	t.Helper()
	admin, err := cloud.New(cloud.Options{URL: s.APIURL(), APIKey: s.APIKey(), SecretKey: s.SecretKey(), Eager: true})
	require.NoError(t, err)
	db, err := sql.Open("mysql", s.db.ReadOnlyDSN())
	require.NoError(t, err)
	before, err := inventory.Take(t.Context(), admin, db)
	require.NoError(t, err)
	return func() {
		t.Helper()
		after, err := inventory.Take(context.Background(), admin, db)
		require.NoError(t, err)
		assert.ElementsMatch(t, before.Objects, after.Objects, "left behind")
		assert.ElementsMatch(t, before.Rows, after.Rows, "left behind")
		assert.NoError(t, errors.Join(db.Close(), admin.Close(context.Background())))
	}
}

// U-01 through every fault, on a release that has the defect and on one that has not: the verdict is right or there is
// none, and nothing stays.
func TestBrokenExchanges(t *testing.T) {
	t.Parallel()
	for release, wrong := range profiles() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			db := startDatabase(t, release)
			right, hits := 0, 0
			for i, fault := range every() {
				t.Run(string(fault), func(t *testing.T) {
					s := open(t, db, zone.Options{Release: release})
					defer s.untouched(t)()
					proxy, err := faultproxy.New(s.APIURL(), fault, 0.04, uint64(i)) // small
					require.NoError(t, err)
					front := httptest.NewServer(proxy)
					defer front.Close()
					path, err := url.Parse(s.APIURL())
					require.NoError(t, err)
					done, err := run(t, s.config(front.URL+path.Path), "U-01")
					got, why := verdict(done, "U-01")
					t.Log(proxy.Hits(), got, why, err)
					assert.NotEqual(t, wrong, got, why)
					if got == result.Pass || got == result.Fail {
						right++
					}
					hits += proxy.Hits()
				})
			}
			assert.GreaterOrEqual(t, hits, len(every()),
				"too few exchanges were broken for this to show anything")
			assert.GreaterOrEqual(t, right, 8, "too few runs came to a verdict")
		})
	}
}

// Through a proxy that makes every answer five of the zone's seconds late, loses two of a hundred, and cuts one
// connection of a hundred, the verdicts are those of a quiet server.
func TestSlowServerThatLosesAnswers(t *testing.T) {
	t.Parallel()
	for release, wrong := range profiles() {
		right := map[result.Verdict]result.Verdict{result.Pass: result.Fail, result.Fail: result.Pass}[wrong]
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			db := startDatabase(t, release)
			hits := 0
			for seed := range uint64(3) {
				t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
					s := open(t, db, zone.Options{Release: release})
					defer s.untouched(t)()
					proxy, err := faultproxy.Mix(s.APIURL(), seed, 5*time.Second/speed,
						faultproxy.Share{Fault: faultproxy.ResetAfter, Rate: 0.02},
						faultproxy.Share{Fault: faultproxy.ResetBefore, Rate: 0.01})
					require.NoError(t, err)
					front := httptest.NewServer(proxy)
					defer front.Close()
					path, err := url.Parse(s.APIURL())
					require.NoError(t, err)
					done, err := run(t, s.config(front.URL+path.Path), "U-01")
					require.NoError(t, err)
					got, why := verdict(done, "U-01")
					assert.Equal(t, right, got, why)
					hits += proxy.Hits()
				})
			}
			assert.GreaterOrEqual(t, hits, 4, "too few exchanges were broken for this to show anything")
		})
	}
}

// On a lab zone that behaves like a busy server, verdicts are those of a quiet one, and nothing stays.
func TestBusyServer(t *testing.T) {
	t.Parallel()
	load := zone.Busy()
	load.LateEvery, load.LostEvery = 2, 10
	for release, wrong := range profiles() {
		right := map[result.Verdict]result.Verdict{result.Pass: result.Fail, result.Fail: result.Pass}[wrong]
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			s := open(t, startDatabase(t, release), zone.Options{Release: release, Load: load})
			defer s.untouched(t)()
			done, err := run(t, s.config(s.APIURL()), "U-01")
			require.NoError(t, err)
			got, why := verdict(done, "U-01")
			assert.Equal(t, right, got, why)
		})
	}
}

// skewed is a management server whose clock is wrong.
type skewed struct{ by time.Duration }

func (s skewed) Now() time.Time { return time.Now().UTC().Add(s.by) }

// A database whose clock is hours away from the management server's allows no verdict where its time counts.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	db := startDatabase(t, "4.20.0.0")
	for release, wrong := range profiles() {
		for _, by := range []time.Duration{-3 * time.Hour, 5*time.Hour + 30*time.Minute} {
			t.Run(fmt.Sprint(release, " ", by), func(t *testing.T) {
				s := open(t, db, zone.Options{Release: release, Clock: skewed{by}})
				defer s.untouched(t)()
				conf := s.config(s.APIURL())
				conf.Clock = "database"
				done, err := run(t, conf, "U-01")
				require.NoError(t, err)
				got, why := verdict(done, "U-01")
				assert.NotEqual(t, wrong, got)
				assert.Equal(t, result.Inconclusive, got)
				assert.Contains(t, why, "clocks of the database")
			})
		}
	}
}

// The time zone of the database's sessions changes nothing: times are compared in GMT.
func TestSessionsInAnotherTimeZone(t *testing.T) {
	t.Parallel()
	db := startDatabase(t, "4.20.0.0")
	for release, wrong := range profiles() {
		t.Run(release, func(t *testing.T) {
			s := open(t, db, zone.Options{Release: release})
			defer s.untouched(t)()
			c := s.config(s.APIURL())
			c.DSN = config.Words{db.ReadOnlyDSN() + "&time_zone=%27%2B05%3A30%27"}
			done, err := run(t, c, "U-01")
			require.NoError(t, err)
			got, why := verdict(done, "U-01")
			assert.NotEqual(t, wrong, got, why)
			assert.NotEqual(t, result.Inconclusive, got, why)
		})
	}
}

// A usage server that stops gives no verdict, and words that say so.
func TestUsageServerStopped(t *testing.T) {
	t.Parallel()
	db := startDatabase(t, "4.20.0.0")
	for release := range profiles() {
		for name, how := range map[string]zone.UsageEnd{"stopped": zone.UsageStopped, "killed": zone.UsageKilled,
			"killed in its run": zone.UsageKilledInRun} {
			t.Run(release+" "+name, func(t *testing.T) {
				s := open(t, db, zone.Options{Release: release})
				defer s.untouched(t)()
				conf := s.config(s.APIURL())
				conf.Usage.Wait = 2 * time.Second
				require.NoError(t, s.EndUsage(t.Context(), zone.FirstUsageHost, how))
				done, err := run(t, conf, "U-01")
				require.NoError(t, err)
				got, why := verdict(done, "U-01")
				assert.Equal(t, result.Inconclusive, got, why)
				assert.Contains(t, why, "usage")
			})
		}
	}
}

// rotating is a log that is rotated in the middle of every few lines.
type rotating struct {
	t    *testing.T
	path string
	copy bool // copytruncate: what was written of the line is lost with the old file's content
	mu   sync.Mutex
	n    int
}

func (r *rotating) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	half := p[:0]
	if r.n%3 == 2 {
		half = p[:len(p)/2]
		if err := r.append(half); err != nil {
			return 0, err
		}
		if err := r.rotate(); err != nil {
			return 0, err
		}
	}
	return len(p), r.append(p[len(half):])
}

func (r *rotating) rotate() error {
	old := fmt.Sprintf("%s.%d", r.path, r.n)
	if !r.copy {
		return os.Rename(r.path, old)
	}
	data, err := os.ReadFile(r.path)
	return errors.Join(err, os.WriteFile(old, data, 0o600), os.Truncate(r.path, 0))
}

func (r *rotating) append(p []byte) error {
	f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(p)
	return errors.Join(err, f.Close())
}

// L-01 and a log that is rotated in mid-line: a push that was cut in two is found whole or missed aloud, never misread.
func TestLogRotatedInMidLine(t *testing.T) {
	t.Parallel()
	if _, err := router.FindHAProxy(""); err != nil {
		t.Skip(err)
	}
	for release, wrong := range map[string]result.Verdict{"4.19.1.0": result.Pass, "4.20.1.0": result.Fail} {
		for _, copied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s copytruncate %v", release, copied), func(t *testing.T) {
				t.Parallel()
				db := startDatabase(t, release)
				log := &rotating{t: t, path: filepath.Join(t.TempDir(), "management-server.log"), copy: copied}
				require.NoError(t, os.WriteFile(log.path, nil, 0o600))
				s := open(t, db, zone.Options{Release: release, ManagementLog: log})
				defer s.untouched(t)()
				conf := s.config(s.APIURL())
				conf.Log.File, conf.Router.Mode, conf.Clients.Mode = config.Words{log.path}, "shadow", "shadow"
				done, err := run(t, conf, "L-01")
				require.NoError(t, err)
				got, why := verdict(done, "L-01")
				t.Log(got, why)
				assert.NotEqual(t, wrong, got, why)
			})
		}
	}
}

// every fault of the proxy.
func every() []faultproxy.Fault {
	return []faultproxy.Fault{
		faultproxy.Delay, faultproxy.ResetBefore, faultproxy.ResetAfter, faultproxy.BadGateway,
		faultproxy.GatewayLate, faultproxy.Half, faultproxy.HalfJSON, faultproxy.Twice, faultproxy.Stale,
		faultproxy.Refused, faultproxy.Starting, faultproxy.StartingFine,
	}
}
