package existing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

// TestUsageServerThatFails loses one of the accounts that a run makes, so that its first event ends every usage run of
// the site (confirmed.md 31): told once, with what is missing, and not as each scenario's affair.
func TestUsageServerThatFails(t *testing.T) {
	t.Parallel()
	s := standWith(t, "4.20.1.0", nil, []release.Knob{fault.UsageAccountLost})
	_, err := s.zone.RunUsage(t.Context())
	require.NoError(t, err)
	c := s.config()
	c.Log = config.Log{}
	run, _ := carryOut(t, c, "U-01", "U-07", "U-08")
	require.Len(t, run.Results, 4, reasons(run))
	for _, one := range run.Results[:3] {
		assert.Equal(t, result.Inconclusive, one.Verdict, reasons(run))
		assert.Contains(t, one.Reason, "each of its runs fails (see the case site)")
	}
	site := run.Results[3]
	assert.Equal(t, harness.SiteID, site.ID)
	assert.Equal(t, result.Fail, site.Verdict)
	assert.Regexp(t, `its last \d runs failed \(job \d+ to .*\); the oldest event .* is \d+, [A-Z.]+ of resource \d+, account \d+, .* no row in cloud_usage.account`, site.Reason)
	assert.Equal(t, result.LostAccount, site.Findings[0].Class)

	f := found(t, c, harness.UsageRun)
	assert.Equal(t, finding.Broken, f.State, f)
	assert.Contains(t, f.Evidence, "no row in cloud_usage.account")
	assert.Contains(t, f.Remedy, "copy the account's row")
}
