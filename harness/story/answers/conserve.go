package answers

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// ExpectShared expects that an address which balances load may forward ports, too, where its network is in conserve
// mode, and may not elsewhere.
func (t Answers) ExpectShared(n *objects.Network, a *objects.Address, refusal *cloud.Error) {
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
