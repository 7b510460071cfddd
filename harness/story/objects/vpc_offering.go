package objects

import (
	"context"
	"maps"

	"github.com/stackproof/stackproof/harness/cloud"
)

// ConservingOffering creates a VPC offering in conserve mode, whose addresses are for all tiers, and answers its name.
// It is made before the account whose VPC it is for, so that it goes after that. Whether the release has the parameter
// is asked before (Answers.HasParameter).
func (m Making) ConservingOffering() string {
	name, conserves := m.t.offeringOfVPCs("conserve", cloud.Params{"conservemode": true})
	if !conserves {
		m.t.Unsupported("VPC offerings of this release have no conserve mode (#12487)")
	}
	return name
}

// FirewalledOffering creates a VPC offering with a firewall, likewise.
func (m Making) FirewalledOffering() string {
	name, _ := m.t.offeringOfVPCs("firewall", cloud.Params{"supportedservices": append(vpcServices(), "Firewall")})
	return name
}

func vpcServices() []string {
	return []string{"SourceNat", "Lb", "Dns", "NetworkACL", "PortForwarding", "Dhcp", "UserData", "StaticNat"}
}

// offeringOfVPCs creates a VPC offering that no built-in one is like. A refusal is a release that lacks what it has.
func (t *Cast) offeringOfVPCs(what string, more cloud.Params) (name string, conserves bool) {
	name = t.Unique(what)
	defer t.Step("VPC offering with %s", what)()
	p := cloud.Params{"name": name, "displaytext": name, "supportedservices": vpcServices()}
	maps.Copy(p, more)
	entry := t.intend("VPC offering", name, "")
	var made struct {
		ID           string
		ConserveMode bool
	}
	_, err := t.Site.Cloud.Job(t.Ctx, "createVPCOffering", p, &made)
	if refusal := t.Refusal(err, "creating VPC offering %s", name); refusal != nil {
		t.Unsupported("a VPC offering with %s was refused with %d: %s", what, refusal.Code, refusal.Text)
	}
	t.created(entry, made.ID, 0)
	t.OnRemove("VPC offering "+name, func(ctx context.Context) error {
		_, err := t.Site.Cloud.Job(ctx, "deleteVPCOffering", cloud.Params{"id": made.ID}, nil)
		return t.removed(made.ID, err)
	})
	_, err = t.Site.Cloud.Job(t.Ctx, "updateVPCOffering", cloud.Params{"id": made.ID, "state": "Enabled"}, nil)
	t.Must(err, "enabling VPC offering %s", name)
	return name, made.ConserveMode
}

// TryAssignFrom puts a VM behind the rule with its address in a tier, which may be another than the rule's: the
// refusal, or nil.
func (r *Rule) TryAssignFrom(vm *VM, tier *Network) *cloud.Error {
	defer r.t.Step("%s of %s behind %s", vm.Name, tier.Name, r.Name)()
	_, err := r.Account.Cloud.Job(r.t.Ctx, "assignToLoadBalancerRule", cloud.Params{"id": r.ID,
		key("vmidipmap", 0, "vmid"): vm.ID, key("vmidipmap", 0, "vmip"): vm.IP.String(),
		key("vmidipmap", 0, "vmnetworkid"): tier.ID}, nil)
	return r.t.Refusal(err, "putting %s of %s behind %s", vm.Name, tier.Name, r)
}

// TryBalance makes a load balancer rule of a network on the address's next port: the refusal, or nil.
func (a *Address) TryBalance(n *Network) *cloud.Error {
	defer a.t.Step("a rule on %s", a.IP)()
	a.nextPort++
	_, err := a.Account.Cloud.Job(a.t.Ctx, "createLoadBalancerRule", cloud.Params{"publicipid": a.ID,
		"networkid": n.ID, "name": a.t.Unique("lb"), "algorithm": "roundrobin", "publicport": a.nextPort,
		"privateport": privatePort, "protocol": "tcp"}, nil)
	return a.t.Refusal(err, "a rule on %s", a.IP)
}

// TryOpen opens the address's next port: the refusal, or nil.
func (a *Address) TryOpen() *cloud.Error {
	a.nextPort++
	_, err := a.Account.Cloud.Job(a.t.Ctx, "createFirewallRule", cloud.Params{"ipaddressid": a.ID, "protocol": "tcp",
		"startport": a.nextPort, "endport": a.nextPort, "cidrlist": "0.0.0.0/0"}, nil)
	return a.t.Refusal(err, "opening a port of %s", a.IP)
}
