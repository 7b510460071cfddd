package zone

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
)

// stickinessCommands are the stickiness policy commands, with the irregular roots of two of them.
func (z *Zone) stickinessCommands() []command {
	return append(stickinessCreateCommand(), stickinessOtherCommands()...)
}

func stickinessCreateCommand() []command {
	return []command{
		{
			name: "createLBStickinessPolicy", about: "Creates a load balancer stickiness policy", root: "createLBStickinessPolicy",
			class: lbClasses + "CreateLBStickinessPolicyCmd", kind: asyncCreate, instance: "None", event: "LB.STICKINESSPOLICY.CREATE",
			eventful: eventCreateAsync, creating: "create lb stickinesspolicy to load balancer", action: "Apply Stickinesspolicy to load balancer ",
			params: []param{
				{"lbruleid", "uuid:lbrule", true, "the ID of the load balancer rule"},
				{"description", "string", false, "the description of the load balancer stickiness policy"},
				{"methodname", "string", true, "name of the load balancer stickiness policy method, possible values are LbCookie, AppCookie, SourceBased"},
				{"name", "string", true, "name of the load balancer stickiness policy"},
				{"param", "map", false, "param list. Example: param[0].name=cookiename&param[0].value=LBCookie"},
				{"fordisplay", "boolean", false, "an optional field, whether to the display the rule to the end user or not"},
			},
			create: createPolicy, run: applyPolicy,
			sync: func(z *Zone, c *call) string { return ruleSync(z, c, "lbruleid") },
			describe: func(z *Zone, c *call) string {
				c.eventResourceType, c.eventResource = "None", c.target.id
				return "creating a load balancer stickiness policy: " + c.str("name")
			},
			detail: func(z *Zone, c *call) string {
				if c.target.id == 0 || c.job == nil {
					return ""
				}
				c.eventResourceType = "StickinessPolicy"
				return fmt.Sprintf("Rule Id: %d", c.target.id)
			},
		},
	}
}

func stickinessOtherCommands() []command {
	return []command{
		{
			name: "updateLBStickinessPolicy", about: "Updates load balancer stickiness policy", class: lbClasses + "UpdateLBStickinessPolicyCmd",
			kind: asyncCommand, event: "LB.STICKINESSPOLICY.UPDATE", eventful: eventAsync, action: "updating lb stickiness policy",
			params: []param{
				{"id", "uuid:policy", true, "ID of lb stickiness policy"},
				{"fordisplay", "boolean", false, "an optional field, whether to the display the policy to the end user or not"},
				{"customid", "string", false, "an optional field, in case you want to set a custom id to the resource. Allowed to Root Admins only"},
			},
			check: ownPolicy, run: updatePolicy,
			describe: func(z *Zone, c *call) string {
				return fmt.Sprintf("Update load balancer stickiness policy ID= %d", concernsPolicy(z, c, "None"))
			},
			detail: func(z *Zone, c *call) string { c.eventResourceType = "StickinessPolicy"; return "" },
		},
		{
			name: "deleteLBStickinessPolicy", about: "Deletes a load balancer stickiness policy.", root: "deleteLBstickinessrruleresponse",
			class: lbClasses + "DeleteLBStickinessPolicyCmd", kind: asyncCommand, event: "LB.STICKINESSPOLICY.DELETE", eventful: eventAsync,
			action: "revoking LB Stickiness policy ",
			params: []param{{"id", "uuid:policy", true, "the ID of the LB stickiness policy"}},
			check:  ownPolicy, run: deletePolicy,
			sync: func(z *Zone, c *call) string {
				if r, _ := z.policyByUUID(c.str("id")); r != nil {
					return fmt.Sprintf("network:%d", r.Network.ID)
				}
				return ""
			},
			describe: func(z *Zone, c *call) string {
				return fmt.Sprintf("deleting load balancer stickiness policy: %d", concernsPolicy(z, c, "None"))
			},
			detail: func(z *Zone, c *call) string {
				c.eventResourceType = "StickinessPolicy"
				return fmt.Sprintf("Load balancer stickiness policy ID: %d", c.target.id)
			},
		},
		{
			name: "listLBStickinessPolicies", about: "Lists load balancer stickiness policies.",
			params: listParams(
				param{"lbruleid", "uuid:lbrule", false, "the ID of the load balancer rule"},
				param{"id", "uuid:policy", false, "the ID of the load balancer stickiness policy"},
				param{"fordisplay", "boolean", false, "list resources by display flag; only ROOT admin is eligible to pass this parameter"},
			),
			run: listPolicies,
		},
	}
}

