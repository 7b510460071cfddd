package cleanup_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/ledger"
)

// executioner is a proxy that kills the client's process at one of its calls: before the call goes on to the server, or
// after the server has carried it out.
type executioner struct {
	to    *httputil.ReverseProxy
	left  atomic.Int64
	after bool
	kill  chan func() // gives the kill, once the process has started
	dead  chan struct{}
}

func (e *executioner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch n := e.left.Add(-1); {
	case n > 0:
		e.to.ServeHTTP(w, r)
	case n == 0:
		if e.after {
			e.to.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
		}
		(<-e.kill)()
		close(e.dead)
	default:
		<-e.dead // sent at the same moment as the last one: it never arrives
	}
}

// Whenever a run is killed, cleanup brings the target back to what it was.
func TestKilledAtAnyCallThenCleanedUp(t *testing.T) {
	s := standing(t, "4.20.1.0")
	admin := s.client(t, s.zone.APIURL())
	other, err := admin.CreateAccount(t.Context(), cloud.AccountSpec{Name: "somebody-else", Password: "password1234",
		Email: "x@example.invalid"})
	require.NoError(t, err)
	db, err := s.db.OpenReadOnly(t.Context())
	require.NoError(t, err)
	defer db.Close()
	before, err := inventory.Take(t.Context(), admin, db)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(7, 11))
	found := 0
	for range 5 { // the command itself is killed at every call by selftest kill; here it is one of everything
		calls, after := 1+rng.IntN(110), rng.IntN(2) == 0
		dir := t.TempDir()
		killed(t, s, dir, calls, after)
		files, err := ledger.List(dir)
		require.NoError(t, err)
		if len(files) == 0 {
			continue // it was killed before it had created anything
		}
		record, err := ledger.Dead(files[0])
		require.NoError(t, err)
		report, err := cleanup.Remove(t.Context(), cleanup.Options{Cloud: admin, Scope: cleanup.OfRun(record.Run,
			record.Open()), Wait: time.Minute, Survey: true})
		require.NoError(t, err)
		require.NoError(t, report.Err(), "killed at call %d, after it: %v", calls, after)
		require.NoError(t, record.Release(true))
		found += len(report.Removed)
		now, err := inventory.Take(t.Context(), admin, db)
		require.NoError(t, err)
		assert.ElementsMatch(t, before.Objects, now.Objects, "killed at call %d, after it: %v", calls, after)
		assert.ElementsMatch(t, before.Rows, now.Rows, "killed at call %d, after it: %v", calls, after)
	}
	assert.Greater(t, found, 10, "the runs left too little for this to show anything")
	still, err := admin.ListAccounts(t.Context(), cloud.Params{"id": other.Id})
	require.NoError(t, err)
	assert.Len(t, still, 1, "other people's account")
}

// killed starts an actor and kills it at a call.
func killed(t *testing.T, s site, dir string, calls int, after bool) {
	t.Helper()
	api, err := url.Parse(s.zone.APIURL())
	require.NoError(t, err)
	e := &executioner{after: after, kill: make(chan func(), 1), dead: make(chan struct{}),
		to: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http",
				Host: api.Host})
		}}}
	e.left.Store(int64(calls))
	front := httptest.NewServer(e)
	defer front.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CLEANUP_TEST_API="+front.URL+api.Path, "CLEANUP_TEST_KEY="+s.zone.APIKey(),
		"CLEANUP_TEST_SECRET="+s.zone.SecretKey(),
		"CLEANUP_TEST_LEDGER="+dir)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	e.kill <- func() { _ = cmd.Process.Kill() }
	_ = cmd.Wait()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok && status.Signaled(), "the actor ended by itself before call %d: %s", calls, said.String())
	<-e.dead
}
