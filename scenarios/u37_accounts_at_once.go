package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// accountsAtOnce has the accounts own nothing: where one is lost, the site's usage runs go on.
func accountsAtOnce() harness.Scenario {
	return harness.Scenario{
		ID: "U-37", Title: "accounts made side by side while usage runs are all known to the usage server",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#5587"}, Needs: usageNeeds(), Twins: []release.Knob{fault.UsageAccountLost},
		Run: story.Of(func(t *story.T) {
			t.NewAccount()
			t.Drain()
			made := t.AccountsDuringUsageRun(4)
			t.DrainUnjudged()
			t.ExpectKnownToUsage(made...)
		}),
	}
}
