package scenarios

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
)

func equalIDs() harness.Scenario {
	return harness.Scenario{
		ID: "U-03", Title: "control: a rule whose id equals its helper id shows nothing", Group: result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(),
		Inconclusive: "with equal ids a server with the defect finds the right row, so nothing is shown (T1); this " +
			"keeps anybody from simplifying U-01",
		Run: story.Of(func(t *story.T) {
			rule := t.NewAccount().VPC().Tier().LoadBalancer("A")
			t.Drain()
			t.RequireOpen(rule)
			t.RequireEqual(rule)
			rule.Delete()
			t.Drain()
			t.ExpectClosed(rule)
		}),
	}
}
