package site

import (
	"strings"

	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// emptyCommands list what the lab has none of, or one that is always the same: clients ask before they do anything
// else.
func emptyCommands() []command {
	none := func(name, about string, params ...param) command {
		return command{Name: name, About: about, Params: kernel.ListParams(params...),
			Run: func(*Manager, *kernel.Call) (obj, error) { return obj{}, nil }}
	}
	id, name := param{Name: "id", Type: "string", About: "list by id"}, param{Name: "name", Type: "string",
		About: "list by name"}
	return []command{
		none("listSSHKeyPairs", "List registered keypairs", id, name,
			param{Name: "fingerprint", Type: "string", About: "A public key fingerprint to look for"}),
		none("listIpForwardingRules", "List the IP forwarding rules", id,
			param{Name: "ipaddressid", Type: "uuid:address", About: "list the rule belonging to this public IP " +
				"address"},
			param{Name: "virtualmachineid", Type: "uuid:vm", About: "Lists all rules applied to the specified VM."}),
		none("listAffinityGroups", "Lists affinity groups", id, name,
			param{Name: "type", Type: "string", About: "lists affinity groups by type"},
			param{Name: "virtualmachineid", Type: "uuid:vm", About: "lists affinity groups by virtual machine ID"}),
		{
			Name: "listManagementServersMetrics", About: "Lists Management Server metrics", Admin: true,
			Params: kernel.ListParams(id, name), Run: listManagementServers,
		},
		{
			Name: "listManagementServers", About: "Lists management servers.", Admin: true,
			Params: kernel.ListParams(id, name), Root: "listmanagementserversresponse", Run: listManagementServers,
		},
		{
			Name: "listResourceDetails", About: "List resource detail(s)",
			Params: kernel.ListParams(param{Name: "resourcetype", Type: "string", Required: true,
				About: "list by resource type"},
				param{Name: "resourceid", Type: "string", About: "list by resource id"},
				param{Name: "key", Type: "string", About: "list by key"},
				param{Name: "value", Type: "string", About: "list by key, value. Needs to be passed only along with " +
					"key"},
				param{Name: "fordisplay", Type: "boolean", About: "if set to true, only details marked with " +
					"display=true, are returned."}),
			Run: listResourceDetails,
		},
	}
}

// wholeCommands are lists of the parts of a zone that was opened whole; a bare server has the parts themselves.
func wholeCommands() []command {
	id, name := param{Name: "id", Type: "string", About: "list by id"}, param{Name: "name", Type: "string",
		About: "list by name"}
	zone := param{Name: "zoneid", Type: "uuid:zone", About: "list by zone"}
	one := func(command_, about, key string, answer func(*Manager) obj) command {
		return command{Name: command_, About: about, Admin: true, Params: kernel.ListParams(id, name, zone),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				a := answer(mgr)
				title, _ := a["name"].(string)
				if c.Has("id") && c.Str("id") != a["id"] || c.Differs("name", title) ||
					!kernel.Matches(c.Str("keyword"), title) {
					return obj{}, nil
				}
				return c.Page(key, []obj{a}), nil
			}}
	}
	return []command{
		one("listPods", "Lists all Pods.", "pod", func(mgr *Manager) obj {
			s := mgr.net.Site
			return obj{"id": s.PodUUID, "name": "POD0", "zoneid": s.UUID, "zonename": net.SiteName,
				"gateway": "172.16.15.1", "netmask": "255.255.255.0", "startip": []string{"172.16.15.2"},
				"endip": []string{"172.16.15.200"}, "allocationstate": "Enabled", "hasannotations": false}
		}),
		one("listPhysicalNetworks", "Lists physical networks", "physicalnetwork", func(mgr *Manager) obj {
			s := mgr.net.Site
			return obj{"id": s.PhysicalNetworkUUID, "name": "Sandbox-pnet", "broadcastdomainrange": "ZONE",
				"zoneid": s.UUID, "zonename": net.SiteName, "state": "Enabled", "isolationmethods": "VLAN"}
		}),
	}
}

func listManagementServers(mgr *Manager, c *kernel.Call) (obj, error) {
	one := obj{"id": mgr.net.Site.Token, "name": "stackproof-lab", "state": "Up", "version": mgr.Version(),
		"ipaddress": "127.0.0.1"}
	if c.Has("id") && c.Str("id") != one["id"] || c.Differs("name", "stackproof-lab") {
		return obj{}, nil
	}
	return c.Page("managementserver", []obj{one}), nil
}

// listResourceDetails are those of virtual machines, which are all that a client reads here.
func listResourceDetails(mgr *Manager, c *kernel.Call) (obj, error) {
	if !strings.EqualFold(c.Str("resourcetype"), "UserVm") {
		return obj{}, nil
	}
	var out []obj
	for _, vm := range mgr.compute.VMs.All() {
		if !vm.Removed.IsZero() || !tenancy.Visible(mgr.tenancy, c, vm.Account) && !c.Has("resourceid") ||
			c.Has("resourceid") && c.Str("resourceid") != vm.UUID {
			continue
		}
		for _, d := range vm.Details.Sorted() {
			if !c.Differs("key", d.Key) && !c.Differs("value", d.Value) {
				out = append(out, obj{"resourceid": vm.UUID, "resourcetype": "UserVm", "key": d.Key, "value": d.Value,
					"fordisplay": true})
			}
		}
	}
	return c.Page("resourcedetail", out), nil
}
