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

// sequence is a row of pushes whose fate was measured on the scripts of 4.19.1.0 and 4.20.0.0.
type sequence struct {
	name  string
	steps []step
}

type step struct {
	rules      []rule
	aggregated bool
	masked     bool // by 4.19.1.0; no step is by 4.20.0.0
}

func sequences() []sequence {
	a, b := plain(8080), plain(8082)
	stickyA, stickyB := sticky(8080), sticky(8082)
	fewer := stickyA
	fewer.servers = 2
	tableSize := rule{port: 8082, method: "SourceBased", params: [][2]string{{"tablesize", "10k"}}}
	cookie := func(port int) rule {
		return rule{port: port, method: "LbCookie", params: [][2]string{{"cookie-name", "lb"}, {"mode", "insert"}}}
	}
	least := func(port int) rule { return rule{port: port, algorithm: "leastconn"} }
	appB := rule{port: 8082, method: "AppCookie", params: [][2]string{{"cookie-name", "app"}}}
	revokedB := rule{port: 8082, revoked: true}
	push := func(rules ...rule) step { return step{rules: rules} }
	lost := func(rules ...rule) step { return step{rules: rules, masked: true} }
	whole := func(rules ...rule) step { return step{rules: rules, aggregated: true} }
	return []sequence{
		{"the four commands", []step{push(a, b), push(stickyA, b), lost(stickyA, stickyB), push(stickyA, b)}},
		{"removal while the sibling keeps its policy", []step{push(a, b), push(fewer, stickyB), lost(fewer, b)}},
		{"policy moves from A to B", []step{push(stickyA, b), lost(a, stickyB)}},
		{"another table size", []step{push(stickyA, b), push(stickyA, tableSize)}},
		{"algorithms exchanged", []step{push(a, least(8082)), lost(least(8080), b)}},
		{"both to none", []step{push(a, b), push(fewer, stickyB), push(a, b)}},
		{"the pending change arrives with another one", []step{push(stickyA, b), lost(stickyA, stickyB), push(fewer, stickyB)}},
		{"cookies stand in the server lines", []step{push(cookie(8080), b), push(cookie(8080), cookie(8082)), push(cookie(8080), b)}},
		{"refused file", []step{push(a, b), push(a, appB), push(a, appB), push(a, b)}},
		{"revoked rule", []step{push(a, b), push(a, revokedB)}},
		{"aggregated, then a masked change is not", []step{whole(stickyA, b), push(stickyA, stickyB), lost(stickyA, b)}},
		{"aggregated, then the same directly", []step{whole(stickyA, b), push(stickyA, b), push(stickyA, b)}},
	}
}

func (s sequence) pushes(tb testing.TB) []router.Push {
	tb.Helper()
	var list []router.Push
	for _, step := range s.steps {
		p := pushOf(tb, step.rules...)
		p.Aggregated = step.aggregated
		list = append(list, p)
	}
	return list
}

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
		{"set", Options{Tree: scriptstest.Tree(tb, scriptstest.Set)}, router.Rules{CompareAsSet: true}},
		{"list", Options{Tree: scriptstest.Tree(tb, scriptstest.List)}, router.Rules{KeepAliveLeaks: true}},
		{"check", Options{Tree: scriptstest.Tree(tb, scriptstest.Check)}, router.Rules{CheckBeforeUse: true, FrontendFirst: true}},
	}
	if tree := os.Getenv("STACKPROOF_SYSTEMVM_TREE"); tree != "" {
		rules, err := router.RulesFor(os.Getenv("STACKPROOF_SYSTEMVM_RELEASE"))
		require.NoError(tb, err)
		list = append(list, subject{"real", Options{
			Tree: tree, Interpreter: os.Getenv("STACKPROOF_SYSTEMVM_PYTHON"), PythonPath: os.Getenv("STACKPROOF_SYSTEMVM_PYTHONPATH"),
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
	for _, subject := range subjects(t) {
		for _, sequence := range sequences() {
			t.Run(subject.name+"/"+sequence.name, func(t *testing.T) {
				t.Parallel()
				v, m := open(t, subject.options), model(t, subject.rules)
				found, err := Compare(t.Context(), v, m, subject.rules, sequence.pushes(t))
				require.NoError(t, err)
				assert.Empty(t, found)
				for i, applied := range m.History() {
					assert.Equal(t, sequence.steps[i].masked && subject.rules.CompareAsSet, applied.Masked, "push %d", i+1)
				}
			})
		}
	}
}

func TestModelDoesWhatTheScriptsDoWithRecordedPushes(t *testing.T) {
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

func TestComparisonFindsAFaultOfTheModel(t *testing.T) {
	v, m := open(t, setTree(t)), model(t, router.Rules{CompareAsSet: false})
	found, err := Compare(t.Context(), v, m, router.Rules{}, sequences()[0].pushes(t))
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
