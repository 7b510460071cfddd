package net

import (
	"github.com/stackproof/stackproof/zone/kernel"
)

// Finders find the room's objects by what stands after "uuid:" in a parameter's type.
func (mgr *Manager) Finders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"zone":            func(u string) bool { return u == mgr.Site.UUID && mgr.HasZone() },
		"vpc":             func(u string) bool { return mgr.VPCByUUID(u) != nil },
		"network":         func(u string) bool { return mgr.NetworkByUUID(u) != nil },
		"router":          func(u string) bool { return mgr.routerByUUID(u) != nil },
		"host":            func(u string) bool { return mgr.HostByUUID(u) != nil },
		"address":         func(u string) bool { return mgr.AddressByUUID(u) != nil },
		"serviceoffering": func(u string) bool { return OfferingByUUID(mgr.ServiceOfferings, u) != nil },
		"networkoffering": func(u string) bool { return OfferingByUUID(mgr.NetworkOfferings, u) != nil },
		"vpcoffering":     func(u string) bool { return OfferingByUUID(mgr.VPCOfferings, u) != nil },
		"template":        func(u string) bool { return OfferingByUUID(mgr.Templates, u) != nil },
		"diskoffering":    func(u string) bool { return OfferingByUUID(mgr.DiskOfferings, u) != nil },
	}
}

func (mgr *Manager) VPCByUUID(u string) *VPC {
	v, _ := kernel.Find(mgr.VPCs, u, func(v *VPC) string { return v.UUID })
	return v
}

func (mgr *Manager) NetworkByUUID(u string) *Network {
	n, _ := kernel.Find(mgr.Networks, u, func(n *Network) string { return n.UUID })
	return n
}

func (mgr *Manager) routerByUUID(u string) *Router {
	r, _ := kernel.Find(mgr.Routers, u, func(r *Router) string { return r.UUID })
	return r
}

func (mgr *Manager) HostByUUID(u string) *Host {
	h, _ := kernel.Find(mgr.Hosts, u, func(h *Host) string { return h.UUID })
	return h
}

func (mgr *Manager) AddressByUUID(u string) *Address {
	a, _ := kernel.Find(mgr.Addresses, u, func(a *Address) string { return a.UUID })
	return a
}

func OfferingByUUID(all []*Offering, u string) *Offering {
	o, _ := kernel.Find(all, u, func(o *Offering) string { return o.UUID })
	return o
}

func vpcParam(mgr *Manager, c *kernel.Call, name string) (*VPC, error) {
	return kernel.Lookup(c, name, mgr.VPCByUUID)
}

func NetworkParam(mgr *Manager, c *kernel.Call, name string) (*Network, error) {
	return kernel.Lookup(c, name, mgr.NetworkByUUID)
}

func AddressParam(mgr *Manager, c *kernel.Call, name string) (*Address, error) {
	return kernel.Lookup(c, name, mgr.AddressByUUID)
}

func RouterParam(mgr *Manager, c *kernel.Call, name string) (*Router, error) {
	return kernel.Lookup(c, name, mgr.routerByUUID)
}
