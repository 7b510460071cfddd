package harness

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// PortForward is a port forwarding rule.
type PortForward struct {
	*Account
	Name, ID   string
	InternalID int64
}

// Billed is the rule as it is billed.
func (p *PortForward) Billed() Billed {
	return Billed{p.Name, usageprobe.Ref{Kind: usageprobe.KindPF, ID: p.InternalID}}
}

// PortForward forwards the address's next public port to the VM.
func (n *Network) PortForward(ip *Address, name string, vm *VM) *PortForward {
	defer n.t.step("port forwarding rule %s", name)()
	p := &PortForward{Account: n.Account, Name: name}
	port := ip.nextPort
	ip.nextPort++
	p.ID, p.InternalID, _ = made(n.Account, "port forwarding rule", n.t.unique("pf-"+name), "cloud.firewall_rules",
		func(ctx context.Context) (*cloud.Creating[cloud.PortForwardingRule], error) {
			return n.Cloud.CreatePortForwardingRule(ctx, cloud.PortForwardingSpec{IPAddressID: ip.ID, NetworkID: n.ID, VMID: vm.ID, Protocol: "tcp",
				PublicPort: port, PrivatePort: port})
		})
	return p
}

// Delete deletes the rule.
func (p *PortForward) Delete() {
	t := p.t
	defer t.step("delete port forwarding rule %s", p.Name)()
	t.pass(apart)
	t.must(p.Cloud.DeletePortForwardingRule(t.ctx, p.ID), "deleting port forwarding rule %s", p.Name)
	t.must(t.removed(p.ID, nil), "noting the removal of port forwarding rule %s", p.Name)
	t.pass(apart)
}

// portForwardAhead is aheadOf for port forwarding rules.
func (t *T) portForwardAhead(p *PortForward) int {
	if t.sharesRuns() {
		return t.ahead("NET.RULEADD", "usage_port_forwarding")
	}
	t.Drain()
	t.RequireRowOpen(p.Billed())
	return int(p.InternalID - t.watch.rows(p.Billed())[0].HelperID)
}

// CrossedPortForwards creates port forwarding rules until one's id is the helper id of another; at least count.
func (t *T) CrossedPortForwards(n *Network, vm *VM, skew, count int) []*PortForward {
	defer t.step("port forwarding rules with crossed ids")()
	n.Skew(skew)
	ip := n.Address()
	rules := []*PortForward{n.PortForward(ip, "P1", vm)}
	ahead := t.portForwardAhead(rules[0])
	if ahead+1 > t.site.SkewBudget {
		t.Inconclusive("rule ids are %d ahead of helper ids, so a crossing takes %d port forwarding rules of one account; the budget is %d (--skew-budget)",
			ahead, ahead+1, t.site.SkewBudget)
	}
	t.alone(func() {
		if t.site.Gate != nil { // others have made rules since
			ahead = 1 + t.ahead("NET.RULEADD", "usage_port_forwarding")
			if lb := t.ahead("LB.CREATE", "usage_load_balancer_policy"); !leavesRoom(lb, ahead+1, t.site.SkewBudget) {
				t.Inconclusive("crossing takes %d port forwarding rules, after which LB rules' ids would be %d ahead of their helper ids for good: too far for U-02 and U-04 on this "+
					"server (--skew-budget is %d)", ahead+1, lb+ahead+1, t.site.SkewBudget)
			}
		}
		for len(rules) < max(count, ahead+1) {
			rules = append(rules, n.PortForward(ip, fmt.Sprintf("P%d", len(rules)+1), vm))
		}
	})
	t.Drain()
	return rules
}

// leavesRoom says whether rules of another kind may be made although they set LB rules' ids further apart from their helper ids: a
// crossing of LB rules takes one rule more than that, now and in all later runs on the server.
func leavesRoom(ahead, more, budget int) bool { return ahead+more <= budget*19/20 }
