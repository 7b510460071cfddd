package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// lists: each list has something that its filter must leave out. What the database holds is compared at the end of
// every story (story.Of); here something of each kind was made, changed and taken away.
func lists() harness.Scenario {
	return harness.Scenario{
		ID: "L-81", Title: "lists of rules, groups and policies have what they are asked for, page by page, for each " +
			"account", Group: result.GroupLB, Guards: []string{"#9587", "#7174"},
		Needs: pushNeeds(),
		Twins: []release.Knob{fault.ListNetworkIgnored, fault.ListGroupsAll, fault.ListCountOfPage,
			fault.ListOthersShown, fault.PolicyRowsLeft, fault.MemberRowsLeft, fault.UpdateNotStored,
			fault.EmptyRuleActive, fault.RuleListedAfterDelete, fault.StickyListEmpty},
		Run: story.Of(func(t *story.T) {
			mine, other := t.NewAccount(), t.NewAccount()
			vpc := mine.VPC()
			tier, beside := vpc.Tier(), vpc.Tier()
			foreign := other.VPC().Tier().LoadBalancer("foreign")
			second := tier.Address()
			a, b := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}), tier.LoadBalancerAs("B",
				story.Form{On: second})
			c, d := beside.LoadBalancer("C"), beside.LoadBalancer("D")
			vm := tier.NewVM()
			a.Assign(vm)
			b.Assign(vm)
			d.Assign(beside.NewVM())
			a.Stick()
			d.Stick()
			policy := a.Policy
			b.Remove(vm)
			a.Update(cloud.Params{"algorithm": "leastconn", "protocol": "tcp"})
			d.Delete()
			a.Tag("of", "mine")
			expectRules(t, mine, other, a, b, c, foreign)
			rules := t.ListAs(mine, "listLBStickinessPolicies", "stickinesspolicies")
			rules.ExpectInside("rule", cloud.Params{"lbruleid": a.ID}, "stickinesspolicy", policy)
			rules.ExpectInside("rule without one", cloud.Params{"lbruleid": c.ID}, "stickinesspolicy")
			g, h := beside.Group("group", 1), beside.Group("other", 2)
			t.AwaitMembers(g, h)
			groups := t.ListAs(mine, "listAutoScaleVmGroups", "autoscalevmgroup")
			groups.Expect("nothing", nil, g.GroupID, h.GroupID)
			groups.Expect("rule", cloud.Params{"lbruleid": g.ID}, g.GroupID)
			groups.Expect("id", cloud.Params{"id": h.GroupID}, h.GroupID)
			groups.Expect("profile", cloud.Params{"vmprofileid": g.ProfileID()}, g.GroupID, h.GroupID)
			t.ListAs(other, "listAutoScaleVmGroups", "autoscalevmgroup").Expect("another account", nil)
			h.DeleteGroup()
			t.PassGrace()
			groups.Expect("nothing, after a delete", nil, g.GroupID)
			t.ExpectContent(tier)
		}),
	}
}

// expectRules: a, b and c are live rules of one account, a and b in one tier and on two addresses.
func expectRules(t *story.T, mine, other *story.Account, a, b, c, foreign *story.Rule) {
	rules := t.ListAs(mine, "listLoadBalancerRules", "loadbalancerrule")
	rules.Expect("nothing", nil, a.ID, b.ID, c.ID)
	rules.ExpectPages(nil, 2, a.ID, b.ID, c.ID)
	rules.Expect("id", cloud.Params{"id": b.ID}, b.ID)
	rules.Expect("name", cloud.Params{"name": c.ListedName()}, c.ID)
	rules.Expect("network", cloud.Params{"networkid": a.Network.ID}, a.ID, b.ID)
	rules.Expect("address", cloud.Params{"publicipid": b.Address.ID}, b.ID)
	rules.Expect("tag", cloud.Params{"tags[0].key": "of", "tags[0].value": "mine"}, a.ID)
	t.ListAs(other, "listLoadBalancerRules", "loadbalancerrule").Expect("another account", nil, foreign.ID)
	t.ListAsAdmin("listLoadBalancerRules", "loadbalancerrule").Expect("account and domain",
		cloud.Params{"account": mine.Name, "domainid": mine.DomainID}, a.ID, b.ID, c.ID)
}
