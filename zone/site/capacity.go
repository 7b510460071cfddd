package site

import (
	"cmp"
	"fmt"

	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Types of capacity (api/src/main/java/com/cloud/capacity/Capacity.java@4.20.0.0).
const (
	capacityMemory    = 0 // bytes
	capacityCPU       = 1 // MHz
	capacityPublicIPs = 4
)

// Sizes of the simulator's hosts (MockAgentManager.java@4.20.0.0), and of the system offering of a virtual router.
const (
	hostMemory   = 8 << 30
	hostCores    = 4
	coreSpeed    = 8000
	routerMemory = 256 << 20
	routerCPU    = 500
)

func capacityCommands() []command {
	return []command{{
		Name: "listCapacity", About: "Lists all the system wide capacities.", Admin: true,
		Params: []param{
			{Name: "zoneid", Type: "uuid:zone", About: "lists capacity by the Zone ID"},
			{Name: "type", Type: "integer", About: "lists capacity by type"},
			{Name: "fetchlatest", Type: "boolean", About: "recalculate capacities and fetch the latest"},
		},
		Run: listCapacity,
	}}
}

func listCapacity(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, one := range []struct {
		typ         int
		name        string
		used, total int64
	}{
		{capacityMemory, "MEMORY",
			usedOnHosts(mgr, tenancy.LimitMemory)<<20 + int64(len(mgr.net.Routers.All()))*routerMemory, memory(mgr)},
		{capacityCPU, "CPU", usedOnHosts(mgr, tenancy.LimitCPU)*routerCPU + int64(len(mgr.net.Routers.All()))*routerCPU,
			cpu(mgr)},
		{capacityPublicIPs, "VIRTUAL_NETWORK_PUBLIC_IP", usedAddresses(mgr), int64(len(mgr.net.Addresses.All()))},
	} {
		if c.Has("type") && c.Integer("type", -1) != one.typ || one.total == 0 {
			continue
		}
		out = append(out, obj{"type": one.typ, "name": one.name, "zoneid": mgr.net.Site.UUID,
			"zonename": net.SiteName, "capacityused": one.used, "capacitytotal": one.total,
			"percentused": fmt.Sprintf("%.2f", 100*float64(one.used)/float64(one.total))})
	}
	return c.Page("capacity", out), nil
}

// usedOnHosts is what all accounts' instances take of a resource.
func usedOnHosts(mgr *Manager, typ int) (n int64) {
	for _, a := range mgr.tenancy.Accounts.All() {
		n += mgr.Used(a, typ)
	}
	return n
}

func usedAddresses(mgr *Manager) (n int64) {
	for _, a := range mgr.net.Addresses.All() {
		if a.State != "Free" {
			n++
		}
	}
	return n
}

func memory(mgr *Manager) (n int64) {
	for _, h := range mgr.net.Hosts {
		n += cmp.Or(h.Memory, hostMemory)
	}
	return n
}

func cpu(mgr *Manager) (n int64) {
	for _, h := range mgr.net.Hosts {
		n += cmp.Or(h.Cores, hostCores) * coreSpeed
	}
	return n
}
