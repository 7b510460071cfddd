package objects

import (
	"context"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

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
