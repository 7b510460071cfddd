package lb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// stickinessCommands are the stickiness policy commands, with the irregular roots of two of them.
func stickinessCommands() []command {
	return append(stickinessCreateCommand(), stickinessOtherCommands()...)
}

func stickinessCreateCommand() []command {
	return []command{
		{
			Name: "createLBStickinessPolicy", About: "Creates a load balancer stickiness policy",
			Root:  "createLBStickinessPolicy",
			Class: lbClasses + "CreateLBStickinessPolicyCmd", Kind: kernel.AsyncCreate, Instance: "None",
			Event:    "LB.STICKINESSPOLICY.CREATE",
			Eventful: kernel.EventCreateAsync, Creating: "create lb stickinesspolicy to load balancer",
			Action: "Apply Stickinesspolicy to load balancer ",
			Params: []param{
				{Name: "lbruleid", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer rule"},
				{Name: "description", Type: "string", About: "the description of the load balancer stickiness policy"},
				{Name: "methodname", Type: "string", Required: true, About: "name of the load balancer " +
					"stickiness policy method, possible values are LbCookie, AppCookie, SourceBased"},
				{Name: "name", Type: "string", Required: true, About: "name of the load balancer stickiness policy"},
				{Name: "param", Type: "map", About: "param list. Example: " +
					"param[0].name=cookiename&param[0].value=LBCookie"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the rule " +
					"to the end user or not"},
			},
			Create: createPolicy, Run: applyPolicy,
			Sync: func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "lbruleid") },
			Subject: func(_ *Manager, c *kernel.Call) kernel.Subject {
				return kernel.Subject{Kind: "None", Resource: c.Target.ID}
			},
			Later: "StickinessPolicy",
			Describe: func(_ *Manager, c *kernel.Call) string {
				return "creating a load balancer stickiness policy: " + c.Str("name")
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				if c.Target.ID == 0 || c.Job == nil {
					return ""
				}
				return fmt.Sprintf("Rule Id: %d", c.Target.ID)
			},
		},
	}
}

func stickinessOtherCommands() []command {
	return []command{
		{
			Name: "updateLBStickinessPolicy", About: "Updates load balancer stickiness policy",
			Class: lbClasses + "UpdateLBStickinessPolicyCmd",
			Kind:  kernel.AsyncCommand, Event: "LB.STICKINESSPOLICY.UPDATE", Eventful: kernel.EventAsync,
			Action: "updating lb stickiness policy",
			Params: []param{
				{Name: "id", Type: "uuid:policy", Required: true, About: "ID of lb stickiness policy"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the " +
					"policy to the end user or not"},
				{Name: "customid", Type: "string", About: "an optional field, in case you want to set a custom " +
					"id to the resource. Allowed to Root Admins only"},
			},
			Check: ownPolicy, Run: updatePolicy,
			Subject: policySubject, Later: "StickinessPolicy",
			Describe: func(_ *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Update load balancer stickiness policy ID= %d", c.Target.ID)
			},
		},
		{
			Name: "deleteLBStickinessPolicy", About: "Deletes a load balancer stickiness policy.",
			Root:  "deleteLBstickinessrruleresponse",
			Class: lbClasses + "DeleteLBStickinessPolicyCmd", Kind: kernel.AsyncCommand,
			Event: "LB.STICKINESSPOLICY.DELETE", Eventful: kernel.EventAsync,
			Action: "revoking LB Stickiness policy ",
			Params: []param{
				{Name: "id", Type: "uuid:policy", Required: true, About: "the ID of the LB stickiness policy"},
			},
			Check: ownPolicy, Run: deletePolicy,
			Sync: func(mgr *Manager, c *kernel.Call) string {
				if r, _ := mgr.policyByUUID(c.Str("id")); r != nil {
					return fmt.Sprintf("network:%d", r.Network.ID)
				}
				return ""
			},
			Subject: policySubject, Later: "StickinessPolicy",
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return mgr.eventText(c, fmt.Sprintf("deleting load balancer stickiness policy: %d", c.Target.ID),
					"Deleting load balancer stickiness policy with ID: %s")
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Load balancer stickiness policy ID: %d", c.Target.ID)
			},
		},
		{
			Name: "listLBStickinessPolicies", About: "Lists load balancer stickiness policies.",
			Params: kernel.ListParams(
				param{Name: "lbruleid", Type: "uuid:lbrule", About: "the ID of the load balancer rule"},
				param{Name: "id", Type: "uuid:policy", About: "the ID of the load balancer stickiness policy"},
				param{Name: "fordisplay", Type: "boolean", About: "list resources by display flag; only ROOT " +
					"admin is eligible to pass this parameter"},
			),
			Run: listPolicies,
		},
	}
}

