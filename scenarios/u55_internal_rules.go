package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// internalRules: every release meters a rule of createLoadBalancer as it meters one with a public address
// (ApplicationLoadBalancerManagerImpl.persistLbRule@4.18.2.5 to main, and one delete for both). The controls are a
// sibling that lives on and a public rule.
func internalRules() harness.Scenario {
	return harness.Scenario{
		ID: "U-55", Title: "rules of an internal load balancer are billed from their creation to their delete",
		Group: result.GroupUsage, Priority: 1, Guards: append(storyA(), "#7266"), Needs: usageNeeds(),
		KnownBad: helperIDBug(result.BilledAfterEnd, result.NotBilled),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.InternalRuleUnmetered, fault.InternalDeleteEventLost,
			fault.ReleaseEventLost, fault.UsageRecordTooLong},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			account.Skew(20)
			vpc := account.VPC()
			public, tier := vpc.Tier().LoadBalancer("public"), vpc.InternalTier()
			dies, stays := tier.InternalLoadBalancer("A"), tier.InternalLoadBalancer("B")
			t.Drain()
			t.RequireRowOpen(public.Billed())
			t.ExpectOpen(dies, stays)
			t.RequireApart(dies, stays, public)
			t.PassHalfWindow()
			dies.Delete()
			t.DrainThrough(1)
			t.ExpectOneDeleteEvent(dies)
			t.ExpectClosed(dies)
			t.ExpectBilledFor(dies)
			t.ExpectOpen(stays, public)
			t.ExpectFullWindow(stays, public)
			tier.Delete()
			t.DrainThrough(1)
			t.ExpectOneDeleteEvent(stays)
			t.ExpectClosed(stays)
			t.ExpectOpen(public)
		}),
	}
}
