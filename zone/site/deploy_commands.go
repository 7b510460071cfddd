package site

import (
	"fmt"

	"github.com/stackproof/stackproof/zone/kernel"
)

// DeployCommands set up a zone on a bare server (facts: cloudstack.md 4.2,
// tools/marvin/marvin/deployDataCenter.py@4.20.0.0). A zone that is opened whole does not have them: its parts are
// not objects.
func DeployCommands() []command {
	return append(append(networkDeployCommands(), hostDeployCommands()...), deployLists()...)
}

// words are parameters of type string; those that end in ! are required.
func words(names ...string) []param {
	var out []param
	for _, n := range names {
		required := n[len(n)-1] == '!'
		if required {
			n = n[:len(n)-1]
		}
		typ := "string"
		if n == "zoneid" {
			typ = "uuid:zone"
		}
		out = append(out, param{Name: n, Type: typ, Required: required})
	}
	return out
}

// fielded answers an asynchronous create with the part's fields.
func fielded(kind string) func(mgr *Manager, c *kernel.Call) (obj, error) {
	return func(mgr *Manager, c *kernel.Call) (obj, error) {
		return obj{kind: mgr.partByUUID(kind, c.Target.UUID).fields}, nil
	}
}

func networkDeployCommands() []command {
	const admin = kernel.AdminClasses
	element := func(name, about string) command {
		return command{Name: name, About: about, Admin: true, Class: admin + "router." + name + "Cmd",
			Kind:   kernel.AsyncCommand,
			Params: append(words("id!"), param{Name: "enabled", Type: "boolean", Required: true}),
			Run:    configureElement}
	}
	return []command{
		{
			Name: "createZone", About: "Creates a Zone.", Admin: true,
			Params: words("name!", "networktype!", "dns1!", "internaldns1!", "guestcidraddress"), Run: createZone,
		},
		{
			Name: "updateZone", About: "Updates a Zone.", Admin: true,
			Params: append([]param{{Name: "id", Type: "uuid:zone", Required: true}},
				words("allocationstate", "name")...), Run: updateZone,
		},
		{
			Name: "createPhysicalNetwork", About: "Creates a physical network", Admin: true,
			Class: admin + "network.CreatePhysicalNetworkCmd", Kind: kernel.AsyncCreate,
			Params: words("zoneid!", "name!", "isolationmethods"), Create: createPhysicalNetwork,
			Run: fielded(partPhysical),
		},
		{
			Name: "addTrafficType", About: "Adds traffic type to a physical network", Admin: true,
			Class: admin + "usage.AddTrafficTypeCmd", Kind: kernel.AsyncCreate,
			Params: words("physicalnetworkid!", "traffictype!"), Create: addTrafficType, Run: fielded(partTraffic),
		},
		element("configureVirtualRouterElement", "Configures a virtual router element."),
		element("configureInternalLoadBalancerElement", "Configures an Internal Load Balancer element."),
		{
			Name: "updateNetworkServiceProvider", About: "Updates a network serviceProvider of a physical network",
			Admin: true,
			Class: admin + "network.UpdateNetworkServiceProviderCmd", Kind: kernel.AsyncCommand,
			Params: words("id!", "state"), Run: updateProvider,
		},
		{
			Name: "updatePhysicalNetwork", About: "Updates a physical network", Admin: true,
			Class: admin + "network.UpdatePhysicalNetworkCmd",
			Kind:  kernel.AsyncCommand, Params: words("id!", "state", "vlan"), Run: updatePhysicalNetwork,
		},
		{
			Name: "createVlanIpRange", About: "Creates a VLAN IP range.", Admin: true,
			Params: words("zoneid!", "vlan!", "startip!", "endip!", "gateway!", "netmask!", "forvirtualnetwork"),
			Run:    createVlanIPRange,
		},
	}
}

// simple is a synchronous command that keeps its parameters as a part, whose field must be new.
func simple(name, about, kind, unique string, more obj, names ...string) command {
	params := words(names...)
	return command{Name: name, About: about, Admin: true, Params: params,
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			if err := twice(mgr, c, kind, unique); err != nil {
				return nil, err
			}
			for of, id := range map[string]string{partPod: "podid", partCluster: "clusterid"} {
				if c.Has(id) {
					if err := needPart(mgr, c, of, id); err != nil {
						return nil, err
					}
				}
			}
			fields := make([]string, len(params))
			for i, p := range params {
				fields[i] = p.Name
			}
			p := addPart(mgr, c, kind, more, fields...)
			if kind == partCluster {
				p.fields["name"] = p.fields["clustername"]
				return obj{"count": 1, kind: []obj{p.fields}}, nil
			}
			return obj{kind: p.fields}, nil
		}}
}

func hostDeployCommands() []command {
	return []command{
		{
			Name: "createPod", About: "Creates a new Pod.", Admin: true,
			Params: words("zoneid!", "name!", "gateway!", "netmask!", "startip!", "endip"), Run: createPod,
		},
		simple("addCluster", "Adds a new cluster", partCluster, "clustername",
			obj{"allocationstate": "Enabled", "managedstate": "Managed", "hypervisortype": "Simulator"},
			"zoneid!", "podid!", "clustername!", "clustertype!", "hypervisor!"),
		{
			Name: "addHost", About: "Adds a new host.", Admin: true,
			Params: words("zoneid!", "podid!", "clusterid", "hypervisor!", "url!", "username", "password"),
			Run:    addHost,
		},
		simple("createStoragePool", "Creates a storage pool.", partPool, "name",
			obj{"state": "Up", "scope": "CLUSTER", "type": "NetworkFilesystem"},
			"zoneid!", "podid", "clusterid", "name!", "url!"),
		simple("addImageStore", "Adds backup image store.", partImages, "url",
			obj{"protocol": "nfs", "scope": "ZONE", "providername": "NFS"}, "zoneid", "provider!", "url!", "name"),
	}
}

// deployLists list the parts; every parameter of a list narrows it by the field of that name.
func deployLists() []command {
	list := func(name, key string, names ...string) command {
		params := words(names...)
		return command{Name: name, About: "Lists " + key + "s", Admin: true, Params: kernel.ListParams(params...),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				var out []obj
			parts:
				for _, p := range mgr.partsOf(key) {
					for _, by := range params {
						if c.Has(by.Name) && c.Str(by.Name) != fmt.Sprint(p.fields[by.Name]) {
							continue parts
						}
					}
					out = append(out, p.fields)
				}
				return c.Page(key, out), nil
			}}
	}
	return []command{
		list("listPhysicalNetworks", partPhysical, "zoneid", "name", "id"),
		list("listTrafficTypes", partTraffic, "physicalnetworkid"),
		list("listNetworkServiceProviders", partProvider, "physicalnetworkid", "name", "state"),
		list("listVirtualRouterElements", partElement, "nspid", "id", "enabled"),
		list("listInternalLoadBalancerElements", partInternal, "nspid", "id", "enabled"),
		list("listPods", partPod, "zoneid", "name", "id"),
		list("listClusters", partCluster, "zoneid", "podid", "name", "id"),
		list("listStoragePools", partPool, "zoneid", "name", "id"),
		list("listVlanIpRanges", partRange, "zoneid", "id"),
		list("listImageStores", partImages, "zoneid", "name", "id"),
		list("listSystemVms", partSystemVM, "zoneid", "name", "state"),
	}
}
