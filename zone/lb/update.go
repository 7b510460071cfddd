package lb

import (
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// updateRule changes a rule. Releases differ in what counts as a change that is pushed (mustPush).
func updateRule(mgr *Manager, c *kernel.Call) (obj, error) {
	ctx := c.Ctx
	r, err := LBRuleParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	before := *r
	if err := changeRule(mgr, c, r); err != nil {
		had := r.UUID
		*r = before
		mgr.push.LBRules.Rename(r, had)
		return nil, err
	}
	if !mgr.mustPush(c, &before, r) {
		return obj{"loadbalancer": RuleAnswer(mgr, r)}, nil
	}
	state := r.State
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
		return nil, err
	}
	answer := RuleAnswer(mgr, r) // the release answers with the rule as it was before the push
	err = mgr.applyRule(ctx, r, push.Update)
	switch {
	case kernel.Unavailable(err):
		mgr.undoChange(r, &before)
		if err := mgr.firewall.SetRuleState(ctx, &r.Rule, state); err != nil {
			return nil, err
		}
		if err := mgr.saveRule(c, r); err != nil {
			return nil, err
		}
		return nil, api.Internal("Failed to update load balancer rule: %s", mgr.RuleText(r, kernel.LongText(r.ID)))
	case err != nil:
		return nil, err
	case r.LBProtocol == "" && mgr.On(release.UpdateWithoutProtocolFails):
		return nil, api.Internal("%s", noProtocol)
	}
	if r.LBProtocol != sslProtocol || mgr.On(fault.UpdateDropsCertificate) {
		r.Certificate = nil // removed without a push of its own
	}
	return obj{"loadbalancer": answer}, nil
}

// noProtocol is the answer to an update of a rule that was made without a protocol (confirmed.md 36).
const noProtocol = `Cannot invoke "String.equals(Object)" because the return value of ` +
	`"com.cloud.network.dao.LoadBalancerVO.getLbProtocol()" is null`

// mustPush says whether an update goes to the router: another algorithm as text, upper and lower case apart, another
// source list, and from 4.22 on another protocol. There what the call leaves unsaid counts as changed, too: algorithm
// and protocol as given are held against the stored ones
// (LoadBalancingRulesManagerImpl.updateLoadBalancerRule@4.20.0.0, @4.22.1.0).
func (mgr *Manager) mustPush(c *kernel.Call, before, r *push.Rule) bool {
	changed := r.Algorithm != before.Algorithm || r.SourceList() != before.SourceList() ||
		r.LBProtocol != before.LBProtocol && !mgr.On(release.ProtocolUpdateNotPushed)
	unsaid := c.Str("algorithm") == "" || c.Str("protocol") == "" && before.LBProtocol != ""
	return changed || unsaid && mgr.On(release.UpdatePushesAlways)
}

// undoChange is what an update takes back when its push failed.
func (mgr *Manager) undoChange(r, before *push.Rule) {
	r.Name, r.Algorithm, r.CIDRs, r.CommaCIDRs = before.Name, before.Algorithm, before.CIDRs, before.CommaCIDRs
	if before.Text != "" {
		r.Text = before.Text
	}
	if !mgr.On(release.UpdateProtocolNotRestored) {
		r.LBProtocol = before.LBProtocol
	}
}

// changeRule takes over what the call names, after the checks that the release makes.
func changeRule(mgr *Manager, c *kernel.Call, r *push.Rule) error {
	if v := c.Str("name"); v != "" {
		r.Name = v
	}
	if c.Has("description") {
		r.Text = c.Str("description")
	}
	if v := c.Str("algorithm"); v != "" {
		if !mgr.On(release.AlgorithmUnchecked) && !validAlgorithm(v) {
			return api.BadParameter("Invalid algorithm: %s", v)
		}
		r.Algorithm = v
	}
	if v := c.Str("protocol"); v != "" {
		r.LBProtocol = v
	}
	if c.Has("cidrlist") && mgr.On(release.UpdateCIDRList) {
		list, err := sourceList(mgr, c)
		if err != nil {
			return err
		}
		r.CIDRs, r.CommaCIDRs = list, mgr.On(release.CIDRListTwoForms)
	}
	if v := c.Str("customid"); v != "" && tenancy.Caller(c).Account.Type == 1 {
		had := r.UUID
		r.UUID = v
		mgr.push.LBRules.Rename(r, had)
	}
	r.Display = c.Boolean("fordisplay", r.Display)
	if err := mgr.supported(r); err != nil {
		if mgr.On(release.ProtocolCheckedExactly) && r.StartPort != statsPort &&
			!strings.EqualFold(r.LBProtocol, "udp") {
			return err
		}
		return api.Invalid("Modifications in lb rule %s are not supported.", mgr.RuleText(r, kernel.LongText(r.ID)))
	}
	return mgr.saveRule(c, r)
}

// saveRule mirrors what an update may change.
func (mgr *Manager) saveRule(c *kernel.Call, r *push.Rule) error {
	if err := mgr.Update(c.Ctx, "cloud.firewall_rules", r.ID, obj{"uuid": r.UUID, "display": r.Display}); err != nil {
		return err
	}
	row := obj{"name": r.Name, "description": kernel.NullText(r.Text), "algorithm": r.Algorithm,
		"lb_protocol": kernel.NullText(r.LBProtocol), "cidr_list": kernel.NullText(r.SourceList())}
	if mgr.On(fault.UpdateNotStored) {
		delete(row, "algorithm")
	}
	return mgr.Update(c.Ctx, "cloud.load_balancing_rules", r.ID, row)
}
