package zone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

const defaultQuiet = 300 // seconds, NetUtils.DEFAULT_AUTOSCALE_POLICY_QUIET_TIME

func scalePolicyCommands() []command {
	return []command{
		{
			name: "createAutoScalePolicy", about: "Creates an autoscale policy for a provision or deprovision action, the action is taken when the all the conditions evaluates to true for the specified duration. The policy is in effect once it is attached to a autscale vm group.",
			root: "autoscalepolicyresponse", class: autoscaleClasses + "CreateAutoScalePolicyCmd", kind: asyncCreate, instance: "AutoScalePolicy",
			event: "AUTOSCALEPOLICY.CREATE", eventful: eventCreateOnly, action: "creating autoscale policy",
			params: []param{
				{"name", "string", false, "the name of the autoscale policy"},
				{"duration", "integer", true, "the duration in which the conditions have to be true before action is taken"},
				{"quiettime", "integer", false, "the cool down period in which the policy should not be evaluated after the action has been taken"},
				{"action", "string", true, "the action to be executed if all the conditions evaluate to true for the specified duration."},
				{"conditionids", "list:condition", true, "the list of IDs of the conditions that are being evaluated on every interval"},
			},
			create: createScalePolicy,
			run: func(z *Zone, c *call) (obj, error) {
				p := z.scalePolicyByUUID(c.target.uuid)
				if p == nil {
					return nil, api.Internal("Failed to create AutoScale Policy")
				}
				return obj{"autoscalepolicy": z.scalePolicyAnswer(p)}, nil
			},
			describe: func(z *Zone, c *call) string { c.eventResource = c.target.id; return "creating AutoScale Policy" },
		},
		{
			name: "updateAutoScalePolicy", about: "Updates an existing autoscale policy.", class: autoscaleClasses + "UpdateAutoScalePolicyCmd",
			kind: asyncCommand, event: "AUTOSCALEPOLICY.UPDATE", eventful: eventAsync, action: "updating autoscale policy",
			params: []param{
				{"id", "uuid:scalepolicy", true, "the ID of the autoscale policy"}, {"name", "string", false, "the name of the autoscale policy"},
				{"duration", "integer", false, "the duration in which the conditions have to be true before action is taken"},
				{"quiettime", "integer", false, "the cool down period in which the policy should not be evaluated after the action has been taken"},
				{"conditionids", "list:condition", false, "the list of IDs of the conditions that are being evaluated on every interval"},
			},
			run: updateScalePolicy,
			describe: func(z *Zone, c *call) string {
				return "Updating Auto Scale Policy." + scalePolicyID(z, c, " Policy Id: ")
			},
			detail: func(z *Zone, c *call) string { return scalePolicyID(z, c, "AutoScale Policy Id: ") },
		},
		{
			name: "deleteAutoScalePolicy", about: "Deletes a autoscale policy.", class: autoscaleClasses + "DeleteAutoScalePolicyCmd",
			kind: asyncCommand, event: "AUTOSCALEPOLICY.DELETE", eventful: eventAsync, action: "deleting autoscale policy",
			params: []param{{"id", "uuid:scalepolicy", true, "the ID of the autoscale policy"}}, run: deleteScalePolicy,
			describe: func(z *Zone, c *call) string { return "deleting AutoScale Policy: " + scalePolicyID(z, c, "") },
			detail:   func(z *Zone, c *call) string { return scalePolicyID(z, c, "AutoScale Policy Id: ") },
		},
		{
			name: "listAutoScalePolicies", about: "Lists autoscale policies.",
			params: listParams(
				param{"id", "uuid:scalepolicy", false, "the ID of the autoscale policy"}, param{"name", "string", false, "the name of the autoscale policy"},
				param{"conditionid", "uuid:condition", false, "the ID of the condition of the policy"}, param{"action", "string", false, "the action to be executed"},
				param{"vmgroupid", "uuid:group", false, "the ID of the autoscale vm group"},
			),
			run: listScalePolicies,
		},
	}
}

// scalePolicyID sets what the event rows name and answers the id after words; the policy may be gone by then.
func scalePolicyID(z *Zone, c *call, words string) string {
	c.eventResourceType = "AutoScalePolicy"
	if p := z.scalePolicyByUUID(c.str("id")); p != nil {
		c.eventResource, c.target = p.ID, created{p.UUID, p.ID}
	}
	return fmt.Sprintf("%s%d", words, c.target.id)
}

