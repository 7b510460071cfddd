package story

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// TryForward forwards the address's next public port to a VM: the refusal, or nil.
func (a *Address) TryForward(n *Network, vm *VM) *cloud.Error {
	defer a.t.Step("port forwarding on %s", a.IP)()
	a.nextPort++
	_, err := n.Account.Cloud.Job(a.t.ctx, "createPortForwardingRule", cloud.Params{"ipaddressid": a.ID,
		"networkid": n.ID, "virtualmachineid": vm.ID, "protocol": "tcp", "publicport": a.nextPort,
		"privateport": a.nextPort}, nil)
	return a.t.refusal(err, "forwarding a port of %s", a.IP)
}

// Conserves says whether the network's offering lets an address carry rules of several services, as the API lists it.
func (n *Network) Conserves() bool {
	found, err := n.Account.Cloud.ListNetworks(n.t.ctx, cloud.Params{"id": n.ID})
	n.t.Must(err, "listing %s", n.Name)
	if len(found) != 1 {
		n.t.Inconclusive("%s is not listed", n.Name)
	}
	return found[0].Networkofferingconservemode
}

// ExpectShared expects that an address which balances load may forward ports, too, where its network is in conserve
// mode, and may not elsewhere.
func (t Answers) ExpectShared(n *Network, a *Address, refusal *cloud.Error) {
	t.Checked(1)
	shared := n.Conserves()
	switch {
	case shared && refusal != nil:
		t.Fail(result.WrongRefusal, fmt.Sprintf("a port forwarding rule on %s, which balances load, was refused with "+
			"%d: %s", a.IP, refusal.Code, refusal.Text))
	case !shared && refusal == nil:
		t.Fail(result.NotRefused, fmt.Sprintf("%s, which balances load for a tier without conserve mode, took a port "+
			"forwarding rule", a.IP))
	case !shared && refusal.Code != 431:
		t.Fail(result.WrongRefusal, fmt.Sprintf("a second service on %s was refused with %d (%s), want 431", a.IP,
			refusal.Code, refusal.Text))
	}
}
