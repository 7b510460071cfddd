package fleet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

// variant opens the scripts of a tree of ours. It skips where the machine lacks a part.
func variant(tb testing.TB, name string, limit time.Duration) *Scripts {
	tb.Helper()
	if err := network.Check(); err != nil {
		tb.Skip(err)
	}
	s, err := OpenScripts(tb.Context(), scripts.Options{Tree: scriptstest.Tree(tb, name), Limit: limit}, "")
	var u *scripts.Unsupported
	if errors.As(err, &u) {
		tb.Skip(err)
	}
	require.NoError(tb, err)
	return s
}

func newFleet(tb testing.TB, s *Scripts, answers Answers) *Fleet {
	tb.Helper()
	f := New(tb.TempDir(), router.Rules{}, nil)
	tb.Cleanup(func() { require.NoError(tb, f.Close()) })
	require.NoError(tb, f.Run(s, answers))
	return f
}

// twinCommands are the pushes of #9583, whose third the set comparison loses.
func twinCommands() (name string, pushes []router.Push) {
	s := scripts.Sequences()[0]
	return s.Name, s.Pushes()
}

// The scripts leave the same whether they run as pushes arrive, or for all of them in order at the first look.
func TestRealScriptsInBothOrders(t *testing.T) {
	for _, c := range []struct {
		tree   string
		masked bool
	}{{scriptstest.Set, true}, {scriptstest.List, false}} {
		s := variant(t, c.tree, 0)
		for _, answers := range []Answers{Awaited, Ignored} {
			name, pushes := twinCommands()
			f := newFleet(t, s, answers)
			for _, p := range pushes[:3] {
				require.NoError(t, f.Push(t.Context(), name, p))
			}
			before, err := f.routers[name].machine.Files(t.Context())
			if answers == Ignored {
				require.ErrorContains(t, err, "no push has reached the router's scripts",
					"nothing runs before the first look")
			} else {
				require.NoError(t, err)
				assert.Equal(t, 1, before.Workers)
			}
			files, err := f.Files(t.Context(), name)
			require.NoError(t, err)
			assert.Equal(t, c.masked, string(files.New) != string(files.Live), "%s, answers awaited: %t", c.tree,
				answers)
			assert.Equal(t, string(files.Live), string(files.Serving))

			mark, err := f.routers[name].Mark(t.Context())
			require.NoError(t, err)
			assert.Contains(t, mark, "pushes 3")
			_, has, err := f.routers[name].Table(t.Context(), pushes[2].LoadBalancers[1].Name())
			require.NoError(t, err)
			assert.Equal(t, !c.masked, has, "%s: a stick table of the masked policy", c.tree)

			// After the first look each push acts at once.
			require.NoError(t, f.Push(t.Context(), name, pushes[3]))
			now, err := f.routers[name].machine.Files(t.Context())
			require.NoError(t, err)
			assert.NotEqual(t, string(files.New), string(now.New))
		}
	}
}

func TestARouterWithRealScriptsStopsAndStarts(t *testing.T) {
	name, pushes := twinCommands()
	f := newFleet(t, variant(t, scriptstest.List, 0), Awaited)
	require.NoError(t, f.Push(t.Context(), name, pushes[1]))
	require.NoError(t, f.RouterState(t.Context(), name, "Stopped"))
	files, err := f.Files(t.Context(), name)
	require.NoError(t, err)
	assert.Zero(t, files.MasterPID)
	require.ErrorIs(t, f.Push(t.Context(), name, pushes[2]), router.ErrStopped)
	require.NoError(t, f.RouterState(t.Context(), name, "Running"))
	files, err = f.Files(t.Context(), name)
	require.NoError(t, err)
	assert.NotZero(t, files.MasterPID)
	assert.Equal(t, string(files.Live), string(files.Serving))
	require.NoError(t, f.Push(t.Context(), name, pushes[2]))
}

func TestBrokenScriptsAreToldOf(t *testing.T) {
	for _, c := range []struct{ tree, want string }{
		{scriptstest.Crash, "router the-four-commands: the router's scripts crashed on push 1 (exit status 1, no " +
			"new file): RuntimeError: planted crash"},
		{scriptstest.Hang, `the router's scripts hung on push 1 and were ended after`},
	} {
		s := variant(t, c.tree, 2*time.Second)
		for _, answers := range []Answers{Awaited, Ignored} {
			name, pushes := twinCommands()
			f := newFleet(t, s, answers)
			err := f.Push(t.Context(), name, pushes[0])
			assert.Equal(t, answers == Awaited, err != nil, "%s: %v", c.tree, err)
			for range 2 {
				_, err = f.Files(t.Context(), name)
				require.ErrorContains(t, err, "on push 1", "no look at a broken router shows anything")
			}
			require.Len(t, f.Troubles(), 1)
			assert.ErrorContains(t, f.Troubles()[0], c.want)
		}
	}
	f := newFleet(t, variant(t, scriptstest.List, 0), Awaited)
	name, pushes := twinCommands()
	require.NoError(t, f.Push(t.Context(), name, pushes[0]))
	assert.Empty(t, f.Troubles())
}

// What a router's own check refuses is answered to the management server, and no trouble of the scripts.
func TestScriptsThatCheckRefuse(t *testing.T) {
	var name string
	var pushes []router.Push
	for _, s := range scripts.Sequences() {
		if s.Name == "refused-file" {
			name, pushes = s.Name, s.Pushes()
		}
	}
	f := newFleet(t, variant(t, scriptstest.Check, 0), Awaited)
	require.NoError(t, f.Push(t.Context(), name, pushes[0]))
	var rejected *router.RejectedError
	require.ErrorAs(t, f.Push(t.Context(), name, pushes[1]), &rejected)
	assert.Empty(t, f.Troubles())
	_, err := f.Files(t.Context(), name)
	require.NoError(t, err)
}

func TestReleaseOfScripts(t *testing.T) {
	s := variant(t, scriptstest.List, 0)
	assert.Empty(t, s.Release())
	assert.Regexp(t, `^real scripts of the folder \S+ \(release unknown\), HAProxy \d+\.\d+\.\d+`, s.String())
	dir := scriptstest.Tree(t, scriptstest.List)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pom.xml"),
		[]byte(`<project><groupId>org.apache.cloudstack</groupId><version>4.20.2.0</version></project>`), 0o600))
	for _, c := range []struct{ given, want string }{{"", "4.20.2.0"}, {"4.19.1.0", "4.19.1.0"}} {
		s, err := OpenScripts(t.Context(), scripts.Options{Tree: dir}, c.given)
		require.NoError(t, err)
		assert.Equal(t, c.want, s.Release(), "given %q", c.given)
		assert.Regexp(t, `^real scripts of `+c.want+`, HAProxy`, s.String())
	}
}

type modelFaults struct{ Sound }

func (modelFaults) Router() router.Faults { return router.Faults{NeverCopies: true} }

func TestFaultsOfTheModelAreRefused(t *testing.T) {
	f := New(t.TempDir(), router.Rules{}, modelFaults{})
	assert.ErrorContains(t, f.Run(&Scripts{}, Awaited), "planted in the model")
	assert.NoError(t, f.Run(nil, Awaited))
}
