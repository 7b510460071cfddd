package witness_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/harness/witness"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/push"
)

// told tells a story on a lab of its own and looks at its site before it is closed.
func told(t *testing.T, o lab.Options, tell func(*story.T), look func(*harness.Site)) result.Case {
	t.Helper()
	harnesstest.NeedLab(t)
	o.Workers = 1
	target, err := lab.New(o)
	require.NoError(t, err)
	defer func() { assert.NoError(t, target.Close(context.WithoutCancel(t.Context()))) }()
	return harness.RunScenario(t.Context(), target, harness.Scenario{ID: "L-00",
		Run: func(a *harness.Attempt, s *harness.Site) {
			story.Of(tell)(a, s)
			look(s)
		}}, harness.Plan{Seed: 1, Repeat: 1, Progress: harnesstest.Silent{}})
}

// TestEveryFieldOfAPushIsJudged changes each field of a push, one at a time: each is noticed. Unchanged, the push is
// what the API says.
func TestEveryFieldOfAPushIsJudged(t *testing.T) {
	noticed := 0
	c := told(t, lab.Options{Release: release.Default}, func(t *story.T) {
		tier := t.NewAccount().VPC().Tier()
		vms := tier.VMs(2)
		tier.LoadBalancer("sticky").Assign(vms...).Stick()
		tier.LoadBalancerAs("proxy", story.Form{Protocol: "tcp-proxy", CIDRs: []string{"198.18.0.0/15"},
			Algorithm: "source"}).Assign(vms...)
		t.ExpectContent(tier)
	}, func(s *harness.Site) {
		name := s.Journal.Receivers()[0]
		all := s.Journal.Since(name, 0)
		newest := all[len(all)-1]
		w := witness.New(witness.Options{Cloud: s.Cloud, Release: s.Release, IDs: usageprobe.New(s.DB).InternalID})
		differences := func(p router.Push) []witness.Difference {
			found, err := w.Against(t.Context(), time.Time{}, name, p)
			require.NoError(t, err)
			return found
		}
		require.Empty(t, differences(newest), "the push as it was sent")
		wrapped, err := json.Marshal(map[string]json.RawMessage{push.LoadBalancerCommand: newest.Raw})
		require.NoError(t, err)
		fields, err := push.FieldsOf(wrapped)
		require.NoError(t, err)
		require.Equal(t, fault.PushFields(), fields, "the push has every field")
		for _, field := range fields {
			text, err := push.ChangeField(wrapped, field)
			require.NoError(t, err)
			changed, err := router.ParsePush(text)
			require.NoError(t, err, field)
			assert.NotEmpty(t, differences(changed), "another %s is not noticed", field)
			noticed++
		}
	})
	assert.Equal(t, result.Pass, c.Verdict, c.Reason)
	assert.Equal(t, len(fault.PushFields()), noticed)
}

// TestRoutersThatCheck: pushes are held against the API there, too, until a router refuses one.
func TestRoutersThatCheck(t *testing.T) {
	const checks = "4.22.1.0"
	require.True(t, release.Where(release.RouterVerifies).Contains(checks))
	for planted, want := range map[release.Knob]result.Verdict{
		"": result.Pass, fault.PushFieldChanged.With("loadBalancers.algorithm"): result.Fail,
	} {
		knobs, err := release.ProfileKnobs(checks)
		require.NoError(t, err)
		if planted != "" {
			require.NoError(t, fault.Set(knobs, planted))
		}
		c := told(t, lab.Options{Release: checks, Knobs: knobs}, func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			tier.LoadBalancer("A").Assign(tier.VMs(2)...)
			t.Checked(1)
		}, func(s *harness.Site) { assert.Zero(t, s.Journal.Refused()) })
		assert.Equal(t, want, c.Verdict, "%s: %s", planted, c.Reason)
	}
}