// concernsPolicy sets what the event rows of update and delete name, and answers the policy's internal id.
func concernsPolicy(z *Zone, c *call, kind string) int64 {
	c.eventResourceType = kind
	if _, p := z.policyByUUID(c.str("id")); p != nil {
		c.eventResource, c.target = p.ID, created{p.UUID, p.ID}
	}
	return c.target.id
}

func ownPolicy(z *Zone, c *call) error {
	r, _ := z.policyByUUID(c.str("id"))
	if r == nil {
		return c.badEntity("id", c.str("id"))
	}
	return mayUse(z, c, r.Account, "load balancer rule")
}

// createPolicy is the create phase: the row is there, listed and unmarked, before the job pushes it.
func createPolicy(z *Zone, c *call) (created, error) {
	c.eventResourceType = "StickinessPolicy"
	r, err := lbRuleParam(z, c, "lbruleid")
	if err != nil {
		return created{}, err
	}
	if err := mayUse(z, c, r.Account, "load balancer rule"); err != nil {
		return created{}, err
	}
	if r.State == stateRevoke {
		return created{}, api.Invalid("Failed:  LB rule id: %d is in deleting state: ", r.ID)
	}
	params, err := policyParams(z, c, r)
	if err != nil {
		return created{}, err
	}
	p := &Policy{
		UUID: z.uuid(), Name: c.str("name"), Text: c.str("description"), Method: c.str("methodname"), Params: params,
		Display: c.boolean("fordisplay", true),
	}
	p.ID, err = z.insert(c.ctx, "cloud.load_balancer_stickiness_policies", obj{
		"uuid": p.UUID, "load_balancer_id": r.ID, "name": p.Name, "description": nullText(p.Text), "method_name": p.Method,
		"params": storedParams(params), "revoke": 0, "display": p.Display,
	})
	if err != nil {
		return created{}, err
	}
	r.Policies = append(r.Policies, p)
	return created{p.UUID, p.ID}, nil
}

// applyPolicy is the job of createLBStickinessPolicy. The policy that was there is revoked and goes with the push. When
// the push fails, the new policy is deleted but the replaced one stays revoked, and is lost at the next good push
// (facts: cloudstack.md 2.6).
func applyPolicy(z *Zone, c *call) (obj, error) {
	ctx := c.ctx
	r, err := lbRuleParam(z, c, "lbruleid")
	if err != nil {
		return nil, err
	}
	_, mine := z.policyByUUID(c.target.uuid)
	if mine == nil {
		return nil, api.Internal("Failed to create stickiness policy")
	}
	state := r.State
	var replaced []*Policy
	for _, p := range r.Policies {
		switch {
		case p == mine:
			err = z.setRuleState(ctx, &r.rule, stateAdd)
		case !p.Revoke && !z.knobs[fault.SecondPolicyKept]:
			replaced = append(replaced, p)
			err = z.setPolicyRevoke(ctx, p, true)
		}
		if err != nil {
			return nil, err
		}
	}
	err = z.applyRule(withCause(ctx, causeSticky, r), r)
	if unavailable(err) {
		if err := z.setRuleState(ctx, &r.rule, state); err != nil {
			return nil, err
		}
		if err := errors.Join(z.removePolicy(ctx, r, mine), z.restoreReplaced(ctx, replaced)); err != nil {
			return nil, err
		}
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create stickiness policy"}
	}
	if err != nil {
		return nil, err
	}
	return obj{"stickinesspolicies": policiesAnswer(r, []*Policy{mine})}, nil
}

