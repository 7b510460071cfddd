package objects

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Other is a change of a network's router that is none of balancing.
type Other struct {
	what string
	try  func() *cloud.Error
}

func (o Other) String() string { return o.what }

// Try carries it out: the refusal, or nil.
func (o Other) Try() *cloud.Error { return o.try() }

// Forwarding forwards the next port of an address of its own to a VM, and takes that back.
func (n *Network) Forwarding(vm *VM) Other {
	ip := n.Address()
	return otherChange(n, "port forwarding", "createPortForwardingRule", "deletePortForwardingRule",
		func() cloud.Params {
			ip.nextPort++
			return cloud.Params{"ipaddressid": ip.ID, "networkid": n.ID, "virtualmachineid": vm.ID, "protocol": "tcp",
				"publicport": ip.nextPort, "privateport": ip.nextPort}
		})
}

// Opening opens the next port of an address of its own, and takes that back.
func (n *Network) Opening() Other {
	ip := n.Address()
	return otherChange(n, "firewall", "createFirewallRule", "deleteFirewallRule", func() cloud.Params {
		ip.nextPort++
		return cloud.Params{"ipaddressid": ip.ID, "protocol": "tcp", "startport": ip.nextPort, "endport": ip.nextPort,
			"cidrlist": "0.0.0.0/0"}
	})
}

// Filtering gives a tier a network ACL of its own, and changes it.
func (n *Network) Filtering() Other {
	t, port := n.t, firstPort
	defer t.Step("network ACL of %s", n.Name)()
	var list struct {
		ID string `json:"id"`
	}
	name := t.Unique("acl")
	entry := t.intend("network acl", name, n.Account.Name)
	_, err := n.Account.Cloud.Job(t.Ctx, "createNetworkACLList", cloud.Params{"name": name, "vpcid": n.VPC.ID}, &list)
	t.Must(err, "creating network ACL %s", name)
	t.created(entry, list.ID, 0)
	n.do("replaceNetworkACLList", cloud.Params{"aclid": list.ID, "networkid": n.ID})
	return otherChange(n, "network ACL", "createNetworkACL", "deleteNetworkACL", func() cloud.Params {
		port++
		return cloud.Params{"aclid": list.ID, "protocol": "tcp", "startport": port, "endport": port,
			"cidrlist": "0.0.0.0/0", "traffictype": "Ingress", "action": "Allow"}
	})
}

// otherChange makes something and takes it back where it was made.
func otherChange(n *Network, what, create, remove string, next func() cloud.Params) Other {
	t := n.t
	return Other{what: fmt.Sprintf("a %s rule of %s", what, n.Name), try: func() *cloud.Error {
		defer t.Step("%s of %s", what, n.Name)()
		var made struct {
			ID string `json:"id"`
		}
		_, err := n.Account.Cloud.Job(t.Ctx, create, next(), &made)
		if refusal := t.Refusal(err, "%s", create); refusal != nil {
			return refusal
		}
		n.do(remove, cloud.Params{"id": made.ID})
		return nil
	}}
}

// TryForward forwards the address's next public port to a VM: the refusal, or nil.
func (a *Address) TryForward(n *Network, vm *VM) *cloud.Error {
	defer a.t.Step("port forwarding on %s", a.IP)()
	a.nextPort++
	_, err := n.Account.Cloud.Job(a.t.Ctx, "createPortForwardingRule", cloud.Params{"ipaddressid": a.ID,
		"networkid": n.ID, "virtualmachineid": vm.ID, "protocol": "tcp", "publicport": a.nextPort,
		"privateport": a.nextPort}, nil)
	return a.t.Refusal(err, "forwarding a port of %s", a.IP)
}

// PortForward is a port forwarding rule.
type PortForward struct {
	owned
	Name, ID   string
	InternalID int64
}

// Billed is the rule as it is billed.
func (p *PortForward) Billed() watch.Billed { return billed(usageprobe.KindPF, p.InternalID, p.Name) }

// PortForward forwards the address's next public port to the VM.
func (n *Network) PortForward(ip *Address, name string, vm *VM) *PortForward {
	defer n.t.Step("port forwarding rule %s", name)()
	p := &PortForward{owned: n.owned, Name: name}
	port := ip.nextPort
	ip.nextPort++
	p.ID, p.InternalID, _ = made(n.Account, "port forwarding rule", n.t.Unique("pf-"+name), usageprobe.ObjectRule,
		func(ctx context.Context) (*cloud.Creating[cloud.PortForwardingRule], error) {
			return n.Account.Cloud.CreatePortForwardingRule(ctx, cloud.PortForwardingSpec{IPAddressID: ip.ID,
				NetworkID: n.ID, VMID: vm.ID, Protocol: "tcp", PublicPort: port, PrivatePort: port})
		})
	return p
}

// Delete deletes the rule.
func (p *PortForward) Delete() {
	t := p.t
	defer t.Step("delete port forwarding rule %s", p.Name)()
	t.Pass(stage.Apart)
	t.Must(p.Account.Cloud.DeletePortForwardingRule(t.Ctx, p.ID), "deleting port forwarding rule %s", p.Name)
	t.Must(t.removed(p.ID, nil), "noting the removal of port forwarding rule %s", p.Name)
	t.Pass(stage.Apart)
}
