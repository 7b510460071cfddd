package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/zone"
)

// going is a run on a standing zone, with its reports and its trace.
type going struct {
	cmd                        *exec.Cmd
	said                       shown
	json, junit, trace, ledger string
}

// start begins a run; its reports hold those of a former one.
func (r reached) start(t *testing.T, scenarios ...string) *going {
	t.Helper()
	dir := t.TempDir()
	g := &going{json: filepath.Join(dir, "r.json"), junit: filepath.Join(dir, "r.xml"),
		trace: filepath.Join(dir, "calls"), ledger: filepath.Join(dir, "ledger")}
	for _, path := range []string{g.json, g.junit} {
		require.NoError(t, os.WriteFile(path, []byte("the former report"), 0o600))
	}
	args := []string{"run", "--target", "existing", "--yes", "--clock", "api", "--dsn", r.server.ReadOnlyDSN(),
		"--json", g.json, "--junit", g.junit, "--trace", g.trace,
		"--ledger-dir", g.ledger, "--api-url", r.zone.APIURL(), "--api-key", r.zone.APIKey(), "--secret-key",
		r.zone.SecretKey()}
	for _, id := range scenarios {
		args = append(args, "--scenario", id)
	}
	g.cmd = stackproofCommand(t, t.TempDir(), args...)
	g.cmd.Stdout, g.cmd.Stderr = &g.said, &g.said
	require.NoError(t, g.cmd.Start())
	t.Cleanup(func() { _ = g.cmd.Process.Kill() })
	return g
}

// calls waits until the run has made so many calls.
func (g *going) calls(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d calls", n), func() (bool, string) {
		data, _ := os.ReadFile(g.trace)
		return bytes.Count(data, []byte("\n")) >= n, g.said.String()
	})
}

// results are what the reports hold: both are complete documents.
func (g *going) results(t *testing.T) result.Run {
	t.Helper()
	file, err := os.Open(g.json)
	require.NoError(t, err)
	defer file.Close()
	run, err := result.Decode(file)
	require.NoError(t, err)
	var suites struct{}
	require.NoError(t, xml.Unmarshal([]byte(read(t, g.junit)), &suites))
	for _, id := range run.Missing() {
		assert.Contains(t, read(t, g.junit), id, "JUnit names what has no result")
	}
	return run
}

// TestTerminatedTwice sends two TERM within a millisecond, as GNU timeout does, at ten points of a run: it ends with
// complete reports and leaves nothing.
func TestTerminatedTwice(t *testing.T) {
	r := reach(t, zone.Options{})
	before, err := inventory.List(t.Context(), r.admin)
	require.NoError(t, err)
	told := 0
	for _, point := range []int{1, 5, 9, 12, 16, 20, 25, 30, 36, 42} {
		t.Run(fmt.Sprintf("after %d calls", point), func(t *testing.T) {
			g := r.start(t, "U-01")
			g.calls(t, point)
			require.NoError(t, g.cmd.Process.Signal(syscall.SIGTERM))
			require.NoError(t, g.cmd.Process.Signal(syscall.SIGTERM))
			var failed *exec.ExitError
			require.ErrorAs(t, g.cmd.Wait(), &failed, g.said.String())
			assert.Equal(t, exitCannotRun, failed.ExitCode(), g.said.String())
			assert.Contains(t, g.said.String(), "interrupted")
			if strings.Contains(read(t, g.trace), "createAccount") { // the run's domain and account are there
				told++
				assert.Regexp(t, `up to \d+ objects are removed now, \d+ accounts .*: within 7m0s\. The ledger is `+
					g.ledger, g.said.String())
			}
			after, err := inventory.List(t.Context(), r.admin)
			require.NoError(t, err)
			assert.ElementsMatch(t, before, after)
			if strings.Contains(g.said.String(), "U-01") { // the run had begun
				g.results(t)
				return
			}
			assert.Equal(t, "the former report", read(t, g.json))
		})
	}
	assert.Positive(t, told, "what is removed was never to be told")
}

// TestKilledRunLeavesItsResults kills a run when some of its scenarios have ended: the reports hold these and name the
// rest.
func TestKilledRunLeavesItsResults(t *testing.T) {
	r := reach(t, zone.Options{})
	g := r.start(t, "A-02", "U-01", "U-08")
	eventually(t, "a finished scenario", func() (bool, string) {
		return strings.Contains(g.said.String(), "A-02"), g.said.String()
	})
	require.NoError(t, g.cmd.Process.Kill())
	_ = g.cmd.Wait()
	run := g.results(t)
	var ids []string
	for _, c := range run.Results {
		ids = append(ids, c.ID)
	}
	assert.Contains(t, ids, "A-02")
	assert.NotEmpty(t, run.Missing())
	for _, id := range run.Missing() {
		assert.Contains(t, strings.Join(run.Notes, "\n"), id, "JSON says what has no result")
	}
	assert.Contains(t, run.Missing(), "leaks")
	assert.ElementsMatch(t, run.Planned, append(ids, run.Missing()...))
	assert.Equal(t, exitFailure, run.ExitCode(false), "what has no result counts as a failure")

	out, err := on(t, r.zone, "cleanup", "--ledger-dir", g.ledger).CombinedOutput()
	require.NoError(t, err, string(out))
	accounts, err := r.admin.ListAccounts(t.Context(), cloud.Params{"listall": "true"})
	require.NoError(t, err)
	for _, a := range accounts {
		assert.NotContains(t, a.Name, "sp", "nothing of the run is left")
	}
}