func createScalePolicy(z *Zone, c *call) (created, error) {
	c.eventResourceType = "AutoScalePolicy"
	action := strings.ToUpper(c.str("action"))
	if action != "SCALEUP" && action != "SCALEDOWN" {
		return created{}, api.Invalid("action is invalid. Supported actions are: [SCALEUP, SCALEDOWN]")
	}
	p := &ScalePolicy{Name: c.str("name"), Action: action, Duration: c.integer("duration", 0), Quiet: c.integer("quiettime", defaultQuiet)}
	if err := policyConditions(z, c, p); err != nil {
		return created{}, err
	}
	p.Account, p.UUID = p.Conditions[0].Account, z.uuid()
	var err error
	p.ID, err = z.insert(c.ctx, "cloud.autoscale_policies", obj{
		"uuid": p.UUID, "name": nullText(p.Name), "domain_id": p.Account.Domain.ID, "account_id": p.Account.ID, "duration": p.Duration,
		"quiet_time": p.Quiet, "action": p.Action, "created": z.now(),
	})
	if err != nil {
		return created{}, err
	}
	z.policies = append(z.policies, p)
	return created{p.UUID, p.ID}, nil
}

// policyConditions checks the numbers and takes over the conditions that the call names.
func policyConditions(z *Zone, c *call, p *ScalePolicy) error {
	if p.Duration < 0 {
		return api.Invalid("duration is an invalid value: %d", p.Duration)
	}
	if p.Quiet < 0 {
		return api.Invalid("quietTime is an invalid value: %d", p.Quiet)
	}
	if !c.has("conditionids") {
		return nil
	}
	var conditions []*Condition
	for _, u := range c.list("conditionids") {
		k := z.conditionByUUID(u)
		if k == nil {
			return api.Invalid("Unable to find the condition specified")
		}
		if err := mayUse(z, c, k.Account, "condition"); err != nil {
			return err
		}
		if slices.ContainsFunc(conditions, func(o *Condition) bool { return o.Counter == k.Counter }) {
			return api.Invalid("at least two conditions in the conditionids have the same counter. It is not right to apply two different conditions for the same counter")
		}
		conditions = append(conditions, k)
	}
	if len(conditions) == 0 {
		return api.Invalid("AutoScale policy must have at least one condition")
	}
	p.Conditions = conditions
	return nil
}

func updateScalePolicy(z *Zone, c *call) (obj, error) {
	p := z.scalePolicyByUUID(c.str("id"))
	if p == nil {
		return nil, c.badEntity("id", c.str("id"))
	}
	if err := mayUse(z, c, p.Account, "policy"); err != nil {
		return nil, err
	}
	changed := *p
	changed.Duration, changed.Quiet = c.integer("duration", p.Duration), c.integer("quiettime", p.Quiet)
	if v := c.str("name"); v != "" {
		changed.Name = v
	}
	for _, g := range z.groups {
		if !g.Removed.IsZero() || !slices.Contains(g.Up, p) && !slices.Contains(g.Down, p) {
			continue
		}
		if g.State != groupDisabled {
			return nil, api.Invalid("The AutoScale Policy can be updated only if the Vm Group it is associated with is disabled in state")
		}
		if c.has("duration") && changed.Duration < g.Interval {
			return nil, api.Invalid("duration is less than the associated AutoScaleVmGroup's interval")
		}
	}
	if err := policyConditions(z, c, &changed); err != nil {
		return nil, err
	}
	*p = changed
	if err := z.update(c.ctx, "cloud.autoscale_policies", p.ID, obj{"name": nullText(p.Name), "duration": p.Duration, "quiet_time": p.Quiet}); err != nil {
		return nil, err
	}
	return obj{"autoscalepolicy": z.scalePolicyAnswer(p)}, nil
}

func deleteScalePolicy(z *Zone, c *call) (obj, error) {
	p := z.scalePolicyByUUID(c.str("id"))
	if p == nil {
		return nil, c.badEntity("id", c.str("id"))
	}
	if err := mayUse(z, c, p.Account, "policy"); err != nil {
		return nil, err
	}
	for _, g := range z.groups {
		if g.Removed.IsZero() && (slices.Contains(g.Up, p) || slices.Contains(g.Down, p)) {
			return nil, api.Invalid("Cannot delete AutoScale Policy when it is in use by one or more AutoScale Vm Groups")
		}
	}
	z.policies = slices.DeleteFunc(z.policies, func(o *ScalePolicy) bool { return o == p })
	if err := z.update(c.ctx, "cloud.autoscale_policies", p.ID, obj{"removed": z.now()}); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

func listScalePolicies(z *Zone, c *call) (obj, error) {
	condition, group := z.conditionByUUID(c.str("conditionid")), z.groupByUUID(c.str("vmgroupid"))
	var out []obj
	for _, p := range slices.Backward(z.policies) {
		switch {
		case !visible(z, c, p.Account), c.has("id") && p.UUID != c.str("id"), c.str("name") != "" && p.Name != c.str("name"):
		case c.str("action") != "" && !strings.EqualFold(p.Action, c.str("action")):
		case condition != nil && !slices.Contains(p.Conditions, condition):
		case group != nil && !slices.Contains(group.Up, p) && !slices.Contains(group.Down, p):
		default:
			out = append(out, z.scalePolicyAnswer(p))
		}
	}
	return c.page("autoscalepolicy", out), nil
}
