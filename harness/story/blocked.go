package story

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

// Other is a change of a network's router that is none of balancing.
type Other struct {
	what string
	try  func() *cloud.Error
}

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
	_, err := n.Account.Cloud.Job(t.ctx, "createNetworkACLList", cloud.Params{"name": name, "vpcid": n.VPC.ID}, &list)
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
		_, err := n.Account.Cloud.Job(t.ctx, create, next(), &made)
		if refusal := t.refusal(err, "%s", create); refusal != nil {
			return refusal
		}
		n.do(remove, cloud.Params{"id": made.ID})
		return nil
	}}
}

// RequireDone makes sure that other changes come through: what always fails shows nothing.
func (t Answers) RequireDone(when string, all ...Other) {
	for _, o := range all {
		if refusal := o.try(); refusal != nil {
			t.Inconclusive("%s fails %s: %v", o.what, when, refusal)
		}
	}
}

// ExpectDone expects that other changes come through after a balancing change that failed.
func (t Answers) ExpectDone(all ...Other) {
	for _, o := range all {
		t.Checked(1)
		if refusal := o.try(); refusal != nil {
			t.Fail(result.RouterBlocked, fmt.Sprintf("%s fails after a stickiness policy that the router refused: %v",
				o.what, refusal))
		}
	}
}

// RequireRefused makes sure that a router that checks its files refused one, where routers check.
func (t Answers) RequireRefused(refusal *cloud.Error) {
	if refusal == nil && t.site.Has(release.RouterVerifies) {
		t.Unsupported("a policy that HAProxy refuses was taken: what the target's router refuses does not come back " +
			"to the server")
	}
}
