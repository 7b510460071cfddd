package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// failedAssign: the control is the same assignment, which succeeds when its push does.
func failedAssign() harness.Scenario {
	return harness.Scenario{
		ID:       "L-43",
		Title:    "an assignment whose push fails leaves the members that were there",
		Group:    result.GroupLB,
		Priority: 1,
		Guards:   []string{"#9587"},
		Needs:    []harness.Capability{harness.API, harness.PushLog, harness.PushFault},
		KnownBad: always(
			release.FailedAssignDropsMapping,
			"the roll-back of a failed assignment removes all addresses of its VMs "+
				"(docs/findings/failed-assign-drops-mapping.md)",
			result.HalfChanged,
		),
		Cures: []release.Knob{release.FailedAssignDropsMapping.Off()},
		Twins: []release.Knob{fault.FailedPushSucceeds, fault.PushLostMembers, fault.InstanceListShort},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			second := vms[0].SecondAddress()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(vms...)
			fails := t.FailPushes(1)
			t.ExpectError(
				r.TryAssignAddress(second),
				"putting a second address of a VM behind A while its router does "+
					"not answer",
			)
			fails.RequireMet(1)
			fails.End()
			t.ExpectMemberAddresses(r, result.HalfChanged, vms[0].IP, vms[1].IP)
			t.ExpectCarriedOut(r.TryAssignAddress(second), "the same with a router that answers")
			t.ExpectContent(tier)
		}),
	}
}

// tagsGo: the control is the tag of the rule while it lives, and that of a rule that lives on.
func tagsGo() harness.Scenario {
	return harness.Scenario{
		ID:       "L-44",
		Title:    "the tags of a rule go with it",
		Group:    result.GroupLB,
		Priority: 1,
		Guards:   []string{"#9587"},
		Needs:    []harness.Capability{harness.API},
		KnownBad: always(release.TagsOutliveRule,
			"the tags of a load balancer rule outlive it (docs/findings/tags-outlive-rule.md)", result.TagsLeft),
		Cures: []release.Knob{release.TagsOutliveRule.Off()},
		Twins: []release.Knob{fault.RuleListedAfterDelete},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			dies, lives := tier.LoadBalancer("dies"), tier.LoadBalancer("lives")
			for _, r := range []*story.Rule{dies, lives} {
				r.Tag("customer", r.Name)
				t.ExpectTags(r, 1)
			}
			dies.Delete()
			t.ExpectGone(dies)
			t.ExpectTags(dies, 0)
			t.ExpectTags(lives, 1)
		}),
	}
}
