package harness

import (
	"context"
	"net/netip"

	"github.com/stackproof/stackproof/harness/cloud"
)

// internalOffering is CloudStack's built-in one (NetworkOffering.java@4.20.0.0).
const internalOffering = "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB"

// internalLB is what the rules of a tier with internal load balancing share: an address of the tier, and with it one VM.
type internalLB struct {
	address *Address
	vm      string
}

// InternalTier creates a tier whose rules are on addresses of its own.
func (v *VPC) InternalTier() *Network {
	n := v.TierOf(v.t.chooseNetworkOffering("tier offering with internal load balancing", "", internalOffering, true))
	n.internal = &internalLB{}
	return n
}

// InternalLoadBalancer creates a round-robin rule on the internal address of the tier, with the next free port.
func (n *Network) InternalLoadBalancer(name string) *Rule {
	defer n.t.step("internal LB rule %s", name)()
	if n.internal.address == nil {
		n.internal.address = &Address{Account: n.Account, nextPort: firstPort}
	}
	a := n.internal.address
	r := &Rule{Account: n.Account, Network: n, Address: a, Name: name, Algorithm: "roundrobin", Port: a.nextPort}
	a.nextPort++
	from := ""
	if a.IP.IsValid() {
		from = a.IP.String()
	}
	full := n.t.unique("lb-" + name)
	var answer *cloud.InternalLoadBalancer
	r.ID, r.InternalID, answer = made(n.Account, "internal lb rule", full, "cloud.firewall_rules", func(ctx context.Context) (*cloud.Creating[cloud.InternalLoadBalancer], error) {
		return n.Cloud.CreateInternalLoadBalancer(ctx, cloud.InternalLoadBalancerSpec{Name: full, Algorithm: r.Algorithm, NetworkID: n.ID, SourceIP: from,
			SourcePort: r.Port, InstancePort: privatePort})
	})
	var err error
	a.IP, err = netip.ParseAddr(answer.SourceIP)
	n.t.must(err, "reading the address of internal LB rule %s", name)
	n.t.watch.born(r)
	return r
}

// balancer is the name of the VM that carries out the tier's internal rules.
func (n *Network) balancer() string {
	if n.internal.vm == "" {
		vms, err := n.t.site.Cloud.ListBalancerVMs(n.t.ctx, cloud.Params{"networkid": n.ID})
		n.t.must(err, "listing the balancer VMs of %s", n.Name)
		if len(vms) != 1 || vms[0].State != "Running" {
			n.t.Inconclusive("tier %s has %d balancer VMs, want one that runs", n.Name, len(vms))
		}
		n.internal.vm = vms[0].Name
	}
	return n.internal.vm
}

// listedRules are the rules that the API lists for the routers or the balancer VM of a network.
func (n *Network) listedRules() []*cloud.LoadBalancerRule {
	if n.internal == nil {
		listed, err := n.Cloud.ListLoadBalancerRules(n.t.ctx, nil)
		n.t.must(err, "listing LB rules")
		return listed
	}
	found, err := n.Cloud.ListInternalLoadBalancers(n.t.ctx, cloud.Params{"networkid": n.ID})
	n.t.must(err, "listing internal LB rules")
	listed := make([]*cloud.LoadBalancerRule, len(found))
	for i, b := range found {
		listed[i] = &cloud.LoadBalancerRule{Id: b.ID, Name: b.Name, Algorithm: b.Algorithm, Networkid: b.NetworkID}
		if len(b.Rules) > 0 {
			listed[i].State = b.Rules[0].State
		}
	}
	return listed
}
