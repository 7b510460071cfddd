package zone

import "fmt"

// deployCommands set up a zone on a bare server (facts: cloudstack.md 4.2, tools/marvin/marvin/deployDataCenter.py@4.20.0.0).
// A zone that is opened whole does not have them: its parts are not objects.
func (z *Zone) deployCommands() []command {
	if !z.bare {
		return nil
	}
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
		out = append(out, param{n, typ, required, ""})
	}
	return out
}

// fielded answers an asynchronous create with the part's fields.
func fielded(kind string) func(z *Zone, c *call) (obj, error) {
	return func(z *Zone, c *call) (obj, error) { return obj{kind: z.partByUUID(kind, c.target.uuid).fields}, nil }
}

func networkDeployCommands() []command {
	const admin = adminClasses
	element := func(name, about string) command {
		return command{name: name, about: about, admin: true, class: admin + "router." + name + "Cmd", kind: asyncCommand,
			params: append(words("id!"), param{"enabled", "boolean", true, ""}), run: configureElement}
	}
	return []command{
		{
			name: "createZone", about: "Creates a Zone.", admin: true,
			params: words("name!", "networktype!", "dns1!", "internaldns1!", "guestcidraddress"), run: createZone,
		},
		{
			name: "updateZone", about: "Updates a Zone.", admin: true,
			params: append([]param{{"id", "uuid:zone", true, ""}}, words("allocationstate", "name")...), run: updateZone,
		},
		{
			name: "createPhysicalNetwork", about: "Creates a physical network", admin: true, class: admin + "network.CreatePhysicalNetworkCmd", kind: asyncCreate,
			params: words("zoneid!", "name!", "isolationmethods"), create: createPhysicalNetwork, run: fielded(partPhysical),
		},
		{
			name: "addTrafficType", about: "Adds traffic type to a physical network", admin: true, class: admin + "usage.AddTrafficTypeCmd", kind: asyncCreate,
			params: words("physicalnetworkid!", "traffictype!"), create: addTrafficType, run: fielded(partTraffic),
		},
		element("configureVirtualRouterElement", "Configures a virtual router element."),
		element("configureInternalLoadBalancerElement", "Configures an Internal Load Balancer element."),
		{
			name: "updateNetworkServiceProvider", about: "Updates a network serviceProvider of a physical network", admin: true,
			class: admin + "network.UpdateNetworkServiceProviderCmd", kind: asyncCommand, params: words("id!", "state"), run: updateProvider,
		},
		{
			name: "updatePhysicalNetwork", about: "Updates a physical network", admin: true, class: admin + "network.UpdatePhysicalNetworkCmd",
			kind: asyncCommand, params: words("id!", "state", "vlan"), run: updatePhysicalNetwork,
		},
		{
			name: "createVlanIpRange", about: "Creates a VLAN IP range.", admin: true,
			params: words("zoneid!", "vlan!", "startip!", "endip!", "gateway!", "netmask!", "forvirtualnetwork"), run: createVlanIPRange,
		},
	}
}

// simple is a synchronous command that keeps its parameters as a part, whose field must be new.
func simple(name, about, kind, unique string, more obj, names ...string) command {
	params := words(names...)
	return command{name: name, about: about, admin: true, params: params, run: func(z *Zone, c *call) (obj, error) {
		if err := twice(z, c, kind, unique); err != nil {
			return nil, err
		}
		for of, id := range map[string]string{partPod: "podid", partCluster: "clusterid"} {
			if c.has(id) {
				if err := needPart(z, c, of, id); err != nil {
					return nil, err
				}
			}
		}
		fields := make([]string, len(params))
		for i, p := range params {
			fields[i] = p.name
		}
		p := addPart(z, c, kind, more, fields...)
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
			name: "createPod", about: "Creates a new Pod.", admin: true,
			params: words("zoneid!", "name!", "gateway!", "netmask!", "startip!", "endip"), run: createPod,
		},
		simple("addCluster", "Adds a new cluster", partCluster, "clustername", obj{"allocationstate": "Enabled", "managedstate": "Managed", "hypervisortype": "Simulator"},
			"zoneid!", "podid!", "clustername!", "clustertype!", "hypervisor!"),
		{
			name: "addHost", about: "Adds a new host.", admin: true,
			params: words("zoneid!", "podid!", "clusterid", "hypervisor!", "url!", "username", "password"), run: addHost,
		},
		simple("createStoragePool", "Creates a storage pool.", partPool, "name", obj{"state": "Up", "scope": "CLUSTER", "type": "NetworkFilesystem"},
			"zoneid!", "podid", "clusterid", "name!", "url!"),
		simple("addImageStore", "Adds backup image store.", partImages, "url", obj{"protocol": "nfs", "scope": "ZONE", "providername": "NFS"}, "zoneid", "provider!", "url!", "name"),
	}
}

// deployLists list the parts; every parameter of a list narrows it by the field of that name.
func deployLists() []command {
	list := func(name, key string, names ...string) command {
		params := words(names...)
		return command{name: name, about: "Lists " + key + "s", admin: true, params: listParams(params...), run: func(z *Zone, c *call) (obj, error) {
			var out []obj
		parts:
			for _, p := range z.partsOf(key) {
				for _, by := range params {
					if c.has(by.name) && c.str(by.name) != fmt.Sprint(p.fields[by.name]) {
						continue parts
					}
				}
				out = append(out, p.fields)
			}
			return c.page(key, out), nil
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
