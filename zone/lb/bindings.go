package lb

import (
	"cmp"
	"context"
	"fmt"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// sslProtocol is the protocol of a rule that takes a certificate.
const sslProtocol = "ssl"

// bindingCommands put certificates on rules. No rule of a virtual router takes one before 4.22: the provider lacks the
// capability SslTermination (LoadBalancingRulesManagerImpl@4.20.0.0).
func bindingCommands() []command {
	rule := param{Name: "lbruleid", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer rule"}
	own := func(mgr *Manager, c *kernel.Call) error {
		r, err := LBRuleParam(mgr, c, "lbruleid")
		if err == nil {
			err = tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule")
		}
		return err
	}
	sync := func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "lbruleid") }
	subject := func(mgr *Manager, c *kernel.Call) kernel.Subject { return ruleSubject(mgr, c.Str("lbruleid")) }
	return []command{
		{
			Name: "assignCertToLoadBalancer", About: "Assigns a certificate to a load balancer rule",
			Class: lbClasses + "AssignCertToLoadBalancerCmd",
			Kind:  kernel.AsyncCommand, Event: "LB.CERT.ASSIGN", Eventful: kernel.EventAsync,
			Action: "assigning certificate to load balancer",
			Params: []param{rule,
				{Name: "certid", Type: "uuid", Required: true, About: "the ID of the certificate"},
				{Name: "forced", Type: "boolean", With: release.SSLOffload, About: "Force assign the certificate. If " +
					"there is a certificate assigned to the LB, it will be removed at first."}},
			Check: own, Run: assignCert, Sync: sync, Subject: subject,
			Describe: func(*Manager, *kernel.Call) string { return "Assigning a certificate to a load balancer" },
		},
		{
			Name: "removeCertFromLoadBalancer", About: "Removes a certificate from a load balancer rule",
			Class: lbClasses + "RemoveCertFromLoadBalancerCmd",
			Kind:  kernel.AsyncCommand, Event: "LB.CERT.REMOVE", Eventful: kernel.EventAsync,
			Action: "removing certificate from load balancer", Params: []param{rule},
			Check: own, Run: removeCert, Sync: sync, Subject: subject,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				id := int64(0)
				if r := mgr.push.LBRuleByUUID(c.Str("lbruleid")); r != nil {
					id = r.ID
				}
				return fmt.Sprintf("Removing a certificate from a load balancer with ID %d", id)
			},
		},
	}
}

// assignCert binds a certificate and pushes. One that is bound already goes first when the call forces it, by a push of
// its own (LoadBalancingRulesManagerImpl.assignCertToLoadBalancer@4.22.1.0).
func assignCert(mgr *Manager, c *kernel.Call) (obj, error) {
	r, err := LBRuleParam(mgr, c, "lbruleid")
	if err != nil {
		return nil, err
	}
	one, err := cert(mgr, c, "certid")
	switch {
	case err != nil:
		return nil, err
	case one.Owner != r.Account:
		return nil, api.Invalid("Access denied for Account %d", one.Owner.ID)
	case !mgr.On(release.SSLOffload):
		return nil, api.Invalid("Ssl termination not supported by the loadbalancer")
	case r.Certificate != nil && !c.Boolean("forced", false):
		return nil, api.Invalid("Another certificate is already bound to the LB")
	}
	former := r.Certificate
	if former != nil {
		if err := mgr.unbind(c.Ctx, r); err != nil {
			return nil, err
		}
	}
	if r.LBProtocol != sslProtocol {
		return nil, api.Invalid("Bad LB protocol: Expected ssl got %s", cmp.Or(r.LBProtocol, "null"))
	}
	state := r.State
	if err := mgr.firewall.SetRuleState(c.Ctx, &r.Rule, firewall.StateAdd); err != nil {
		return nil, err
	}
	r.Certificate = &push.Bound{Certificate: one}
	err = mgr.applyRule(c.Ctx, r, push.Certify)
	if !kernel.Unavailable(err) {
		return obj{"success": true}, err
	}
	r.Certificate = nil
	mgr.restoreCertificate(r, former)
	if err := mgr.firewall.SetRuleState(c.Ctx, &r.Rule, state); err != nil {
		return nil, err
	}
	return nil, api.Internal("Failed to assign certificate to load balancer")
}

func removeCert(mgr *Manager, c *kernel.Call) (obj, error) {
	r, err := LBRuleParam(mgr, c, "lbruleid")
	if err != nil {
		return nil, err
	}
	if r.Certificate == nil {
		return nil, api.Invalid("No certificate is bound to lb with id: %d", r.ID)
	}
	if err := mgr.unbind(c.Ctx, r); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

// unbind takes a rule's certificate away with a push. One that fails leaves the rule as it was
// (LoadBalancingRulesManagerImpl.removeCertFromLoadBalancer@4.22.1.0).
func (mgr *Manager) unbind(ctx context.Context, r *push.Rule) error {
	state, text := r.State, mgr.RuleText(r, kernel.LongText(r.ID))
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
		return err
	}
	r.Certificate.Revoke = true
	err := mgr.applyRule(ctx, r, push.Certify)
	if !kernel.Unavailable(err) {
		return err
	}
	r.Certificate.Revoke = false
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, state); err != nil {
		return err
	}
	return api.Internal("Failed to remove certificate from load balancer rule %s", text)
}
