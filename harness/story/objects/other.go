package objects

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
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
