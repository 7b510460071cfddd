package harness_test

import (
	"context"
	"testing"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

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