// updatePolicy changes what is only for display; nothing is pushed.
func updatePolicy(z *Zone, c *call) (obj, error) {
	r, p := z.policyByUUID(c.str("id"))
	if p == nil {
		return nil, c.badEntity("id", c.str("id"))
	}
	if v := c.str("customid"); v != "" && callerOf(c).Account.Type == 1 {
		p.UUID = v
	}
	p.Display = c.boolean("fordisplay", p.Display)
	if err := z.update(c.ctx, "cloud.load_balancer_stickiness_policies", p.ID, obj{"uuid": p.UUID, "display": p.Display}); err != nil {
		return nil, err
	}
	return obj{"stickinesspolicies": policiesAnswer(r, []*Policy{p})}, nil
}

// deletePolicy is the job of deleteLBStickinessPolicy; a failed push restores the policy.
func deletePolicy(z *Zone, c *call) (obj, error) {
	ctx := c.ctx
	r, p := z.policyByUUID(c.str("id"))
	if p == nil {
		return nil, api.Invalid("Invalid Stickiness policy id value: %d", c.target.id)
	}
	if z.knobs[fault.StickyDeleteIgnored] {
		return obj{"success": true}, nil
	}
	state, revoke := r.State, p.Revoke
	if state == stateActive {
		if err := z.setRuleState(ctx, &r.rule, stateAdd); err != nil {
			return nil, err
		}
	}
	if err := z.setPolicyRevoke(ctx, p, true); err != nil {
		return nil, err
	}
	err := z.applyRule(withCause(ctx, causeSticky, r), r)
	if unavailable(err) {
		if err := z.setPolicyRevoke(ctx, p, revoke); err != nil {
			return nil, err
		}
		if err := z.setRuleState(ctx, &r.rule, state); err != nil {
			return nil, err
		}
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to delete load balancer stickiness policy"}
	}
	if err != nil {
		return nil, err
	}
	c.eventResource, c.target.uuid = 0, ""
	return obj{"success": true}, nil
}

// listPolicies always answers one object, even without policies in it; by the id of a policy all policies of its rule.
func listPolicies(z *Zone, c *call) (obj, error) {
	var r *LBRule
	switch {
	case c.str("lbruleid") != "":
		r = z.lbRuleByUUID(c.str("lbruleid"))
	case c.str("id") != "":
		r, _ = z.policyByUUID(c.str("id"))
	default:
		return nil, api.Invalid("load balancer rule ID and stickiness policy ID can't be null")
	}
	if r == nil {
		return obj{}, nil
	}
	if err := mayUse(z, c, r.Account, "load balancer rule"); err != nil {
		return nil, err
	}
	policies := slices.Clone(r.Policies)
	policies = slices.DeleteFunc(policies, func(p *Policy) bool {
		return p.Display != c.boolean("fordisplay", true) || z.knobs[fault.StickyListEmpty]
	})
	return obj{"count": 1, "stickinesspolicies": []obj{policiesAnswer(r, policies)}}, nil
}

// policiesAnswer has no domainpath, in any release, and a policy has a state only when it is revoked.
func policiesAnswer(r *LBRule, policies []*Policy) obj {
	list := []obj{}
	for _, p := range policies {
		one := obj{"id": p.UUID, "name": p.Name, "methodname": p.Method, "fordisplay": p.Display, "params": shownParams(p.Params)}
		if p.Text != "" {
			one["description"] = p.Text
		}
		if p.Revoke {
			one["state"] = "Revoked"
		}
		list = append(list, one)
	}
	return obj{
		"lbruleid": r.UUID, "account": r.Account.Name, "domainid": r.Account.Domain.UUID, "domain": r.Account.Domain.Name, "stickinesspolicy": list,
	}
}
