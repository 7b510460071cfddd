package compute

import (
	"maps"

	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

func (mgr *Manager) nicAnswer(n *NIC, index int, running bool) obj {
	out := obj{
		"id": n.UUID, "networkid": n.Network.UUID, "networkname": n.Network.Name,
		"netmask": net.Netmask(n.Network.CIDR),
		"gateway": n.Network.Gateway.String(), "ipaddress": n.IP.String(), "traffictype": "Guest", "type": "Isolated",
		"isdefault": n.Default, "macaddress": n.MAC, "secondaryip": secondaryAnswers(n), "extradhcpoption": []obj{},
		"deviceid": kernel.Itoa(index),
	}
	if running && n.Network.VLAN != 0 {
		uri := "vlan://" + kernel.Itoa(n.Network.VLAN)
		out["isolationuri"], out["broadcasturi"] = uri, uri
	}
	mgr.MainField(out, "enabled", true)
	if v := n.Network.VPC; v != nil {
		out["vpcid"], out["vpcname"] = v.UUID, v.Name
	}
	return out
}

// VMAnswer is a VM as list and job answers show it.
func (mgr *Manager) VMAnswer(vm *VM) obj {
	running := vm.State == "Running"
	nics := []obj{}
	for i, n := range vm.NICs {
		nics = append(nics, mgr.nicAnswer(n, i, running))
	}
	out := obj{
		"id": vm.UUID, "name": vm.Name, "displayname": vm.DisplayName, "created": kernel.Stamp(vm.Created),
		"lastupdated": kernel.Stamp(vm.Updated),
		"state":       vm.State, "haenable": false, "zoneid": mgr.net.Site.UUID, "zonename": net.SiteName,
		"templateid":   vm.Template.UUID,
		"templatename": vm.Template.Name, "templatetype": vm.Template.Answer["templatetype"],
		"templateformat":      vm.Template.Answer["format"],
		"templatedisplaytext": vm.Template.Answer["displaytext"], "passwordenabled": false,
		"serviceofferingid":   vm.Offering.UUID,
		"serviceofferingname": vm.Offering.Name, "cpunumber": vm.Offering.Answer["cpunumber"],
		"cpuspeed": vm.Offering.Answer["cpuspeed"],
		"memory":   vm.Offering.Answer["memory"], "guestosid": vm.Template.Answer["ostypeid"],
		"ostypeid":      vm.Template.Answer["ostypeid"],
		"osdisplayname": vm.Template.Answer["ostypename"], "rootdeviceid": 0, "rootdevicetype": "ROOT",
		"securitygroup": []obj{},
		"nic":           nics, "hypervisor": "Simulator", "instancename": vm.InstanceName,
		"details":       vm.Details.answer(),
		"affinitygroup": []obj{},
		"displayvm":     true, "isdynamicallyscalable": false, "pooltype": "NetworkFilesystem", "receivedbytes": 0,
		"sentbytes": 0,
		"tags":      mgr.tenancy.Tagged(vm.UUID), "hasannotations": false,
	}
	if len(vm.NICs) > 0 {
		out["ipaddress"] = vm.NICs[0].IP.String()
	}
	if running {
		out["hostid"], out["hostname"], out["hostcontrolstate"] = vm.Host.UUID, vm.Host.Name, "Enabled"
		out["bootmode"], out["boottype"] = "legacy", "Bios"
	}
	for _, u := range mgr.tenancy.Users.All() {
		if u.ID == vm.UserID {
			out["userid"], out["username"] = u.UUID, u.Username
		}
	}
	if vm.GroupName != "" {
		out["group"] = vm.GroupName
	}
	if vm.Group != nil {
		if uuid, name, live := vm.Group.Identity(); live {
			out["autoscalevmgroupid"], out["autoscalevmgroupname"] = uuid, name
		}
	}
	mgr.NewField(out, "deleteprotection", false)
	mgr.LaterField(out, "arch", "x86_64")
	mgr.MainField(out, "isos", []obj{})
	mgr.MainField(out, "isomaxcount", 1) // vm.iso.max.count
	mgr.tenancy.Owned(out, vm.Account)
	return out
}

// VMText names a VM: by its id, from 4.20.1 on as an object (VMInstanceVO@4.20.1.0).
func (mgr *Manager) VMText(vm *VM) string {
	return mgr.ObjectText(kernel.LongText(vm.ID), "VM instance", "id", vm.ID, "instanceName", vm.InstanceName, "state",
		vm.State, "type", "User", "uuid", vm.UUID)
}

// statistics are what list answers add to a running VM; the simulator always says the same.
func statistics(out obj) obj {
	maps.Copy(out, obj{
		"cpuused": "10%", "networkkbsread": 32768, "networkkbswrite": 16384, "diskkbsread": 0, "diskkbswrite": 0,
		"memorykbs":        0,
		"memoryintfreekbs": 0, "memorytargetkbs": 0, "diskioread": 0, "diskiowrite": 0,
	})
	return out
}
