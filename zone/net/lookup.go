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
		"acl":             func(u string) bool { return mgr.ACLByUUID(u) != nil },
		"aclitem":         func(u string) bool { return mgr.ACLItemByUUID(u) != nil },
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

// VPCByUUID finds the VPC with a uuid, removed ones included; nil for none.
func (mgr *Manager) VPCByUUID(u string) *VPC {
	return mgr.VPCs.ByUUID(u)
}

// NetworkByUUID finds the network with a uuid, removed ones included; nil for none.
func (mgr *Manager) NetworkByUUID(u string) *Network {
	return mgr.Networks.ByUUID(u)
}

func (mgr *Manager) routerByUUID(u string) *Router {
	return mgr.Routers.ByUUID(u)
}

// HostByUUID finds the host with a uuid, removed ones included; nil for none.
func (mgr *Manager) HostByUUID(u string) *Host {
	h, _ := kernel.Find(mgr.Hosts, u, func(h *Host) string { return h.UUID })
	return h
}

// AddressByUUID finds the address with a uuid, removed ones included; nil for none.
func (mgr *Manager) AddressByUUID(u string) *Address {
	return mgr.Addresses.ByUUID(u)
}

// OfferingByUUID finds the offering with a uuid, removed ones included; nil for none.
func OfferingByUUID(all []*Offering, u string) *Offering {
	o, _ := kernel.Find(all, u, func(o *Offering) string { return o.UUID })
	return o
}

func vpcParam(mgr *Manager, c *kernel.Call, name string) (*VPC, error) {
	return kernel.Lookup(c, name, mgr.VPCByUUID)
}

// NetworkParam is the network that a parameter names.
func NetworkParam(mgr *Manager, c *kernel.Call, name string) (*Network, error) {
	return kernel.Lookup(c, name, mgr.NetworkByUUID)
}

// AddressParam is the address that a parameter names.
func AddressParam(mgr *Manager, c *kernel.Call, name string) (*Address, error) {
	return kernel.Lookup(c, name, mgr.AddressByUUID)
}

// RouterParam is the router that a parameter names.
func RouterParam(mgr *Manager, c *kernel.Call, name string) (*Router, error) {
	return kernel.Lookup(c, name, mgr.routerByUUID)
}
