package scripts

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

var update = flag.Bool("update", false, "write the golden files")

func diff(tb testing.TB, a, b Options, pushes []router.Push) DiffResult {
	tb.Helper()
	r, err := Diff(tb.Context(), a, b, router.Rules{}, pushes)
	skipIfUnsupported(tb, err)
	require.NoError(tb, err)
	return r
}

// Without a recording, the built-in pushes tell a set comparison from a list comparison, and name every step it loses.
// Three of them show it: one with a lost push, one with a refused file, one in the aggregated form.
// TestModelDoesWhatTheScriptsDo plays all of them through both trees.
func TestDiffOfTheBuiltInPushes(t *testing.T) {
	t.Parallel()
	var all, pushes []router.Push
	var expected []int
	for _, s := range Sequences() {
		all = append(all, s.Pushes()...)
		if !slices.Contains([]string{"policy-moves", "refused-file", "aggregated-then-one-more-policy"}, s.Name) {
			continue
		}
		for _, step := range s.Steps {
			pushes = append(pushes, step.Push)
			if step.Masked {
				expected = append(expected, len(pushes))
			}
		}
	}
	require.Equal(t, all, BuiltInPushes())
	require.Len(t, expected, 2)
	r := diff(t, setTree(t), listTree(t), pushes)
	assert.Equal(t, expected, r.A.Masked)
	assert.Empty(t, r.B.Masked)
}

// Story B as recorded: 50 groups behind one router, equal policies. These are the first pushes, with the first that a
// set comparison loses; TestModelDoesWhatTheScriptsDoInStoryB plays all of them.
func TestDiffNamesTheMaskedPushesOfStoryB(t *testing.T) {
	t.Parallel()
	pushes := recorded(t, "4.19.1.0", "story-b-50-groups.log.gz")
	model, err := router.Play(t.Context(), pushes, router.Rules{CompareAsSet: true})
	require.NoError(t, err)
	first := slices.IndexFunc(model.Steps, func(s router.PlayStep) bool { return s.Masked })
	require.NotEqual(t, -1, first)
	pushes = pushes[:first+4]
	r := diff(t, setTree(t), listTree(t), pushes)
	var expected []int
	for i, s := range model.Steps[:len(pushes)] {
		if s.Masked {
			expected = append(expected, i+1)
		}
	}
	assert.Equal(t, expected, r.A.Masked)
	assert.Empty(t, r.B.Masked)
	assert.Empty(t, r.A.Crashed)
	assert.Empty(t, r.B.Crashed)
	require.Len(t, r.Steps, len(pushes))
	for i, s := range r.Steps {
		masked := model.Steps[i].Masked
		assert.Equal(t, masked, s.A.Live != s.B.Live, "push %d", s.Push)
		if masked {
			assert.Contains(t, s.Differs, AspectLive)
			assert.Contains(t, s.Differs, AspectSections)
			assert.NotEmpty(t, s.Sections, "push %d", s.Push)
			assert.Equal(t, router.ActionNone, s.A.Action, "push %d", s.Push)
		}
	}
}

func TestDiffOfEqualTreesIsEmpty(t *testing.T) {
	t.Parallel()
	r := diff(t, listTree(t), listTree(t), Sequences()[0].Pushes())
	assert.Zero(t, r.Differ)
	for _, s := range r.Steps {
		assert.Empty(t, s.Differs)
		assert.Empty(t, s.Sections)
	}
	assert.Contains(t, text(t, r), "no difference\n")
}

func TestDiffKeepsRoutersApart(t *testing.T) {
	t.Parallel()
	var pushes []router.Push
	for _, p := range Sequences()[0].Pushes() {
		other := p
		other.AccessDetails = map[string]string{"router.name": "r-9-VM"}
		pushes = append(pushes, p, other)
	}
	r := diff(t, setTree(t), listTree(t), pushes)
	assert.Equal(t, []int{5, 6}, r.A.Masked)
	assert.Equal(t, "r-9-VM", r.Steps[5].Router)
}

func TestDiffText(t *testing.T) {
	t.Parallel()
	a, b := setTree(t), listTree(t)
	r := diff(t, a, b, Sequences()[0].Pushes())
	got := text(t, r)
	for old, new := range map[string]string{a.Tree: "TREE_A", b.Tree: "TREE_B", r.A.Python: "PYTHON",
		r.A.HAProxy: "VERSION"} {
		got = strings.ReplaceAll(got, old, new)
	}
	got = regexp.MustCompile(`in \d+\.\d s`).ReplaceAllString(got, "in N s")
	golden := filepath.Join("testdata", "diff.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestDiffReportsACrash(t *testing.T) {
	t.Parallel()
	r := diff(t, listTree(t), treeOf(t, scriptstest.Crash), Sequences()[0].Pushes()[:1])
	assert.Equal(t, []int{1}, r.B.Crashed)
	require.Len(t, r.Steps, 1)
	assert.Equal(t, []string{AspectLive, AspectSections, AspectAction, AspectStatus}, r.Steps[0].Differs)
	assert.Contains(t, text(t, r), "none, exit 1")
}

func TestDiffNamesTheTreeThatCannotRun(t *testing.T) {
	bad := Options{Tree: t.TempDir()}
	_, err := Diff(t.Context(), listTree(t), bad, router.Rules{}, Sequences()[0].Pushes())
	var u *Unsupported
	require.ErrorAs(t, err, &u)
	assert.ErrorContains(t, err, bad.Tree)
	assert.Empty(t, processesOf(pid()), "the other tree's sandbox is still there")
}

func TestDiffJSON(t *testing.T) {
	t.Parallel()
	r := diff(t, setTree(t), listTree(t), Sequences()[0].Pushes())
	b, err := json.Marshal(r)
	require.NoError(t, err)
	var got struct {
		Schema int
		A      struct{ Masked []int }
		B      struct{ Masked []int }
		Steps  []struct {
			Form    string
			Differs []string
			A       struct{ Action string }
		}
	}
	require.NoError(t, json.Unmarshal(b, &got))
	assert.Equal(t, 1, got.Schema)
	assert.Equal(t, []int{3}, got.A.Masked)
	assert.NotNil(t, got.B.Masked, "an empty list, not null")
	require.Len(t, got.Steps, 4)
	assert.Equal(t, "direct", got.Steps[0].Form)
	assert.Equal(t, "none", got.Steps[2].A.Action)
	assert.NotNil(t, got.Steps[0].Differs)
}

func text(tb testing.TB, r DiffResult) string {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, r.WriteText(&b))
	return b.String()
}

func TestNumbers(t *testing.T) {
	assert.Equal(t, ": 1-3, 7, 9-10", numbers([]int{1, 2, 3, 7, 9, 10}))
	assert.Empty(t, numbers(nil))
}

func BenchmarkSandboxUp(b *testing.B) {
	o := listTree(b)
	for b.Loop() {
		v, err := Open(b.Context(), o)
		skipIfUnsupported(b, err)
		require.NoError(b, err)
		b.StopTimer()
		require.NoError(b, v.Close())
		b.StartTimer()
	}
}

func BenchmarkApplyWithReload(b *testing.B) {
	v := open(b, listTree(b))
	pushes := []router.Push{pushOf(b, sticky(8080), plain(8082)), pushOf(b, plain(8080), sticky(8082))}
	i := 0
	for b.Loop() {
		r := apply(b, v, pushes[i%2], Direct)
		require.Equal(b, router.ActionReload, r.Action)
		i++
	}
}
