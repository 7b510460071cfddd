package scenarios

import (
	"fmt"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

func groupsSticky() harness.Scenario {
	return harness.Scenario{
		ID: "L-04", Title: "story B: stickiness changed while one of many autoscale groups is disabled is in force after it is enabled",
		Group: result.GroupLB, Weight: 10,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []string{"vr-compare-as-set", "push-lost", "push-stale", "push-partial", "policy-dropped", "policy-wrong-rule", "policy-removed-on-disable",
			"policy-not-removed", "sticky-delete-ignored", "enable-without-push", "disable-without-push", "members-lost-on-disable",
			"rule-unlisted", "router-file-stale", "router-reload-skipped", "router-table-cleared", "router-policy-on-wrong-section"},
		Run: func(t *harness.T) {
			for _, count := range t.GroupCounts(2, 10, 50) {
				stickyWhileDisabled(t, count)
			}
		},
	}
}

// stickyWhileDisabled has count groups on one router, all but the last with the same source policy; the last gets it, and
// later loses it, while it is disabled. The control is a rule without a policy in front of the same members.
func stickyWhileDisabled(t *harness.T, count int) {
	tier := t.NewAccount().VPC().Tier()
	groups := make([]*harness.Group, count)
	for i := range groups {
		groups[i] = tier.Group(fmt.Sprintf("group %d of %d", i+1, count), 2)
	}
	t.AwaitMembers(groups...)
	changed, others := groups[count-1], groups[:count-1]
	control := tier.LoadBalancer("control").Assign(append(changed.VMs(), others[0].VMs()...)...)
	for _, g := range others {
		g.Stick()
	}
	t.ExpectSticky(control, others[0].Rule)
	t.ExpectFree(control, changed.Rule)

	pushes := tier.CountPushes()
	changed.Disable()
	pushes.ExpectSent("disableAutoScaleVmGroup", 1)
	t.ExpectListed(changed.Rule)
	changed.Stick()
	pushes.ExpectSent("createLBStickinessPolicy while disabled", 1)
	changed.Enable()
	pushes.ExpectSent("enableAutoScaleVmGroup", 1)
	t.ExpectMembers(changed)
	t.ExpectPolicies(changed.Rule, "SourceBased")
	t.ExpectAgreement(tier, changed.Rule, others[0].Rule)
	t.ExpectSticky(control, changed.Rule)

	changed.Disable()
	changed.Unstick()
	changed.Enable()
	pushes.ExpectSent("disabling, deleting the policy and enabling", 3)
	t.ExpectPolicies(changed.Rule)
	t.ExpectAgreement(tier, changed.Rule, others[0].Rule)
	t.ExpectFree(control, changed.Rule)
}
