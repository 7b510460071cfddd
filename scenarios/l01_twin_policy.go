package scenarios

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
)

func twinPolicyApplied() harness.Scenario {
	return harness.Scenario{
		ID: "L-01", Title: "a source policy that equals a sibling's is applied", Group: result.GroupLB,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []string{"vr-compare-as-set", "push-lost", "push-stale", "push-partial", "policy-dropped", "policy-wrong-rule", "member-missing",
			"sticky-list-empty", "instance-list-short", "push-lost-members", "router-change-lost-once", "router-file-stale", "router-reload-skipped",
			"router-table-cleared", "router-table-tiny", "router-expire-short", "router-server-missing", "router-rule-missing",
			"router-policy-on-wrong-section"},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, a, b)
			t.ExpectAgreement(tier)
			a.Stick()
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			t.ExpectFree(control, b)
			b.Stick()
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a, b)
			if t.Failed() {
				tier.LoadBalancer("heals").Assign(tier.NewVM())
				t.Diagnose("after a server was added to another rule", control, b)
			}
		}),
	}
}
