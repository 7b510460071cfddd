package harness

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// noTamper is a Tamper that is there and does nothing.
type noTamper struct{ Tamper }

// TestLabOnly: what must not be done to a live site is unsupported there, whatever the target says of itself.
func TestLabOnly(t *testing.T) {
	for _, need := range []Capability{Forge, UsageServers, Upgrade} {
		s := Scenario{ID: "X-01", Needs: []Capability{need}, Run: checked}
		for want, site := range map[result.Verdict]Site{result.Unsupported: {}, result.Pass: {Tamper: noTamper{}}} {
			run, err := Run(context.Background(), &fakeTarget{site: site}, Plan{Scenarios: Catalogue{s}, Progress: silent{}})
			require.NoError(t, err)
			assert.Equal(t, want, run.Results[0].Verdict, "%s: %s", need, run.Results[0].Reason)
		}
	}
}
