package push

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// Internal load balancing: rules on an address of a tier whose offering has InternalLbVm as its provider, carried
// out by a balancer VM for each such address (ApplicationLoadBalancerManagerImpl,
// InternalLoadBalancerVMManagerImpl@4.20.0.0). No release up to 4.20 takes a source list for them.

const InternalProvider = "InternalLbVm"

// pushTargets are the machines that carry out the rules of a network: its routers, or the balancer VMs of its internal
// addresses, which are made when their first member comes.
func (mgr *Manager) pushTargets(ctx context.Context, n *net.Network) ([]*net.Router, error) {
	if n == nil || n.Offering.LBProvider() != InternalProvider {
		return mgr.net.RoutersOf(n), nil
	}
	var all []*net.Router
	for _, r := range mgr.LBRules.All() {
		if !r.Internal || r.Network != n || n.State != "Implemented" {
			continue
		}
		b, err := mgr.balancerVM(ctx, n, r.Address.IP)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, b) {
			all = append(all, b)
		}
	}
	return all, nil
}

func (mgr *Manager) balancerVM(ctx context.Context, n *net.Network, ip netip.Addr) (*net.Router, error) {
	for _, b := range mgr.Balancers {
		if b.Network == n && b.GuestIP == ip {
			return b, nil
		}
	}
	b := &net.Router{UUID: mgr.UUID(), VPC: n.VPC, Network: n, Internal: true, PublicIP: ip, GuestIP: ip,
		State: "Stopped",
		Host:  mgr.net.Hosts[mgr.Number(len(mgr.net.Hosts))], NICUUID: mgr.UUID(), Created: mgr.Now()}
	id, err := mgr.Insert(ctx, "cloud.vm_instance", obj{
		"name": "", "uuid": b.UUID, "instance_name": "", "state": b.State, "guest_os_id": 15,
		"data_center_id": kernel.ZoneID,
		"vm_template_id": mgr.net.Site.RouterTemplate.ID, "vnc_password": "", "created": b.Created,
		"type": "InternalLoadBalancerVm", "vm_type": "InternalLoadBalancerVm",
		"account_id": n.Account.ID, "domain_id": n.Account.Domain.ID,
		"service_offering_id": mgr.net.Site.RouterOffering.ID, "hypervisor_type": "Simulator",
	})
	if err != nil {
		return nil, err
	}
	mgr.NextID("cloud.volumes") // its root disk
	link := mgr.NextID("link addresses")
	b.LinkIP = netip.AddrFrom4([4]byte{169, 254, byte(1 + link/200), byte(2 + link%200)})
	b.ID, b.Name = id, fmt.Sprintf("b-%d-VM", id)
	mgr.Balancers = append(mgr.Balancers, b)
	if err := mgr.Update(ctx, "cloud.vm_instance", id, obj{"name": b.Name, "instance_name": b.Name}); err != nil {
		return nil, err
	}
	return b, mgr.net.SetRouter(ctx, b, "Running")
}

// DestroyBalancers ends the balancer VMs of a network that goes.
func (mgr *Manager) DestroyBalancers(ctx context.Context, n *net.Network) error {
	for _, b := range slices.Clone(mgr.Balancers) {
		if b.Network != n {
			continue
		}
		if err := mgr.net.SetRouter(ctx, b, "Destroyed"); err != nil {
			return err
		}
		mgr.Balancers = slices.DeleteFunc(mgr.Balancers, func(o *net.Router) bool { return o == b })
		if err := mgr.Update(ctx, "cloud.vm_instance", b.ID, obj{"state": "Expunging",
			"removed": mgr.Now()}); err != nil {
			return err
		}
	}
	return nil
}
