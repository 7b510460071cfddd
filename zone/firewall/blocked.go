package firewall

import "context"

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
			if err := mgr.RemovePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	return nil
}
