package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// routerBlocked: the controls are the same changes before the policy, and again after a balancing change that the
// router takes. A policy that the API itself refuses reaches no router.
func routerBlocked() harness.Scenario {
	return harness.Scenario{
		ID: "L-66", Title: "a balancing change that its router refuses stops no other change of that router",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#11468", "#3253"}, Needs: routerNeeds(),
		KnownBad: heldRefusal(),
		Cures:    []release.Knob{release.RefusedConfigBlocksRouter.Off()},
		About:    []release.Knob{release.RouterVerifies},
		Twins:    []release.Knob{release.RefusedConfigBlocksRouter, fault.PolicyDropped},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier, isolated := account.VPC().Tier(), account.Isolated()
			for _, n := range []*story.Network{tier, isolated} {
				vms := n.VMs(1)
				rule, sibling := n.LoadBalancer("A").Assign(vms...), n.LoadBalancer("B").Assign(vms...)
				others := []story.Other{n.Forwarding(vms[0])}
				if n == tier {
					others = append(others, n.Filtering())
				} else {
					others = append(others, n.Opening())
				}
				t.RequireDone("before anything", others...)
				refusal := rule.TryGive(story.AppCookiePolicy("SID"))
				t.RequireRefused(refusal)
				t.ExpectDone(others...)
				if refusal == nil {
					rule.Unstick()
				}
				sibling.Stick()
				t.ExpectAgreement(n)
				t.RequireDone("after a balancing change that the router took", others...)
				t.ExpectDelivered(n)
			}
		}),
	}
}

// heldRefusal is a defect of the router's own code.
func heldRefusal() harness.Known {
	defect := known(release.RefusedConfigBlocksRouter, "a router keeps the configuration that it refused, and "+
		"port forwarding, firewall and network ACL changes fail until the next that it takes "+
		"(docs/findings/refused-config-blocks-router.md)", result.RouterBlocked)
	defect.Router = true
	return defect
}