// policySubject is the policy that update and delete name.
func policySubject(mgr *Manager, c *kernel.Call) kernel.Subject {
	if _, p := mgr.policyByUUID(c.Str("id")); p != nil {
		return kernel.Named("None", p.ID, p.UUID, nil)
	}
	return kernel.Subject{Kind: "None"}
}

func ownPolicy(mgr *Manager, c *kernel.Call) error {
	r, _ := mgr.policyByUUID(c.Str("id"))
	if r == nil {
		return c.BadEntity("id", c.Str("id"))
	}
	return tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule")
}

// createPolicy is the create phase: the row is there, listed and unmarked, before the job pushes it.
func createPolicy(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "StickinessPolicy"
	r, err := LBRuleParam(mgr, c, "lbruleid")
	if err != nil {
		return kernel.Created{}, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule"); err != nil {
		return kernel.Created{}, err
	}
	if r.State == firewall.StateRevoke {
		number := fmt.Sprintf(" LB rule id: %d", r.ID)
		if text := mgr.RuleText(r, number); text != number {
			number = "LB rule: " + text
		}
		return kernel.Created{}, api.Invalid("Failed: %s is in deleting state: ", number)
	}
	params, err := policyParams(mgr, c, r)
	if err != nil {
		return kernel.Created{}, err
	}
	p := &push.Policy{
		UUID: mgr.UUID(), Name: c.Str("name"), Text: c.Str("description"), Method: c.Str("methodname"), Params: params,
		Display: c.Boolean("fordisplay", true),
	}
	p.ID, err = mgr.Insert(c.Ctx, "cloud.load_balancer_stickiness_policies", obj{
		"uuid": p.UUID, "load_balancer_id": r.ID, "name": p.Name, "description": kernel.NullText(p.Text),
		"method_name": p.Method,
		"params":      storedParams(params), "revoke": 0, "display": p.Display,
	})
	if err != nil {
		return kernel.Created{}, err
	}
	r.Policies = append(r.Policies, p)
	return kernel.Created{UUID: p.UUID, ID: p.ID}, nil
}

// applyPolicy is the job of createLBStickinessPolicy. The policy that was there is revoked and goes with the push. When
// the push fails, the new policy is deleted but the replaced one stays revoked, and is lost at the next good push
// (facts: cloudstack.md 2.6).
func applyPolicy(mgr *Manager, c *kernel.Call) (obj, error) {
	ctx := c.Ctx
	r, err := LBRuleParam(mgr, c, "lbruleid")
	if err != nil {
		return nil, err
	}
	_, mine := mgr.policyByUUID(c.Target.UUID)
	if mine == nil {
		return nil, api.Internal("Failed to create stickiness policy")
	}
	state := r.State
	replaced := mgr.Hooks.Replaced(r, mine)
	for _, p := range replaced {
		if err := mgr.setPolicyRevoke(ctx, p, true); err != nil {
			return nil, err
		}
	}
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
		return nil, err
	}
	err = mgr.applyRule(ctx, r, push.Sticky)
	if kernel.Unavailable(err) {
		if err := mgr.firewall.SetRuleState(ctx, &r.Rule, state); err != nil {
			return nil, err
		}
		if mgr.On(fault.FailedPolicyStays) {
			return nil, policyFailed()
		}
		if err := errors.Join(mgr.removePolicy(ctx, r, mine), mgr.restoreReplaced(ctx, replaced)); err != nil {
			return nil, err
		}
		return nil, policyFailed()
	}
	if err != nil {
		return nil, err
	}
	return obj{"stickinesspolicies": policiesAnswer(r, []*push.Policy{mine})}, nil
}

