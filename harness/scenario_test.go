package harness_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
)

func threeScenarios() harness.Catalogue {
	return harness.Catalogue{{ID: "U-01"}, {ID: "U-02", Priority: 1}, {ID: "L-01"}}
}

func TestSelect(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		want     []string
	}{
		{nil, []string{"U-01", "L-01"}},
		{[]string{"u-*"}, []string{"U-01", "U-02"}},
		{[]string{"L-01", "U-02"}, []string{"U-02", "L-01"}},
		{[]string{"*"}, []string{"U-01", "U-02", "L-01"}},
	} {
		got, err := threeScenarios().Select(c.patterns...)
		require.NoError(t, err)
		assert.Equal(t, c.want, got.IDs(), "%v", c.patterns)
	}
}

func TestSelectNamesTheNearest(t *testing.T) {
	_, err := threeScenarios().Select("L-1")
	assert.ErrorContains(t, err, "did you mean L-01?")
	_, err = threeScenarios().Select("[")
	assert.Error(t, err)
}

func TestNearest(t *testing.T) {
	words := []string{"release", "repeat", "scenario"}
	assert.Equal(t, "release", harness.Nearest("relase", words))
	assert.Equal(t, "repeat", harness.Nearest("REPAET", words))
	assert.Empty(t, harness.Nearest("x", nil))
}

// noTamper is a harness.Tamper that is there and does nothing.
type noTamper struct{ harness.Tamper }

// TestLabOnly: what must not be done to a live site is unsupported there, whatever the target says of itself.
func TestLabOnly(t *testing.T) {
	for _, need := range []harness.Capability{harness.Forge, harness.UsageServers, harness.Upgrade} {
		s := harness.Scenario{ID: "X-01", Needs: []harness.Capability{need}, Run: harnesstest.Checked}
		for want, site := range map[result.Verdict]harness.Site{result.Unsupported: {},
			result.Pass: {Tamper: noTamper{}}} {
			run, err := harness.Run(context.Background(), &harnesstest.FakeTarget{Template: site},
				harness.Plan{Scenarios: harness.Catalogue{s}, Progress: harnesstest.Silent{}})
			require.NoError(t, err)
			assert.Equal(t, want, run.Results[0].Verdict, "%s: %s", need, run.Results[0].Reason)
		}
	}
}
