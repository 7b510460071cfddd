package scripts

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

func TestAppliedPushIsServedByANewWorker(t *testing.T) {
	t.Parallel()
	v := open(t, listTree(t))
	r := apply(t, v, pushOf(t, sticky(8080), plain(8082)), Direct)
	assert.Equal(t, router.ActionReload, r.Action, "%+v", r)
	assert.Equal(t, 0, r.Exit, r.Stderr)
	assert.False(t, r.Masked())
	assert.True(t, r.New.Rewritten && r.Live.Rewritten)
	assert.Equal(t, r.New.Hash, r.Live.Hash)
	assert.Empty(t, r.Pending)
	assert.NotEqual(t, r.WorkerBefore, r.WorkerAfter)
	assert.Contains(t, r.Log, "reload of haproxy")
	var names []string
	for _, d := range r.Changed {
		names = append(names, d.Name)
	}
	assert.Contains(t, names, "192_168_2_5-8080")
	assert.Contains(t, names, "before-the-first-push")

	want, err := router.Render(pushOf(t, sticky(8080), plain(8082)), router.Rules{})
	require.NoError(t, err)
	f, err := v.Files(t.Context())
	require.NoError(t, err)
	assert.Equal(t, string(want.File()), string(f.Live))
	assert.Equal(t, string(want.File()), string(f.New))
	assert.Equal(t, string(want.File()), string(f.Serving))
	assert.Equal(t, 1, f.Reloads)

	info, err := v.Admin(t.Context(), "show info")
	require.NoError(t, err)
	assert.Contains(t, info, "\nPid: "+itoa(r.WorkerAfter)+"\n", "the admin socket is not the new worker's")
	tables, err := v.Admin(t.Context(), "show table")
	require.NoError(t, err)
	assert.Contains(t, tables, "192_168_2_5-8080")
	assert.NotContains(t, tables, "192_168_2_5-8082")
}

func TestEveryCallOfSystemctlIsReported(t *testing.T) {
	t.Parallel()
	v := open(t, listTree(t))
	r := apply(t, v, pushOf(t, plain(8080)), Direct)
	var calls []string
	for _, c := range r.Calls {
		calls = append(calls, strings.Join(c.Args, " "))
	}
	assert.Equal(t, []string{"reload haproxy", "stop conntrackd", "stop keepalived"}, calls)
}

func TestIdenticalPushTouchesNothing(t *testing.T) {
	t.Parallel()
	v := open(t, listTree(t))
	apply(t, v, pushOf(t, plain(8080)), Direct)
	r := apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.Equal(t, router.ActionNone, r.Action)
	assert.True(t, r.New.Rewritten, "the new file is always written")
	assert.False(t, r.Live.Rewritten)
	assert.False(t, r.Masked())
	assert.Equal(t, r.WorkerBefore, r.WorkerAfter)
	assert.Empty(t, r.Changed)
}

func TestSetComparisonMasksASecondEqualPolicy(t *testing.T) {
	t.Parallel()
	v := open(t, setTree(t))
	apply(t, v, pushOf(t, sticky(8080), plain(8082)), Direct)
	r := apply(t, v, pushOf(t, sticky(8080), sticky(8082)), Direct)
	assert.True(t, r.Masked())
	assert.Equal(t, 0, r.Exit)
	assert.Equal(t, router.ActionNone, r.Action)
	require.Len(t, r.Pending, 1)
	assert.Equal(t, "192_168_2_5-8082", r.Pending[0].Name)
	assert.Contains(t, r.Pending[0].Lines, "+ stick on src")
	assert.True(t, r.Applied().Masked)
	assert.False(t, r.Applied().Copied)
}

