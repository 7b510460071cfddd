package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// unappliedListed: the control is the list of those that are behind the rule.
func unappliedListed() harness.Scenario {
	return harness.Scenario{
		ID: "L-52", Title: "VMs of the network that are not behind a rule are listed as such", Group: result.GroupLB,
		Priority: 2, Guards: []string{"#7174"}, Needs: []harness.Capability{harness.API},
		KnownBad: known(release.UnappliedNeverListed,
			"listLoadBalancerRuleInstances applied=false walks the mapped VMs alone, and they all "+
				"count as applied (docs/findings/unapplied-never-listed.md)",
			result.EmptyList),
		Cures: []release.Knob{release.UnappliedNeverListed.Off()},
		Twins: []release.Knob{release.UnappliedNeverListed, fault.InstanceListShort},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(3)
			r := tier.LoadBalancer("A").Assign(vms[:2]...)
			t.ExpectApplied(r, true, result.WrongMembers, vms[:2]...)
			t.ExpectApplied(r, false, result.EmptyList, vms[2:]...)
		}),
	}
}
