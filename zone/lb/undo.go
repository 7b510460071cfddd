package lb

import (
	"context"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/push"
)

// restoreReplaced brings back the policies that a replacement revoked, where the release's defect is switched off.
func (mgr *Manager) restoreReplaced(ctx context.Context, replaced []*push.Policy) error {
	if mgr.On(release.ReplacedPolicyLost) {
		return nil
	}
	for _, p := range replaced {
		if err := mgr.setPolicyRevoke(ctx, p, false); err != nil {
			return err
		}
	}
	return nil
}

// restoreMembers brings back a rule's members after a delete that could not be pushed, likewise.
func (mgr *Manager) restoreMembers(ctx context.Context, r *push.Rule) error {
	if mgr.On(release.FailedDeleteDropsMembers) {
		return nil
	}
	for _, m := range r.Members {
		if err := mgr.setMemberRevoke(ctx, m, false); err != nil {
			return err
		}
	}
	return nil
}

// restoreCertificate brings back the certificate that a change took off before it failed, likewise; nil is none.
func (mgr *Manager) restoreCertificate(r *push.Rule, former *push.Bound) {
	if former != nil && !mgr.On(release.CertificateChangeNotAtomic) {
		r.Certificate = &push.Bound{Certificate: former.Certificate}
	}
}

// forgetPolicies leaves a rule's policies revoked after a delete that could not be pushed, by the defect of a release
// to come (#13015).
func (mgr *Manager) forgetPolicies(ctx context.Context, r *push.Rule) error {
	if !mgr.On(release.FailedDeleteDropsPolicy) {
		return nil
	}
	for _, p := range r.Policies {
		if err := mgr.setPolicyRevoke(ctx, p, true); err != nil {
			return err
		}
	}
	return nil
}
