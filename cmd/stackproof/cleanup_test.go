package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// standingZone is a zone over TCP, as somebody else's would be.
func standingZone(t *testing.T, o zone.Options) (*zone.Zone, *database.Server, *cloud.Client) {
	t.Helper()
	server, err := database.Start(t.Context(), database.Options{Schema: o.Release})
	var missing *database.MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	o.DB = server
	z, err := zone.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, z.Close(context.Background())) })
	c, err := cloud.New(cloud.Options{URL: z.APIURL(), APIKey: z.APIKey(), SecretKey: z.SecretKey(), Eager: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close(context.Background())) })
	return z, server, c
}

// on is a command against the standing zone.
func on(t *testing.T, z *zone.Zone, args ...string) *exec.Cmd {
	t.Helper()
	cmd := stackproofCommand(t, t.TempDir(), args...)
	cmd.Env = append(cmd.Env, "CLOUDSTACK_API_URL="+z.APIURL(), "CLOUDSTACK_API_KEY="+z.APIKey(),
		"CLOUDSTACK_SECRET_KEY="+z.SecretKey())
	return cmd
}

// A run that is killed leaves objects and a ledger; cleanup leaves a live run alone, says what it would do, and does
// it.
func TestKilledRunOnAnExistingZoneIsCleanedUp(t *testing.T) {
	z, server, admin := standingZone(t, zone.Options{Release: "4.20.1.0"})
	before, err := inventory.List(t.Context(), admin)
	require.NoError(t, err)
	ledgers := filepath.Join(t.TempDir(), "ledgers")
	run := on(t, z, "run", "--target", "existing", "--scenario", "U-01", "--yes", "--dsn", server.ReadOnlyDSN(),
		"--ledger-dir", ledgers)
	var said shown
	run.Stdout, run.Stderr = &said, &said
	require.NoError(t, run.Start())
	t.Cleanup(func() { _ = run.Process.Kill() })
	eventually(t, "LB rules of the run", func() (bool, string) {
		rules, err := admin.ListLoadBalancerRules(t.Context(), nil)
		return err == nil && len(rules) > 1, said.String()
	})
	out, err := on(t, z, "cleanup", "--ledger-dir", ledgers).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "its run is alive")
	require.NoError(t, run.Process.Kill())
	_ = run.Wait()

	out, err = on(t, z, "cleanup", "--ledger-dir", ledgers, "--dry-run").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, word := range []string{"would remove lb rule", "would remove account sp", "would remove domain sp",
		"would remove vpc"} {
		assert.Contains(t, string(out), word)
	}
	rules, err := admin.ListLoadBalancerRules(t.Context(), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, rules, "a dry run removes nothing")

	out, err = on(t, z, "cleanup", "--ledger-dir", ledgers).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "removed lb rule")
	after, err := inventory.List(t.Context(), admin)
	require.NoError(t, err)
	assert.ElementsMatch(t, before, after)
	left, err := filepath.Glob(filepath.Join(ledgers, "*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	out, err = on(t, z, "cleanup", "--ledger-dir", ledgers).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "nothing was left behind")
}

// What a ledger names on a server that does not answer, or answers elsewhere, is said, and the ledger is kept.
func TestCleanupSaysWhatItCannotReach(t *testing.T) {
	z, _, _ := standingZone(t, zone.Options{Release: "4.20.1.0"})
	dir := t.TempDir()
	file := filepath.Join(dir, "spdeadbeef.jsonl")
	ledger := func(target, api string) {
		require.NoError(t, os.WriteFile(file, []byte(`{"ledger":1,"run":"spdeadbeef","target":"`+target+`","api":"`+api+
			`"}`+"\n"+
			`{"op":"intend","entry":1,"kind":"account","name":"spdeadbeef-a","account":"spdeadbeef-a","at":"2020-01-01T00:00:00Z"}`+"\n"), 0o600))
	}
	for name, c := range map[string]struct{ target, api, want string }{
		"elsewhere": {"existing", "http://192.0.2.1/client/api", "is now at " + z.APIURL()},
		"no target": {"nightly", z.APIURL(), `target "nightly" is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			ledger(c.target, c.api)
			out, err := on(t, z, "cleanup", "--ledger-dir", dir).CombinedOutput()
			var failed *exec.ExitError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, exitCannotRun, failed.ExitCode())
			assert.Contains(t, string(out), c.want)
			assert.FileExists(t, file)
		})
	}
	ledger("existing", z.APIURL())
	out, err := on(t, z, "cleanup", "--ledger-dir", dir, "--target", "other").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.FileExists(t, file, "a ledger of another target")
	out, err = on(t, z, "cleanup", "--ledger-dir", dir).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.NoFileExists(t, file, "nothing of it exists")
}

// lab up --bare, zone deploy, run and replay of its trace, as a user types them.
func TestZoneDeployThenReplay(t *testing.T) {
	z, _, _ := standingZone(t, zone.Options{Release: "4.20.1.0", Bare: true})
	restarted := filepath.Join(t.TempDir(), "restarted")
	out, err := on(t, z, "zone", "deploy", "--dry-run").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "steps would be done")
	out, err = on(t, z, "zone", "deploy", "--restart-usage", "touch "+restarted).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "the usage server was restarted")
	assert.FileExists(t, restarted)
	trace := filepath.Join(t.TempDir(), "calls.jsonl")
	out, err = on(t, z, "zone", "deploy", "--trace", trace).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "nothing to do")
	recorded, err := os.ReadFile(trace)
	require.NoError(t, err)
	assert.NotContains(t, string(recorded), z.SecretKey())
	assert.NotContains(t, string(recorded), z.APIKey())

	replay := stackproofCommand(t, t.TempDir(), "replay", trace)
	printed, err := replay.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, replay.Start())
	t.Cleanup(func() { _ = replay.Process.Kill() })
	line := make([]byte, 4096)
	n, err := printed.Read(line)
	require.NoError(t, err)
	_, at, ok := strings.Cut(string(line[:n]), " at ")
	require.True(t, ok, string(line[:n]))
	again := stackproofCommand(t, t.TempDir(), "zone", "deploy", "--api-url", strings.Fields(at)[0], "--api-key", "k",
		"--secret-key", "s")
	out, err = again.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "nothing to do")
	require.NoError(t, replay.Process.Signal(os.Interrupt))
	require.NoError(t, replay.Wait())
}
