package zone

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
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

func (z *Zone) capacityCommands() []command {
	return []command{{
		name: "listCapacity", about: "Lists all the system wide capacities.", admin: true,
		params: []param{
			{"zoneid", "uuid:zone", false, "lists capacity by the Zone ID"}, {"type", "integer", false, "lists capacity by type"},
			{"fetchlatest", "boolean", false, "recalculate capacities and fetch the latest"},
		},
		run: listCapacity,
	}}
}

func listCapacity(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, one := range []struct {
		typ         int
		name        string
		used, total int64
	}{
		{capacityMemory, "MEMORY", z.usedOnHosts(limitMemory)<<20 + int64(len(z.routers))*routerMemory, z.memory()},
		{capacityCPU, "CPU", z.usedOnHosts(limitCPU)*routerCPU + int64(len(z.routers))*routerCPU, z.cpu()},
		{capacityPublicIPs, "VIRTUAL_NETWORK_PUBLIC_IP", z.usedAddresses(), int64(len(z.addresses))},
	} {
		if c.has("type") && c.integer("type", -1) != one.typ || one.total == 0 {
			continue
		}
		out = append(out, obj{"type": one.typ, "name": one.name, "zoneid": z.site.UUID, "zonename": siteName, "capacityused": one.used, "capacitytotal": one.total,
			"percentused": fmt.Sprintf("%.2f", 100*float64(one.used)/float64(one.total))})
	}
	return c.page("capacity", out), nil
}

// usedOnHosts is what all accounts' instances take of a resource.
func (z *Zone) usedOnHosts(typ int) (n int64) {
	for _, a := range z.accounts {
		n += z.used(a, typ)
	}
	return n
}

func (z *Zone) usedAddresses() (n int64) {
	for _, a := range z.addresses {
		if a.State != "Free" {
			n++
		}
	}
	return n
}

// sized reads the size of a simulated host from the last part of its URL, such as memory=17179869184&cpucore=8
// (SimulatorDiscoverer.java@4.20.0.0, find).
func (h *Host) sized() {
	words := h.URL[strings.LastIndexByte(h.URL, '/')+1:]
	for _, word := range strings.Split(words, "&") {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil:
		case strings.EqualFold(name, "memory"):
			h.Memory = n
		case strings.EqualFold(name, "cpucore"):
			h.Cores = n
		}
	}
}

func (z *Zone) memory() (n int64) {
	for _, h := range z.hosts {
		n += cmp.Or(h.Memory, hostMemory)
	}
	return n
}

func (z *Zone) cpu() (n int64) {
	for _, h := range z.hosts {
		n += cmp.Or(h.Cores, hostCores) * coreSpeed
	}
	return n
}