func policyFailed() error {
	return &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create stickiness policy"}
}

// updatePolicy changes what is only for display; nothing is pushed.
func updatePolicy(mgr *Manager, c *kernel.Call) (obj, error) {
	r, p := mgr.policyByUUID(c.Str("id"))
	if p == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	if v := c.Str("customid"); v != "" && tenancy.Caller(c).Account.Type == 1 {
		p.UUID = v
	}
	p.Display = c.Boolean("fordisplay", p.Display)
	if err := mgr.Update(c.Ctx, "cloud.load_balancer_stickiness_policies", p.ID,
		obj{"uuid": p.UUID, "display": p.Display}); err != nil {
		return nil, err
	}
	return obj{"stickinesspolicies": policiesAnswer(r, []*push.Policy{p})}, nil
}

// deletePolicy is the job of deleteLBStickinessPolicy; a failed push restores the policy.
func deletePolicy(mgr *Manager, c *kernel.Call) (obj, error) {
	ctx := c.Ctx
	r, p := mgr.policyByUUID(c.Str("id"))
	if p == nil {
		return nil, api.Invalid("Invalid Stickiness policy id value: %d", c.Target.ID)
	}
	state, revoke := r.State, p.Revoke
	if state == firewall.StateActive {
		if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
			return nil, err
		}
	}
	if err := mgr.setPolicyRevoke(ctx, p, true); err != nil {
		return nil, err
	}
	err := mgr.applyRule(ctx, r, push.Sticky)
	if kernel.Unavailable(err) {
		if err := mgr.setPolicyRevoke(ctx, p, revoke); err != nil {
			return nil, err
		}
		if err := mgr.firewall.SetRuleState(ctx, &r.Rule, state); err != nil {
			return nil, err
		}
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to delete load " +
			"balancer stickiness policy"}
	}
	if err != nil {
		return nil, err
	}
	c.EventResource, c.Target.UUID = 0, ""
	return obj{"success": true}, nil
}

// listPolicies always answers one object, even without policies in it; by the id of a policy all policies of its rule.
func listPolicies(mgr *Manager, c *kernel.Call) (obj, error) {
	var r *push.Rule
	switch {
	case c.Str("lbruleid") != "":
		r = mgr.push.LBRuleByUUID(c.Str("lbruleid"))
	case c.Str("id") != "":
		r, _ = mgr.policyByUUID(c.Str("id"))
	default:
		return nil, api.Invalid("load balancer rule ID and stickiness policy ID can't be null")
	}
	if r == nil {
		return obj{}, nil
	}
	if err := tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule"); err != nil {
		return nil, err
	}
	policies := slices.Clone(r.Policies)
	policies = slices.DeleteFunc(policies, func(p *push.Policy) bool {
		return p.Display != c.Boolean("fordisplay", true)
	})
	return obj{"count": 1, "stickinesspolicies": []obj{policiesAnswer(r, policies)}}, nil
}

// policiesAnswer has no domainpath, in any release, and a policy has a state only when it is revoked.
func policiesAnswer(r *push.Rule, policies []*push.Policy) obj {
	list := []obj{}
	for _, p := range policies {
		one := obj{"id": p.UUID, "name": p.Name, "methodname": p.Method, "fordisplay": p.Display,
			"params": shownParams(p.Params)}
		if p.Text != "" {
			one["description"] = p.Text
		}
		if p.Revoke {
			one["state"] = "Revoked"
		}
		list = append(list, one)
	}
	return obj{
		"lbruleid": r.UUID, "account": r.Account.Name, "domainid": r.Account.Domain.UUID,
		"domain": r.Account.Domain.Name, "stickinesspolicy": list,
	}
}
