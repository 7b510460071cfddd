package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// deletePath is U-01 with another way for the rules to die: with what they hang on. The survivor is a rule that hangs
// on something else.
func deletePath(id, way string, twins []release.Knob, tell func(t *story.T) (dead []*story.Rule, survivor *story.Rule,
	remove func())) harness.Scenario {
	return harness.Scenario{
		ID: id, Title: "LB rules that die with " + way + " are no longer billed", Group: result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(),
		Twins: append([]release.Knob{release.UsageCloseByHelperID, fault.ReleaseEventLost}, twins...),
		Run: story.Of(func(t *story.T) {
			t.NewAccount().Skew(20)
			dead, survivor, remove := tell(t)
			t.Drain()
			all := append([]*story.Rule{survivor}, dead...)
			t.RequireOpen(all...)
			t.RequireApart(all...)
			t.PassHalfWindow()
			remove()
			t.DrainThrough(1)
			t.ExpectOneDeleteEvent(dead...)
			t.ExpectClosed(dead...)
			for _, rule := range dead {
				t.ExpectBilledFor(rule)
			}
			t.ExpectOpen(survivor)
			t.ExpectFullWindow(survivor)
		}),
	}
}

func addressRelease() harness.Scenario {
	return deletePath("U-05a", "their address", []release.Knob{fault.DeleteEventTwice, fault.UsageIPCloseNothing},
		func(t *story.T) ([]*story.Rule, *story.Rule, func()) {
			tier := t.NewAccount().VPC().Tier()
			ip := tier.Address()
			dead := []*story.Rule{tier.LoadBalancerOn(ip, "A", "roundrobin"),
				tier.LoadBalancerOn(ip, "B", "roundrobin")}
			return dead, tier.LoadBalancer("survivor"), ip.Release
		})
}

func networkDelete() harness.Scenario {
	return deletePath("U-05b", "their tier", []release.Knob{fault.UsageNetworkCloseNothing},
		func(t *story.T) ([]*story.Rule, *story.Rule, func()) {
			vpc := t.NewAccount().VPC()
			tier, other := vpc.Tier(), vpc.Tier()
			return tier.LoadBalancers(2), other.LoadBalancer("survivor"), tier.Delete
		})
}

func vpcDelete() harness.Scenario {
	return deletePath("U-05c", "their VPC, whose tiers go first", []release.Knob{fault.UsageVPCCloseNothing},
		func(t *story.T) ([]*story.Rule, *story.Rule, func()) {
			account := t.NewAccount()
			vpc, other := account.VPC(), account.VPC()
			tier := vpc.Tier()
			return tier.LoadBalancers(2), other.Tier().LoadBalancer("survivor"), func() {
				tier.Delete()
				vpc.Delete()
			}
		})
}

func offeringChange() harness.Scenario {
	return deletePath("U-05d", "an offering change that ends load balancing", []release.Knob{fault.UsageCloseNothing},
		func(t *story.T) ([]*story.Rule, *story.Rule, func()) {
			vpc := t.NewAccount().VPC()
			tier, other := vpc.Tier(), vpc.Tier()
			return tier.LoadBalancers(2), other.LoadBalancer("survivor"), tier.DropLB
		})
}

// projectDelete: what belongs to a project is billed to an account of the project's own, which goes with it.
func projectDelete() harness.Scenario {
	s := deletePath("U-05f", "their project", []release.Knob{fault.UsageIgnoreRemovedAccounts},
		func(t *story.T) ([]*story.Rule, *story.Rule, func()) {
			administrator := t.NewAccount()
			project := administrator.Project("project")
			return project.VPC().Tier().LoadBalancers(2), administrator.VPC().Tier().LoadBalancer("survivor"),
				project.Delete
		})
	s.Priority = 1
	return s
}

func accountDelete() harness.Scenario {
	return deletePath("U-05e", "their account", []release.Knob{fault.UsageIgnoreRemovedAccounts,
		fault.UsageDeadAccountUnbilled},
		func(t *story.T) ([]*story.Rule, *story.Rule, func()) {
			account, other := t.NewAccount(), t.NewAccount()
			return account.VPC().Tier().LoadBalancers(2), other.VPC().Tier().LoadBalancer("survivor"), account.Delete
		})
}
