package scripts

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

// subject is a tree with the rules that the model has for it.
type subject struct {
	name    string
	options Options
	rules   router.Rules
}

// subjects are our own trees, and a real one where the environment names it.
func subjects(tb testing.TB) []subject {
	tb.Helper()
	list := []subject{
		{"set", treeOf(tb, scriptstest.Set), router.Rules{CompareAsSet: true}},
		{"list", treeOf(tb, scriptstest.List), router.Rules{KeepAliveLeaks: true}},
		{"check", treeOf(tb, scriptstest.Check),
			router.Rules{CheckBeforeUse: true, FrontendFirst: true, EndsTLS: true}},
	}
	if tree := os.Getenv("STACKPROOF_SYSTEMVM_TREE"); tree != "" {
		rules, err := router.RulesFor(os.Getenv("STACKPROOF_SYSTEMVM_RELEASE"))
		require.NoError(tb, err)
		list = append(list, subject{"real", Options{
			Tree: tree, Interpreter: os.Getenv("STACKPROOF_SYSTEMVM_PYTHON"),
			PythonPath: os.Getenv("STACKPROOF_SYSTEMVM_PYTHONPATH"),
		}, rules})
	}
	return list
}

// model is router's model with a HAProxy of its own.
func model(tb testing.TB, rules router.Rules) *router.Router {
	tb.Helper()
	n, err := network.New("model")
	if err != nil {
		tb.Skip(err)
	}
	tb.Cleanup(func() { require.NoError(tb, n.Close()) })
	m, err := router.New(router.Options{Name: "r-3-VM", Dir: tb.TempDir(), Rules: rules, Host: n})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, m.Close()) })
	return m
}

func TestModelDoesWhatTheScriptsDo(t *testing.T) {
	t.Parallel()
	for _, subject := range subjects(t) {
		for _, sequence := range Sequences() {
			t.Run(subject.name+"/"+sequence.Name, func(t *testing.T) {
				t.Parallel()
				v, m := open(t, subject.options), model(t, subject.rules)
				found, err := Compare(t.Context(), v, m, subject.rules, sequence.Pushes())
				require.NoError(t, err)
				assert.Empty(t, found)
				for i, applied := range m.History() {
					assert.Equal(t, sequence.Steps[i].Masked && subject.rules.CompareAsSet, applied.Masked, "push %d",
						i+1)
				}
			})
		}
	}
}

func TestModelDoesWhatTheScriptsDoWithRecordedPushes(t *testing.T) {
	t.Parallel()
	byRouter := map[string][]router.Push{}
	for _, p := range recorded(t, "4.20.0.0", "lb-config-commands.log") {
		byRouter[p.Router()] = append(byRouter[p.Router()], p)
	}
	for _, subject := range subjects(t) {
		for name, pushes := range byRouter {
			t.Run(subject.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				v, m := open(t, subject.options), model(t, subject.rules)
				found, err := Compare(t.Context(), v, m, subject.rules, pushes)
				require.NoError(t, err)
				assert.Empty(t, found)
				masked := slices.ContainsFunc(m.History(), func(a router.Applied) bool { return a.Masked })
				if !subject.rules.CompareAsSet {
					assert.False(t, masked)
				}
			})
		}
	}
}

// TestModelDoesWhatTheScriptsDoInStoryB plays 50 groups behind one router, equal policies, as recorded. The set
// comparison loses all but four of the pushes. The model, which names the lost ones, must agree with the scripts about
// each.
func TestModelDoesWhatTheScriptsDoInStoryB(t *testing.T) {
	t.Parallel()
	pushes := recorded(t, "4.19.1.0", "story-b-50-groups.log.gz")
	v, m := open(t, setTree(t)), model(t, router.Rules{CompareAsSet: true})
	found, err := Compare(t.Context(), v, m, router.Rules{CompareAsSet: true}, pushes)
	require.NoError(t, err)
	assert.Empty(t, found)
	masked := 0
	for _, a := range m.History() {
		if a.Masked {
			masked++
		}
	}
	if os.Getenv("STACKPROOF_CONFORMANCE") == "" {
		assert.Equal(t, 54, masked, "of 58 recorded pushes")
	}
	assert.NotZero(t, masked)
}

func TestComparisonFindsAFaultOfTheModel(t *testing.T) {
	t.Parallel()
	v, m := open(t, setTree(t)), model(t, router.Rules{CompareAsSet: false})
	found, err := Compare(t.Context(), v, m, router.Rules{}, Sequences()[0].Pushes())
	require.NoError(t, err)
	require.NotEmpty(t, found)
	var what []string
	for _, f := range found {
		assert.GreaterOrEqual(t, f.Push, 3, f)
		if f.Push == 3 {
			what = append(what, f.What)
		}
		if f.Push == 3 && f.What == "live file" {
			require.Len(t, f.Sections, 1)
			assert.Equal(t, "192_168_2_5-8082", f.Sections[0].Name)
			assert.Contains(t, f.Sections[0].Lines, "- stick on src")
		}
	}
	assert.Equal(t, []string{"action", "masked", "live file replaced", "live file", "file that HAProxy serves"}, what)
}
