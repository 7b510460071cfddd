package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func groupGuards() harness.Scenario {
	return harness.Scenario{
		ID: "A-02", Title: "a rule with an autoscale group cannot lose its rule, address or members",
		Group:  result.GroupAutoscale,
		Guards: []string{"#9587"}, Needs: []harness.Capability{harness.API}, Twins: []release.Knob{fault.GuardMissing,
			fault.AssignGuardMissing, fault.MemberGuardMissing, fault.EnabledUpdateAllowed},
		Run: story.Of(func(t *story.T) {
			net := t.NewAccount().Isolated()
			other := net.NewVM()
			group := net.Group("guarded", 2)
			t.AwaitMembers(group)
			member := group.VMs()[0].ID
			t.ExpectRefused(530, "deleteLoadBalancerRule", group.Account, cloud.Params{"id": group.ID})
			t.ExpectRefused(530, "assignToLoadBalancerRule", group.Account,
				cloud.Params{"id": group.ID, "virtualmachineids": other.ID})
			t.ExpectRefused(431, "removeFromLoadBalancerRule", group.Account,
				cloud.Params{"id": group.ID, "virtualmachineids": member})
			t.ExpectRefused(431, "stopVirtualMachine", group.Account, cloud.Params{"id": member})
			t.ExpectRefused(431, "destroyVirtualMachine", group.Account, cloud.Params{"id": member})
			// minimum and maximum may change where the release says so (#13148); the interval never
			t.ExpectRefused(431, "updateAutoScaleVmGroup", group.Account, cloud.Params{"id": group.GroupID,
				"interval": "60"})
			t.ExpectListed(group.Rule)
			t.ExpectMembers(group)

			group.Address.Firewall(22)
			t.ExpectRefused(530, "disassociateIpAddress", group.Account, cloud.Params{"id": group.Address.ID})
			t.ExpectListed(group.Rule)
			t.KnownDefect(group.Address.FirewallCount() == 0,
				"disassociateIpAddress of an address with an autoscale group is refused after its firewall rules "+
					"were removed",
				"IpAddressManagerImpl.java@4.20.0.0, cloudstack.md 1.3")
		}),
	}
}
