package existing

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/fleet"
)

func TestWaitedFor(t *testing.T) {
	assert.Equal(t, "1 usage run was waited for: a", waitedFor([]string{"a"}))
	assert.Equal(t, "2 usage runs were waited for: a; b", waitedFor([]string{"a", "b"}))
}

// TestChecks: what a zone of simulated hosts answers for a router's own checks no script has said.
func TestChecks(t *testing.T) {
	shadowed, tree := &watcher{fleet: &fleet.Fleet{}}, Options{Scripts: &fleet.Scripts{}}
	for name, c := range map[string]struct {
		target *Target
		want   harness.Checks
	}{
		"real hosts":               {&Target{}, harness.ChecksOfRouter},
		"simulated":                {&Target{simulated: true, watch: shadowed}, harness.ChecksOfModel},
		"shadows of a tree":        {&Target{simulated: true, watch: shadowed, opts: tree}, harness.ChecksNotRun},
		"a tree, but nothing runs": {&Target{simulated: true, opts: tree}, harness.ChecksOfModel},
	} {
		assert.Equal(t, c.want, c.target.checks(), name)
	}
}
