package container_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/container"
	"github.com/stackproof/stackproof/harness/deploy"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/scenarios"
)

type silence struct{}

func (silence) Scenario(string, string, int) {}
func (silence) Step(string, string)          {}
func (silence) Finished(result.Case)         {}

// U-01 and L-01 through the target as a whole: a container is started, its database reached, a zone deployed, its usage
// server started, its log followed by shadow routers. On a release with the defects they fail, on one without they
// pass, so what is seen is what the server inside does.
func TestScenarios(t *testing.T) {
	needEngine(t)
	if _, err := router.FindHAProxy(""); err != nil {
		t.Skip(err)
	}
	if err := network.Check(); err != nil {
		t.Skip(err)
	}
	for release, want := range map[string]result.Verdict{"4.20.1.0": result.Pass, "4.19.1.0": result.Fail} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			ref := image(t, release, true, "STANDIN_RELEASE="+release)
			target, err := container.Open(t.Context(), container.Options{Image: ref, Say: func(s string) { t.Log(s) },
				Deploy: deployed})
			require.NoError(t, err)
			closed := false
			defer func() {
				if !closed {
					_ = target.Close(context.Background())
				}
			}()
			for _, f := range target.Findings() {
				if slices.Contains([]harness.Capability{harness.API, harness.UsageDB, harness.UsageRun, harness.PushLog,
					harness.DataPlane}, f.Capability) {
					assert.Equal(t, finding.OK, f.State, f.String())
				}
			}
			assert.Equal(t, release, target.Describe().Release)
			chosen, err := scenarios.Catalogue().Select("U-01", "L-01")
			require.NoError(t, err)
			run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Repeat: 1, Workers: 2,
				Progress: silence{}})
			require.NoError(t, err)
			require.Len(t, run.Results, 2)
			for _, c := range run.Results {
				assert.Equal(t, want, c.Verdict, "%s %s", c.ID, c.Reason)
			}
			assert.Equal(t, "container", run.Target)
			closed = true
			require.NoError(t, target.Close(t.Context()))
			assert.Empty(t, ours(t, ref))
		})
	}
}

// deployed makes a zone where there is none.
func deployed(ctx context.Context, api *cloud.Client) error {
	_, err := deploy.Deploy(ctx, deploy.Options{Cloud: api, Plan: deploy.Default()})
	return err
}

// What goes wrong is told in one line, the logs are kept, and nothing is left running.
func TestRefusals(t *testing.T) {
	needEngine(t)
	for _, c := range []struct {
		name, mode string
		whole      bool
		options    container.Options
		want       []string
		log        string // in container.log
	}{
		{name: "dies", mode: "dies", want: []string{"the container ended with status 1 before its API was up",
			"logs are in"}, log: "OutOfMemoryError"},
		{name: "silent", mode: "silent", options: container.Options{StartTimeout: 3 * time.Second},
			want: []string{"the API was not up within 3s", "--start-timeout", "logs are in"},
			log:  "supervisord started"},
		{name: "usage", whole: true, options: container.Options{Deploy: deployed,
			UsageCommand: "cd /root && mvn -pl nothing"},
			want: []string{"the usage server ended with status 1 at once", "--usage-command", "no such module",
				"logs are in"}, log: "supervisord started"},
		{name: "relay", whole: true, options: container.Options{Relay: container.DefaultRelay(3307)},
			want: []string{"making an account in the container's database", "Connection refused", "logs are in"},
			log:  "supervisord started"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ref := image(t, c.name, c.whole, "STANDIN_RELEASE=4.20.1.0", "STANDIN_MODE="+c.mode)
			c.options.Image, c.options.LogDir = ref, t.TempDir()
			target, err := container.Open(t.Context(), c.options)
			require.Error(t, err)
			require.Nil(t, target)
			for _, w := range c.want {
				assert.ErrorContains(t, err, w)
			}
			assert.NotContains(t, err.Error(), "\n", "one line")
			log, err := os.ReadFile(filepath.Join(c.options.LogDir, "container.log"))
			require.NoError(t, err)
			assert.Contains(t, string(log), c.log)
			assert.Empty(t, ours(t, ref))
		})
	}
}

func TestNoSuchImage(t *testing.T) {
	needEngine(t)
	_, err := container.Open(t.Context(), container.Options{Image: "127.0.0.1:1/nobody/nothing:0"})
	require.ErrorContains(t, err, "image 127.0.0.1:1/nobody/nothing:0 is not here and cannot be pulled")
	assert.NotContains(t, err.Error(), "\n", "one line")
	assert.NotContains(t, err.Error(), "logs are in", "there is nothing to keep")
}

