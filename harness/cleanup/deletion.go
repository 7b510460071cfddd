package cleanup

import (
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
)

// deleting is the call that removes an object; without a command the object goes with another one, or by itself.
type deleting struct {
	command string
	params  cloud.Params
	sync    bool
}

// deletion chooses the call. A VM that is not expunged keeps its network from going, so VMs are always expunged; a
// source NAT address goes with its network or VPC; a root volume with its VM.
func deletion(o inventory.Object) deleting {
	byID := cloud.Params{"id": o.ID}
	switch o.Kind {
	case inventory.Group:
		return deleting{command: "deleteAutoScaleVmGroup", params: cloud.Params{"id": o.ID, "cleanup": true}}
	case inventory.Project:
		return deleting{command: "deleteProject", params: cloud.Params{"id": o.ID, "cleanup": true}}
	case inventory.VM:
		return deleteVM(o)
	case inventory.Address:
		if o.Source {
			return deleting{}
		}
		return deleting{command: "disassociateIpAddress", params: byID}
	case inventory.Volume:
		if o.Attached {
			return deleting{}
		}
		return deleting{command: "deleteVolume", params: byID, sync: true}
	case inventory.VPNUser:
		return deleting{command: "removeVpnUser", params: cloud.Params{"username": o.Name, "account": o.Account,
			"domainid": o.DomainID}}
	}
	return deleting{command: map[inventory.Kind]string{
		inventory.Policy: "deleteAutoScalePolicy", inventory.Profile: "deleteAutoScaleVmProfile",
		inventory.Condition:  "deleteCondition",
		inventory.InternalLB: "deleteLoadBalancer", inventory.LBRule: "deleteLoadBalancerRule",
		inventory.PFRule: "deletePortForwardingRule", inventory.Firewall: "deleteFirewallRule",
		inventory.Network: "deleteNetwork", inventory.VPC: "deleteVPC", inventory.AccountObj: "deleteAccount",
		inventory.Domain: "deleteDomain",
	}[o.Kind], params: byID}
}

func deleteVM(o inventory.Object) deleting {
	switch o.State {
	case "Expunging":
		return deleting{}
	case "Destroyed":
		return deleting{command: "expungeVirtualMachine", params: cloud.Params{"id": o.ID}}
	}
	return deleting{command: "destroyVirtualMachine", params: cloud.Params{"id": o.ID, "expunge": true}}
}
