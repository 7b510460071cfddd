package push

import (
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/net"
)

// Served are the addresses and ports at which the instances of a router's networks answer, whatever the router was told
// of them: each that runs, at every private port that a rule of its network has.
func (mgr *Manager) Served(router string) (all []netip.AddrPort) {
	at := slices.IndexFunc(slices.Concat(mgr.net.Routers.All(), mgr.Balancers),
		func(r *net.Router) bool { return r.Name == router })
	if at < 0 {
		return nil
	}
	machine := slices.Concat(mgr.net.Routers.All(), mgr.Balancers)[at]
	ports := map[*net.Network][]uint16{}
	answers := func(n *net.Network, port uint16) {
		if port != 0 && !slices.Contains(ports[n], port) {
			ports[n] = append(ports[n], port)
		}
	}
	for _, r := range mgr.LBRules.All() {
		answers(r.Network, uint16(r.PrivateStart))
		for _, m := range r.Members { // those of other tiers
			for _, nic := range m.VM.NICs {
				if r.Network.VPC.Conserves() && nic.Network.VPC == r.Network.VPC {
					answers(nic.Network, uint16(r.PrivateStart))
				}
			}
		}
	}
	for _, vm := range mgr.compute.VMs.All() {
		if vm.State != "Running" {
			continue
		}
		for _, nic := range vm.NICs {
			mine := machine.Network == nic.Network || machine.VPC != nil && nic.Network.VPC == machine.VPC
			for _, port := range ports[nic.Network] {
				if !mine {
					continue
				}
				for _, ip := range addressesOf(nic) {
					all = append(all, netip.AddrPortFrom(ip, port))
				}
			}
		}
	}
	return all
}

func addressesOf(nic *compute.NIC) []netip.Addr {
	ips := []netip.Addr{nic.IP}
	for _, s := range nic.Secondary {
		ips = append(ips, s.IP)
	}
	return ips
}