// Ctrl-C while the API is waited for ends at once, with its cause, and leaves nothing.
func TestInterrupted(t *testing.T) {
	needEngine(t)
	ref := image(t, "interrupted", false, "STANDIN_MODE=silent")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	_, err := container.Open(ctx, container.Options{Image: ref, LogDir: t.TempDir(), Say: func(s string) {
		if strings.HasPrefix(s, "waiting for the API") {
			cancel(harness.ErrInterrupted)
		}
	}})
	require.ErrorIs(t, err, harness.ErrInterrupted)
	assert.Empty(t, ours(t, ref))
}

// A second run takes the container that --reuse kept: same container, usage server alive. CleanStale leaves it alone
// until it is asked for kept ones.
func TestReuse(t *testing.T) {
	needEngine(t)
	ref := image(t, "reuse", true, "STANDIN_RELEASE=4.20.1.0")
	var ids [2][]string
	for i := range ids {
		var said []string
		target, err := container.Open(t.Context(), container.Options{Image: ref, Reuse: true, Deploy: deployed,
			Say:      func(s string) { said = append(said, s) },
			Existing: existing.Options{Config: config.Config{Router: config.Router{Mode: "none"}}}})
		require.NoError(t, err)
		require.NoError(t, target.Close(t.Context()))
		ids[i] = ours(t, ref)
		require.Len(t, ids[i], 1)
		for _, step := range []string{"deploying a zone", "starting the usage server"} {
			assert.Equal(t, i == 0, slices.Contains(said, step), "%s: %v", step, said)
		}
	}
	assert.Equal(t, ids[0], ids[1])
	_, err := container.CleanStale(t.Context(), false)
	require.NoError(t, err)
	assert.Len(t, ours(t, ref), 1, "kept")
	removed, err := container.CleanStale(t.Context(), true)
	require.NoError(t, err)
	assert.NotEmpty(t, removed)
	assert.Empty(t, ours(t, ref))
}

// hold opens a container, says that it is in some phase, and waits to be killed.
func hold(ref string) {
	_, err := container.Open(context.Background(), container.Options{Image: ref, Deploy: deployed,
		Say: func(s string) { _, _ = os.Stdout.WriteString(s + "\n") }})
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("open\n")
	select {}
}

// kill -9 in any phase leaves a container that CleanStale removes; a living owner's is left alone.
func TestKilled(t *testing.T) {
	needEngine(t)
	for _, phase := range []string{"waiting for the API", "reaching the database", "deploying a zone",
		"starting the usage server", "open"} {
		t.Run(phase, func(t *testing.T) {
			ref := image(t, "killed", true, "STANDIN_RELEASE=4.20.1.0")
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			cmd := exec.CommandContext(t.Context(), os.Args[0], "hold", ref)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			var complaints strings.Builder
			cmd.Stderr = &complaints
			require.NoError(t, cmd.Start())
			var said strings.Builder
			buf := make([]byte, 4096)
			for !strings.Contains(said.String(), phase+"\n") {
				n, err := out.Read(buf)
				said.Write(buf[:n])
				require.NoError(t, err, "said %q, then %s", said.String(), complaints.String())
			}
			require.Len(t, ours(t, ref), 1)
			_, err = container.CleanStale(t.Context(), false)
			require.NoError(t, err)
			require.Len(t, ours(t, ref), 1, "its owner lives")
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait()
			removed, err := container.CleanStale(t.Context(), false)
			require.NoError(t, err)
			assert.Len(t, removed, 1)
			assert.Empty(t, ours(t, ref))
			_, err = lab.CleanStale(t.Context())
			require.NoError(t, err)
			left, err := os.ReadDir(tmp)
			require.NoError(t, err)
			assert.Empty(t, left, "folders of logs")
		})
	}
}

// A bare management server without anybody to make a zone cannot be used.
func TestBare(t *testing.T) {
	needEngine(t)
	ref := image(t, "bare", true, "STANDIN_RELEASE=4.20.1.0")
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	_, err := container.Open(t.Context(), container.Options{Image: ref})
	require.ErrorContains(t, err, "the management server has no zone")
	require.ErrorContains(t, err, "logs are in "+tmp)
	assert.Empty(t, ours(t, ref))
	// What a failure keeps for its reader has a name that no cleanup takes for a killed run's.
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Regexp(t, "^stackproof-container-logs-", left[0].Name())
	assert.FileExists(t, filepath.Join(tmp, left[0].Name(), "container.log"))
}