func TestRefusedFileLeavesTheFormerWorker(t *testing.T) {
	t.Parallel()
	v := open(t, listTree(t))
	good := apply(t, v, pushOf(t, plain(8080)), Direct)
	bad := rule{port: 8080, method: "AppCookie", params: [][2]string{{"cookie-name", "c"}}}
	r := apply(t, v, pushOf(t, bad), Direct)
	assert.Equal(t, router.ActionReloadRefused, r.Action)
	assert.Equal(t, 0, r.Exit)
	assert.True(t, r.Live.Rewritten)
	assert.Equal(t, good.WorkerAfter, r.WorkerAfter)
	assert.Contains(t, r.Applied().CheckOutput, "appsession")
	f, err := v.Files(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, string(f.Live), string(f.Serving))
	assert.Contains(t, f.Refusal, "appsession")

	again := apply(t, v, pushOf(t, bad), Direct)
	assert.Equal(t, router.ActionNone, again.Action, "the same bad file is not noticed again")
	repaired := apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.Equal(t, router.ActionReload, repaired.Action)
}

func TestDeadHAProxy(t *testing.T) {
	t.Parallel()
	v := open(t, listTree(t))
	apply(t, v, pushOf(t, plain(8080)), Direct)
	_, err := v.Systemctl(t.Context(), "stop", "haproxy")
	require.NoError(t, err)
	f, err := v.Files(t.Context())
	require.NoError(t, err)
	assert.Zero(t, f.MasterPID)
	_, err = v.Admin(t.Context(), "show info")
	require.ErrorIs(t, err, router.ErrNotRunning)

	same := apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.Equal(t, router.ActionNone, same.Action)
	assert.Zero(t, same.WorkerAfter, "an identical push does not start a dead HAProxy")
	other := apply(t, v, pushOf(t, sticky(8080)), Direct)
	assert.Equal(t, router.ActionStart, other.Action)
	assert.NotZero(t, other.WorkerAfter)
}

func TestAggregatedFormCollapsesBlanks(t *testing.T) {
	t.Parallel()
	v := open(t, listTree(t))
	p := pushOf(t, plain(8080))
	r := apply(t, v, p, Aggregated)
	assert.Equal(t, router.ActionReload, r.Action, "%+v", r)
	f, err := v.Files(t.Context())
	require.NoError(t, err)
	assert.Contains(t, string(f.Live), "\ttimeout connect 5000\n")
	direct := apply(t, v, p, Direct)
	assert.Equal(t, router.ActionReload, direct.Action, "the same command is another file when it comes directly")
}

func TestTreeWithoutADefaultFileStartsHAProxyWithTheFirstPush(t *testing.T) {
	t.Parallel()
	o := listTree(t)
	o.Tree += "/debian/opt" // has no opt/cloud
	_, err := Open(t.Context(), o)
	var u *Unsupported
	require.ErrorAs(t, err, &u)

	o = Options{Tree: treeWithoutDefault(t), Interpreter: interpreters}
	v := open(t, o)
	r := apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.Equal(t, router.ActionStart, r.Action)
	assert.Zero(t, r.WorkerBefore)
}

func TestCrash(t *testing.T) {
	t.Parallel()
	v := open(t, treeOf(t, scriptstest.Crash))
	r := apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.Equal(t, 1, r.Exit)
	assert.True(t, r.Crashed())
	assert.False(t, r.Masked())
	assert.Contains(t, r.Stderr, "planted crash before the new file")
	assert.False(t, r.New.Exists)
	assert.Equal(t, router.ActionNone, r.Action)
	assert.NotZero(t, r.WorkerAfter, "HAProxy goes on")
}

func TestFileRefusedByTheScriptsThemselves(t *testing.T) {
	t.Parallel()
	v := open(t, treeOf(t, scriptstest.Check))
	good := apply(t, v, pushOf(t, plain(8080)), Direct)
	require.Equal(t, router.ActionReload, good.Action, "%+v", good)
	r := apply(t, v, pushOf(t, rule{port: 8080, method: "AppCookie", params: [][2]string{{"cookie-name", "c"}}}),
		Direct)
	assert.Equal(t, router.ActionRejected, r.Action, "%+v", r)
	assert.Equal(t, 1, r.Exit)
	assert.False(t, r.Crashed())
	assert.False(t, r.Masked())
	assert.Equal(t, good.Live.Hash, r.Live.Hash)
	assert.NotEmpty(t, r.Pending)
	assert.Contains(t, r.Applied().CheckOutput, "appsession")
	assert.True(t, r.Applied().Different)
}

