package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func sourceList() harness.Scenario {
	return harness.Scenario{
		ID: "L-18", Title: "a rule's source list admits its clients and nobody else", Group: result.GroupLB,
		Priority: 1,
		Guards:   []string{"#6460", "#9313", "#11568"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.SourceListDropped, fault.SourceListCommas, fault.SourceListUnlisted,
			fault.RouterSourceListIgnored,
			fault.RouterWrongClientAddress, fault.RouterReloadSkipped},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			control := tier.LoadBalancer("control").Assign(vms...)
			t.ExpectAdmitted(control, t.Clients(31)...)
			some := t.Clients(3)
			a := tier.LoadBalancerFor("A", some[0].String()+"/32", some[2].String()+"/32").Assign(vms...)
			t.ExpectValidFile(tier)
			t.ExpectAgreement(tier)
			t.ExpectAdmitted(a, some[0], some[2])
			t.ExpectAdmitted(control, t.Clients(31)...)
			t.Note("source lists", "updateLoadBalancerRule takes cidrlist from 4.22 on (#11568); before, a list is "+
				"for life")
		}),
	}
}
