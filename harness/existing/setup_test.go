package existing

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone"
)

// refusing makes the next jobs of commands fail, and counts all of them.
type refusing struct {
	mu    sync.Mutex
	left  map[string]int
	asked map[string]int
}

func (r *refusing) refuses(command string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked != nil {
		r.asked[command]++
	}
	r.left[command]--
	return r.left[command] >= 0
}

func (r *refusing) begin(left map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left, r.asked = map[string]int{}, map[string]int{}
	for command, n := range left {
		r.left[command] = n
	}
}

// TestRefusedSetUp: what a story stands on and a loaded server refuses, because a router's start is late, is made again
// as a new object, a bounded number of times, and the report says so. What is under test never is.
func TestRefusedSetUp(t *testing.T) {
	t.Parallel()
	var r refusing
	r.begin(nil)
	s := standLoaded(t, "4.20.1.0", zone.Load{Refuses: r.refuses}, nil, nil)
	target, err := Open(t.Context(), Options{Name: "existing", Config: s.config(), TempDir: t.TempDir()})
	require.NoError(t, err)
	defer func() { assert.NoError(t, target.Close(t.Context())) }()
	for name, c := range map[string]struct {
		left  map[string]int
		want  result.Verdict
		again int            // refusals in the report
		asked map[string]int // jobs of a command
	}{
		"nothing refused": {nil, result.Pass, 0, map[string]int{"createVPC": 1, "associateIpAddress": 1}},
		"both late": {map[string]int{"createVPC": 1, "associateIpAddress": 2}, result.Pass, 3,
			map[string]int{"createVPC": 2, "associateIpAddress": 3}},
		"late for ever": {map[string]int{"createVPC": 99}, result.Inconclusive, 2, map[string]int{"createVPC": 3}},
		"the rule itself": {map[string]int{"createLoadBalancerRule": 1}, result.Inconclusive, 0,
			map[string]int{"createLoadBalancerRule": 1}},
		"its policy": {map[string]int{"createLBStickinessPolicy": 1}, result.Inconclusive, 0,
			map[string]int{"createLBStickinessPolicy": 1}},
	} {
		r.begin(c.left)
		told := harness.Scenario{ID: "X-01", Run: story.Of(func(t *story.T) {
			t.NewAccount().VPC().Tier().LoadBalancer("A").Stick()
			t.Checked(1)
		})}
		run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: harness.Catalogue{told}, Seed: 1,
			Workers: 1, Progress: harnesstest.Silent{}})
		require.NoError(t, err)
		got := run.Results[0]
		assert.Equal(t, c.want, got.Verdict, "%s: %s", name, got.Reason)
		if c.want == result.Inconclusive {
			assert.Contains(t, got.Reason, "Unable to start a virtual router in time", name)
		}
		again := 0
		for _, e := range got.Evidence {
			if e.Title == "set up again" {
				again++
				assert.True(t, strings.Contains(e.Text, "vpc") || strings.Contains(e.Text, "address"), e.Text)
			}
		}
		assert.Equal(t, c.again, again, name)
		for command, n := range c.asked {
			assert.Equal(t, n, r.asked[command], "%s: jobs of %s", name, command)
		}
		assert.NotContains(t, verdicts(run), harness.LeaksID, "%s: a removal went wrong: %s", name, reasons(run))
	}
}

func TestMain(m *testing.M) {
	router.MaybeChild()
	goleak.VerifyTestMain(testhome.Around(m))
}
