package lb

import (
	"context"
	"slices"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
)

// parts are what belongs to a rule, and its rows: members, policies and a certificate.
type parts struct{ *kernel.Kernel }

// RemoveMember deletes a mapping.
func (ps parts) RemoveMember(ctx context.Context, r *push.Rule, m *push.Member) error {
	r.Members = slices.DeleteFunc(r.Members, func(o *push.Member) bool { return o == m })
	m.Removed = ps.Now()
	r.Former = append(r.Former, m)
	return ps.Remove(ctx, "cloud.load_balancer_vm_map", m.ID)
}

func (ps parts) setMemberRevoke(ctx context.Context, m *push.Member, revoke bool) error {
	if m.Revoke == revoke {
		return nil
	}
	m.Revoke = revoke
	return ps.Update(ctx, "cloud.load_balancer_vm_map", m.ID, obj{"revoke": revoke})
}

func (ps parts) setPolicyRevoke(ctx context.Context, p *push.Policy, revoke bool) error {
	if p.Revoke == revoke {
		return nil
	}
	p.Revoke = revoke
	return ps.Update(ctx, "cloud.load_balancer_stickiness_policies", p.ID, obj{"revoke": revoke})
}

func (ps parts) removePolicy(ctx context.Context, r *push.Rule, p *push.Policy) error {
	r.Policies = slices.DeleteFunc(r.Policies, func(o *push.Policy) bool { return o == p })
	return ps.Remove(ctx, "cloud.load_balancer_stickiness_policies", p.ID)
}

// restoreReplaced brings back the policies that a replacement revoked, where the release's defect is switched off.
func (ps parts) restoreReplaced(ctx context.Context, replaced []*push.Policy) error {
	if ps.On(release.ReplacedPolicyLost) {
		return nil
	}
	for _, p := range replaced {
		if err := ps.setPolicyRevoke(ctx, p, false); err != nil {
			return err
		}
	}
	return nil
}

// restoreMembers brings back a rule's members after a delete that could not be pushed, likewise.
func (ps parts) restoreMembers(ctx context.Context, r *push.Rule) error {
	if ps.On(release.FailedDeleteDropsMembers) {
		return nil
	}
	for _, m := range r.Members {
		if err := ps.setMemberRevoke(ctx, m, false); err != nil {
			return err
		}
	}
	return nil
}

// restoreCertificate brings back the certificate that a change took off before it failed, likewise; nil is none.
func (ps parts) restoreCertificate(r *push.Rule, former *push.Bound) {
	if former != nil && !ps.On(release.CertificateChangeNotAtomic) {
		r.Certificate = &push.Bound{Certificate: former.Certificate}
	}
}

// forgetPolicies leaves a rule's policies revoked after a delete that could not be pushed, by the defect of a release
// to come (#13015).
func (ps parts) forgetPolicies(ctx context.Context, r *push.Rule) error {
	if !ps.On(release.FailedDeleteDropsPolicy) {
		return nil
	}
	for _, p := range r.Policies {
		if err := ps.setPolicyRevoke(ctx, p, true); err != nil {
			return err
		}
	}
	return nil
}
