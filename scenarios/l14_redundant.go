package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func redundantRouters() harness.Scenario {
	return harness.Scenario{
		ID: "L-14", Title: "redundant routers have the same rules, also after a change", Group: result.GroupLB,
		Priority: 1,
		Guards:   []string{"#9587"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.BackupRouterForgotten, fault.PolicyDropped, fault.PushLost, fault.RouterFileStale},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPCNamed("Redundant VPC offering").Tier()
			vms := tier.VMs(2)
			a, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			routers := tier.Routers()
			if len(routers) != 2 {
				t.Inconclusive("the VPC has routers %v, want two", routers)
			}
			t.ExpectFree(control, a)
			t.ExpectSameFiles(routers[0], routers[1])
			a.Stick()
			t.ExpectSticky(control, a)
			t.ExpectSameFiles(routers[0], routers[1])
			beside := tier.VPC.Tier() // a push is sent for a tier, and goes to both routers whichever it is
			b := beside.LoadBalancer("B").Assign(beside.NewVM())
			t.ExpectSameFiles(routers[0], routers[1])
			b.Give(story.SourcePolicy("300k", "10m"))
			t.ExpectSameFiles(routers[0], routers[1])
			tier.StopRouter(routers[0])
			t.RequireNewRouter(tier, routers[0])
			t.ExpectSticky(control, a) // clients may have moved: tables are not shared
			t.ExpectAgreement(tier)
		}),
	}
}
