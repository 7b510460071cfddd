package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func deletedBeforeFirstRun() harness.Scenario {
	return harness.Scenario{
		ID: "U-19", Title: "a rule that lived before the first usage run has one closed row and one short record",
		Group: result.GroupUsage, Priority: 1,
		Guards: storyA(), Needs: append(usageNeeds(), harness.UsageServers), KnownBad: helperIDBug(),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsageCloseNothing, fault.UsageDeletesFirst},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			account.Skew(20)
			tier := account.VPC().Tier()
			t.EndUsage(harness.FirstHost, harness.Stopped)
			rule, survivor := tier.LoadBalancer("A"), tier.LoadBalancer("survivor")
			rule.Delete()
			t.StartUsage(harness.FirstHost)
			t.Drain()
			t.Drains(1)
			t.ExpectClosed(rule)
			t.ExpectBilledFor(rule)
			t.ExpectOpen(survivor)
			t.RequireApart(rule)
		}),
	}
}

func shortLife() harness.Scenario {
	return harness.Scenario{
		ID: "U-20", Title: "a rule created and deleted within one usage window is billed for its seconds",
		Group: result.GroupUsage, Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsageDeletesFirst, fault.UsageRecordTooLong},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			account.Skew(20)
			tier := account.VPC().Tier()
			survivor := tier.LoadBalancer("survivor")
			t.Drain()
			rule := t.WithinOneWindow(func() *story.Rule {
				r := tier.LoadBalancer("A")
				r.Delete()
				return r
			})
			t.Drains(1)
			t.ExpectClosed(rule)
			t.ExpectBilledFor(rule)
			t.ExpectOpen(survivor)
			t.RequireApart(rule)
		}),
	}
}

func equalSeconds() harness.Scenario {
	return harness.Scenario{
		ID: "U-21", Title: "rules created and deleted in the same second, behind a backlog, leave no open row",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#10789"}, Needs: append(usageNeeds(), harness.UsageServers, harness.Forge),
		Twins: []release.Knob{fault.UsageTiesShuffled, fault.UsageDeletesFirst},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			t.EndUsage(harness.FirstHost, harness.Stopped)
			account.Backlog(5000) // small batches stay in order by chance
			rules := tier.LoadBalancers(20)
			for _, rule := range rules {
				rule.DeleteAtOnce()
			}
			t.StartUsage(harness.FirstHost)
			t.Drain()
			t.ExpectClosed(rules...)
		}),
	}
}

func failedCreate() harness.Scenario {
	return harness.Scenario{
		ID: "U-22", Title: "an LB rule whose creation failed leaves no open usage row and no bill",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#10789"}, Needs: append(usageNeeds(), harness.PushFault), KnownBad: helperIDBug(),
		Twins: []release.Knob{fault.FailedCreateEventLost, fault.UsageCloseNothing, fault.UsageRecordTooLong},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			account.Skew(20)
			network := account.Isolated()
			network.NewVM()
			fault := t.FailFirewall(1)
			rule := network.FailedLoadBalancer("A")
			fault.RequireMet(1)
			t.Drain()
			t.Drains(1)
			t.ExpectRows(rule.Billed(), 0, 1)
			t.ExpectBilledFor(rule)
			t.RequireApart(rule)
		}),
	}
}
