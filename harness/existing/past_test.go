package existing

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/mgmtlog"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/router"
)

func rulesOf(t *testing.T, release string) router.Rules {
	t.Helper()
	rules, err := router.RulesFor(release)
	require.NoError(t, err)
	return rules
}

// storyB are the recorded pushes of a server of 4.19.1.0 to one router: the fifth and all later ones differ from what
// was there before in the order of lines alone.
func storyB(t *testing.T) []router.Push {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "testdata", "conformance", "4.19.1.0", "story-b-50-groups.log.gz"))
	require.NoError(t, err)
	defer f.Close()
	in, err := gzip.NewReader(f)
	require.NoError(t, err)
	pushes, _, err := router.ReadPushes(in)
	require.NoError(t, err)
	return pushes
}

func TestPastBeginsWithTheLastPushesThatAreSurelyWritten(t *testing.T) {
	p := &past{rules: rulesOf(t, "4.19.1.0")}
	story := storyB(t)
	require.Len(t, story, 58)
	assert.Equal(t, 0, p.first(story), "only the first push and the fourth are written for sure")
	var growing []router.Push
	for n := range 6 {
		push := story[0]
		push.LoadBalancers = push.LoadBalancers[:n+1]
		growing = append(growing, push)
	}
	assert.Equal(t, len(growing)-writes, p.first(growing))
	assert.Zero(t, p.cut)
	var long []router.Push
	for range 4 {
		long = append(long, story[4:]...)
	}
	assert.Equal(t, len(long)-pastLimit, p.first(long))
	assert.Equal(t, 1, p.cut)
}

// TestShadowOfARouterThatWasThereBefore: a shadow that knew the newest push alone would show what the router never got.
func TestShadowOfARouterThatWasThereBefore(t *testing.T) {
	rules := rulesOf(t, "4.19.1.0")
	story := storyB(t)
	live := func(first func([]router.Push) int, pushes ...router.Push) string {
		f := fleet.New(t.TempDir(), rules, nil)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
		for _, p := range pushes[first(pushes):] {
			require.NoError(t, f.Push(t.Context(), p.Router(), p))
		}
		files, err := f.Peek(t.Context(), story[0].Router())
		require.NoError(t, err)
		return string(files.Live)
	}
	all := func([]router.Push) int { return 0 }
	p := &past{rules: rules}
	for _, n := range []int{1, 4, 5, 30, 58} {
		assert.Equal(t, live(all, story[:n]...), live(p.first, story[:n]...), fmt.Sprint(n))
	}
	assert.NotEqual(t, live(all, story...), live(mgmtlog.Newest, story...), "the newest push alone hides what was lost")
}

func TestPastNotes(t *testing.T) {
	assert.Empty(t, (&past{}).notes())
	assert.Equal(t, []string{"routers that had pushes before the run (2): their shadows start from the log's pushes " +
		"that can still show"}, (&past{routers: 2}).notes())
	assert.Contains(t, (&past{routers: 2, cut: 1}).notes()[0], "; for 1 of them these are more than 200")
}
