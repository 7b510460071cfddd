package firewall

import (
	"context"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/net"
)

// revokePF is what becomes of a rule that its router does not take, or not take away: it stays, revoked, until the next
// change of its address comes through (RulesManagerImpl.revokePortForwardingRuleInternal).
func (mgr *Manager) revokePF(ctx context.Context, pf *PFRule) error {
	if err := mgr.RevokeRelated(ctx, &pf.Rule); err != nil || pf.State == StateRevoke {
		return err
	}
	if err := mgr.SetRuleState(ctx, &pf.Rule, StateRevoke); err != nil {
		return err
	}
	return mgr.deletedPF(ctx, pf)
}

// eraseRevoked takes the revoked rules of an address away with a change that came through.
func (mgr *Manager) eraseRevoked(ctx context.Context, through *PFRule) error {
	for _, pf := range mgr.PFRules.All() {
		if pf.Address == through.Address && pf.State == StateRevoke {
			if err := mgr.removePF(ctx, pf); err != nil {
				return err
			}
		}
	}
	return nil
}

// refusesPF says whether a router refuses a change of an address's port forwarding: all rules of the address are sent,
// revoked ones and the one that goes as revoked (RulesManagerImpl.applyPortForwardingRules).
func (mgr *Manager) refusesPF(ctx context.Context, of, goes *PFRule) bool {
	var rules []net.Forwarding
	for _, pf := range mgr.PFRules.All() {
		if pf.Address == of.Address && pf.State != StateStaged {
			rules = append(rules, net.Forwarding{Revoked: pf == goes || pf.State == StateRevoke,
				Protocol: pf.Protocol, Public: pf.Address.IP, PublicPorts: [2]int{pf.StartPort, pf.EndPort},
				Private: pf.VMIP, PrivatePorts: [2]int{pf.PrivateStart, pf.PrivateEnd}})
		}
	}
	return net.RefusesForward(ctx, mgr.net, of.Network, rules)
}

// blocked says whether a router refuses a change of a firewall rule (net.Manager.Blocked). A VPC's rule goes to the
// router of its tiers.
func (mgr *Manager) blocked(fw *Rule) bool {
	if !fw.ofVPC() {
		return mgr.net.Blocked(fw.Network)
	}
	return slices.ContainsFunc(mgr.net.Networks.All(), func(n *net.Network) bool {
		return n.VPC == fw.VPC && n.Removed.IsZero() && mgr.net.Blocked(n)
	})
}

// FreeFor says whether an address may carry a rule of a service: where its network does not conserve addresses, one
// that has rules of another service may not (NetworkModelImpl.canIpUsedForNonConserveService).
func (mgr *Manager) FreeFor(a *net.Address, n *net.Network, service string) error {
	if n == nil || n.Conserves() || mgr.On(fault.AddressSharedAnyway) {
		return nil
	}
	names := map[string]string{PurposeLB: "Lb", purposePF: "PortForwarding"}
	for _, r := range mgr.RulesOnAddress(a) {
		if used := names[r.Purpose]; used != "" && used != service && r.State != StateRevoke {
			return api.Invalid("The IP %s is already used as %s rather than %s.", a.IP, used, service)
		}
	}
	return nil
}