func TestHangIsEndedWithItsLastWords(t *testing.T) {
	o := treeOf(t, scriptstest.Hang)
	o.Limit = 700 * time.Millisecond
	v := open(t, o)
	before, err := v.Files(t.Context())
	require.NoError(t, err)
	r := apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.True(t, r.TimedOut)
	assert.Equal(t, "SIGKILL", r.Signal)
	assert.Contains(t, r.Stdout, "waiting for something that never comes")
	assert.False(t, r.Masked(), "nobody knows what it would have done")
	for _, p := range processesOf(pid()) {
		assert.NotContains(t, p, "trap", "what the script left behind is still there")
		assert.NotContains(t, p, "sleep", "what it started while it was being ended is still there")
	}
	after, err := v.Files(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before.MasterPID, after.MasterPID, "HAProxy goes on")
}

func TestCleanEnvironment(t *testing.T) {
	t.Setenv("COLUMNS", "20")
	t.Setenv("PYTHONPATH", "/nowhere")
	v := open(t, listTree(t))
	r := apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.Equal(t, router.ActionReload, r.Action, "a narrow COLUMNS hides HAProxy in the list of processes")
}

func TestPushThatCannotBeRendered(t *testing.T) {
	t.Parallel()
	v := open(t, listTree(t))
	p := pushOf(t, plain(8080))
	p.MaxConn = "many"
	_, err := v.Apply(t.Context(), p, Direct)
	require.ErrorContains(t, err, "maxconn")
	assert.Equal(t, router.ActionReload, apply(t, v, pushOf(t, plain(8080)), Direct).Action)
}

func TestItemFile(t *testing.T) {
	p := pushOf(t, sticky(8080), rule{port: 9090, revoked: true})
	rendered, err := router.Render(p, router.Rules{})
	require.NoError(t, err)
	rendered.Config = append(rendered.Config, "<&>")
	name, content, err := itemFile(p, rendered, time.UnixMilli(1234))
	require.NoError(t, err)
	assert.Regexp(t, `^load_balancer\.json\.[0-9a-f-]{36}$`, name)
	assert.NotContains(t, string(content), "\n", "one line, or the aggregated form breaks")
	assert.Contains(t, string(content), `"<&>"`)
	var got map[string]any
	require.NoError(t, json.Unmarshal(content, &got))
	assert.Equal(t, "loadbalancer", got["type"])
	assert.Equal(t, false, got["delete_from_processed_cache"])
	rules, ok := got["rules"].([]any)
	require.True(t, ok)
	require.Len(t, rules, 1)
	one, ok := rules[0].(map[string]any)
	require.True(t, ok)
	assert.Equal(t, "/etc/haproxy/", one["tmp_cfg_file_path"])
	assert.Equal(t, "haproxy.cfg.new.1234", one["tmp_cfg_file_name"])
	assert.Equal(t, "169.254.228.201", one["router_ip"])
	assert.Equal(t, []any{"192.168.2.5:8080:"}, one["add_rules"])
	assert.Equal(t, []any{"192.168.2.5:9090:"}, one["remove_rules"])
	assert.Equal(t, []any{"192.168.2.4:8081:0/0:,"}, one["stat_rules"])
	assert.Len(t, one["configuration"], len(rendered.Config))

	rendered.AddRules, rendered.RemoveRules = nil, nil
	_, content, err = itemFile(p, rendered, time.UnixMilli(1234))
	require.NoError(t, err)
	assert.NotContains(t, string(content), ":null", "the scripts walk over the lists")
}
