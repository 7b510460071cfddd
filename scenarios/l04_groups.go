package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func groupsSticky() harness.Scenario {
	return harness.Scenario{
		ID: "L-04", Title: "story B: stickiness changed while one of many autoscale groups is disabled is in force " +
			"after it is enabled",
		Group: result.GroupLB, Weight: 10,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []release.Knob{release.VRCompareAsSet, fault.PushLost, fault.PushStale, fault.PushPartial,
			fault.PolicyDropped, fault.PolicyWrongRule, fault.PolicyRemovedOnDisable,
			fault.PolicyNotRemoved, fault.StickyDeleteIgnored, fault.EnableWithoutPush, fault.DisableWithoutPush,
			fault.MembersLostOnDisable,
			fault.RuleUnlisted, fault.RouterFileStale, fault.RouterReloadSkipped, fault.RouterTableCleared,
			fault.RouterPolicyOnWrongSection,
			fault.PushLostWhileEnabled, fault.ReplacedPolicyPushed, fault.PolicyLostWithMembers},
		Run: story.Of(func(t *story.T) {
			counts := t.GroupCounts(harness.DefaultGroups()...)
			for _, count := range counts {
				stickyGroups(t, count, count == t.FewestTwins(counts) && !t.Swept())
			}
			t.RequireTwinPolicies(counts)
		}),
	}
}

// stickyGroups tells the story with count groups on one router. The control is a rule without a policy in front of the
// same members. With one group it is a control of the story itself: no other rule has the same lines, so that no
// comparison of files can swallow its changes. The variants need a sibling with the same lines and no more.
func stickyGroups(t *story.T, count int, variants bool) {
	tier := t.NewAccount().VPC().Tier()
	groups := tier.Groups(count, 2)
	t.AwaitMembers(groups...)
	changed, others := groups[count-1], groups[:count-1]
	// none where the group is alone
	first, last := story.Rules(others[:min(1, count-1)]), story.Rules(others[max(0, count-2):])
	control := tier.LoadBalancer("control").Assign(story.Together(groups[0], groups[max(0, count-2)], changed)...)
	for _, g := range others { // enabled, one after the other: on 4.19.1.0 only the first comes into force
		g.Stick()
	}
	t.ExpectAgreement(tier)
	t.ExpectFree(control, changed.Rule)
	t.ExpectSticky(control, last...)

	changedWhileDisabled(t, tier, control, changed)
	if variants {
		changedWhileEnabled(t, tier, control, changed)
	}
	t.ExpectSticky(control, first...)
	if variants {
		withoutMembers(t, tier.Group("without members", 2))
	}
}

// changedWhileDisabled gives the group its policy, and takes it away, while it is disabled.
func changedWhileDisabled(t *story.T, tier *story.Network, control *story.Rule, g *story.Group) {
	pushes := tier.CountPushes()
	g.Disable()
	pushes.ExpectSent("disableAutoScaleVmGroup", 1)
	t.ExpectListed(g.Rule)
	g.Stick()
	pushes.ExpectSent("createLBStickinessPolicy while disabled", 1)
	g.Enable()
	pushes.ExpectSent("enableAutoScaleVmGroup", 1)
	t.ExpectMembers(g)
	t.ExpectPolicies(g.Rule, "SourceBased")
	t.ExpectAgreement(tier)
	t.ExpectSticky(control, g.Rule)

	g.Disable()
	g.Unstick()
	g.Enable()
	pushes.ExpectSent("disabling, deleting the policy and enabling", 3)
	t.ExpectPolicies(g.Rule)
	t.ExpectAgreement(tier)
	t.ExpectFree(control, g.Rule)
}

// changedWhileEnabled changes the policy of an enabled group, its method there and back, and takes it away.
func changedWhileEnabled(t *story.T, tier *story.Network, control *story.Rule, g *story.Group) {
	pushes := tier.CountPushes()
	g.Stick()
	pushes.ExpectSent("createLBStickinessPolicy while enabled", 1)
	t.ExpectAgreement(tier)
	t.ExpectSticky(control, g.Rule)
	g.Give(story.CookiePolicy("SRV"))
	t.ExpectPolicies(g.Rule, "LbCookie")
	t.ExpectAgreement(tier)
	t.ExpectCookie(control, g.Rule)
	g.Stick()
	t.ExpectPolicies(g.Rule, "SourceBased")
	t.ExpectAgreement(tier)
	t.ExpectSticky(control, g.Rule)
	g.Unstick()
	t.ExpectAgreement(tier)
	t.ExpectFree(control, g.Rule)
}

// withoutMembers has a group that was just made get its policy while it is disabled; its members come after it is
// enabled.
func withoutMembers(t *story.T, g *story.Group) {
	g.Disable()
	t.NoteMembers(g)
	g.Stick()
	g.Enable()
	t.AwaitMembers(g)
	t.ExpectPolicies(g.Rule, "SourceBased")
	t.ExpectAgreement(g.Network)
	t.ExpectSticky(g.Network.LoadBalancer("its control").Assign(g.VMs()...), g.Rule)
}
