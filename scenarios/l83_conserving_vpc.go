package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// conservingVPC: the controls are a rule with members of its own tier, and one of the other tier on the same address,
// which outlives the one that has members of both.
func conservingVPC() harness.Scenario {
	return harness.Scenario{
		ID: "L-83", Title: "a rule of a VPC in conserve mode balances to VMs of two tiers, and goes alone",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#12487"}, Needs: append(routerNeeds(), usageNeeds()...),
		About: []release.Knob{release.VPCConserveMode},
		Twins: []release.Knob{fault.OtherTierNotPushed, fault.PushLostMembers, fault.DeleteEventLost,
			fault.UsageCloseNothing},
		Run: story.Of(func(t *story.T) {
			if !t.HasParameter("createVPCOffering", "conservemode") {
				t.Unsupported("VPC offerings of this release have no conserve mode (#12487)")
			}
			offering := t.ConservingOffering()
			account := t.NewAccount()
			vpc := account.VPCNamed(offering)
			one, other, foreign := vpc.Tier(), vpc.Tier(), account.VPC().Tier()
			mine, others, stranger := one.VMs(2), other.VMs(2), foreign.NewVM()
			shared := one.Address()
			control := one.LoadBalancer("control").Assign(mine...)
			both := one.LoadBalancerOn(shared, "both", "roundrobin").Assign(mine...)
			second := other.LoadBalancerOn(shared, "second", "roundrobin").Assign(others...)
			t.ExpectRefusal(both.TryAssign(others[0]), 530, "a VM of another tier without its network")
			t.ExpectRefusal(both.TryAssignFrom(stranger, foreign), 530, "a VM of another VPC")
			t.ExpectCarriedOut(both.TryAssignFrom(others[0], other), "putting a VM of another tier behind both")
			t.ExpectMemberAddresses(both, result.WrongMembers, mine[0].IP, mine[1].IP, others[0].IP)
			t.ExpectContent(one)
			t.ExpectBackends(control, both, mine[0], mine[1], others[0])
			t.ExpectBackends(control, second, others...)
			t.Drain()
			t.RequireOpen(control, both, second)
			both.Delete()
			t.DrainThrough(1)
			t.ExpectGone(both)
			t.ExpectClosed(both)
			t.ExpectOpen(control, second)
			t.ExpectFullWindow(control, second)
			t.ExpectBackends(control, second, others...)
		}),
	}
}

// firewalledVPC: the control is an address whose firewall comes last.
func firewalledVPC() harness.Scenario {
	return harness.Scenario{
		ID: "L-84", Title: "an address of a VPC with a firewall takes rules before and after it is opened",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#12706"}, Needs: pushNeeds(),
		KnownBad: known(release.VPCFirewallBarsRules, "#12706: a firewall rule of a VPC has no network, and counts as "+
			"one of another (docs/findings/vpc-firewall-bars-rules.md)", result.WrongRefusal),
		Cures: []release.Knob{release.VPCFirewallBarsRules.Off()},
		About: []release.Knob{release.VPCFirewall},
		Twins: []release.Knob{release.VPCFirewallBarsRules, fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			offering := t.FirewalledOffering()
			tier := t.NewAccount().VPCNamed(offering).Tier()
			vms := tier.VMs(1)
			last, first, forwards := tier.Address(), tier.Address(), tier.Address()
			control := tier.LoadBalancerOn(last, "control", "roundrobin").Assign(vms...)
			t.ExpectCarriedOut(last.TryOpen(), "opening an address that balances load")
			t.ExpectCarriedOut(first.TryOpen(), "opening an address")
			t.ExpectCarriedOut(first.TryBalance(tier), "a load balancer rule on an address that is open")
			t.ExpectCarriedOut(forwards.TryOpen(), "opening an address")
			t.ExpectCarriedOut(forwards.TryForward(tier, vms[0]), "a port forwarding rule on an address that is open")
			t.ExpectListed(control)
			t.ExpectContent(tier)
		}),
	}
}
