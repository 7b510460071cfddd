package autoscale

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

const defaultQuiet = 300 // seconds, NetUtils.DEFAULT_AUTOSCALE_POLICY_QUIET_TIME

func scalePolicyCommands() []command {
	return []command{
		{
			Name: "createAutoScalePolicy", About: "Creates an autoscale policy for a provision or deprovision " +
				"action, the action is taken when the all the conditions evaluates to true for the specified " +
				"duration. The policy is in effect once it is attached to a autscale vm group.",
			Root: "autoscalepolicyresponse", Class: autoscaleClasses + "CreateAutoScalePolicyCmd",
			Kind: kernel.AsyncCreate, Instance: "AutoScalePolicy",
			Event: "AUTOSCALEPOLICY.CREATE", Eventful: kernel.EventCreateOnly, Action: "creating autoscale policy",
			Params: []param{
				{Name: "name", Type: "string", About: "the name of the autoscale policy"},
				{Name: "duration", Type: "integer", Required: true, About: "the duration in which the conditions " +
					"have to be true before action is taken"},
				{Name: "quiettime", Type: "integer", About: "the cool down period in which the policy should not " +
					"be evaluated after the action has been taken"},
				{Name: "action", Type: "string", Required: true, About: "the action to be executed if all the " +
					"conditions evaluate to true for the specified duration."},
				{Name: "conditionids", Type: "list:condition", Required: true, About: "the list of IDs of the " +
					"conditions that are being evaluated on every interval"},
			},
			Create: createScalePolicy,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				p := mgr.scalePolicyByUUID(c.Target.UUID)
				if p == nil {
					return nil, api.Internal("Failed to create AutoScale Policy")
				}
				return obj{"autoscalepolicy": scalePolicyAnswer(mgr, p)}, nil
			},
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return "creating AutoScale Policy"
			},
		},
		{
			Name: "updateAutoScalePolicy", About: "Updates an existing autoscale policy.",
			Class: autoscaleClasses + "UpdateAutoScalePolicyCmd",
			Kind:  kernel.AsyncCommand, Event: "AUTOSCALEPOLICY.UPDATE", Eventful: kernel.EventAsync,
			Action: "updating autoscale policy",
			Params: []param{
				{Name: "id", Type: "uuid:scalepolicy", Required: true, About: "the ID of the autoscale policy"},
				{Name: "name", Type: "string", About: "the name of the autoscale policy"},
				{Name: "duration", Type: "integer", About: "the duration in which the conditions have to be true " +
					"before action is taken"},
				{Name: "quiettime", Type: "integer", About: "the cool down period in which the policy should not " +
					"be evaluated after the action has been taken"},
				{Name: "conditionids", Type: "list:condition", About: "the list of IDs of the conditions that " +
					"are being evaluated on every interval"},
			},
			Run:     updateScalePolicy,
			Subject: scalePolicySubject,
			Describe: func(_ *Manager, c *kernel.Call) string {
				return "Updating Auto Scale Policy." + targetID(c, " Policy Id: ")
			},
			Detail: func(mgr *Manager, c *kernel.Call) string { return targetID(c, "AutoScale Policy Id: ") },
		},
		{
			Name: "deleteAutoScalePolicy", About: "Deletes a autoscale policy.",
			Class: autoscaleClasses + "DeleteAutoScalePolicyCmd",
			Kind:  kernel.AsyncCommand, Event: "AUTOSCALEPOLICY.DELETE", Eventful: kernel.EventAsync,
			Action: "deleting autoscale policy",
			Params: []param{
				{Name: "id", Type: "uuid:scalepolicy", Required: true, About: "the ID of the autoscale policy"},
			}, Run: deleteScalePolicy,
			Subject: scalePolicySubject,
			Describe: func(_ *Manager, c *kernel.Call) string {
				return "deleting AutoScale Policy: " + targetID(c, "")
			},
			Detail: func(mgr *Manager, c *kernel.Call) string { return targetID(c, "AutoScale Policy Id: ") },
		},
		{
			Name: "listAutoScalePolicies", About: "Lists autoscale policies.",
			Params: kernel.ListParams(
				param{Name: "id", Type: "uuid:scalepolicy", About: "the ID of the autoscale policy"},
				param{Name: "name", Type: "string", About: "the name of the autoscale policy"},
				param{Name: "conditionid", Type: "uuid:condition", About: "the ID of the condition of the policy"},
				param{Name: "action", Type: "string", About: "the action to be executed"},
				param{Name: "vmgroupid", Type: "uuid:group", About: "the ID of the autoscale vm group"},
			),
			Run: listScalePolicies,
		},
	}
}

// scalePolicyID sets what the event rows name and answers the id after words; the policy may be gone by then.
// scalePolicySubject is what the events of update and delete name.
func scalePolicySubject(mgr *Manager, c *kernel.Call) kernel.Subject {
	if one := mgr.scalePolicyByUUID(c.Str("id")); one != nil {
		return kernel.Named("AutoScalePolicy", one.ID, one.UUID, nil)
	}
	return kernel.Subject{Kind: "AutoScalePolicy"}
}

func createScalePolicy(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "AutoScalePolicy"
	action := strings.ToUpper(c.Str("action"))
	if action != "SCALEUP" && action != "SCALEDOWN" {
		return kernel.Created{}, api.Invalid("action is invalid. Supported actions are: [SCALEUP, SCALEDOWN]")
	}
	p := &ScalePolicy{Name: c.Str("name"), Action: action, Duration: c.Integer("duration", 0),
		Quiet: c.Integer("quiettime", defaultQuiet)}
	if err := policyConditions(mgr, c, p); err != nil {
		return kernel.Created{}, err
	}
	p.Account, p.UUID = p.Conditions[0].Account, mgr.UUID()
	var err error
	p.ID, err = mgr.Insert(c.Ctx, "cloud.autoscale_policies", obj{
		"uuid": p.UUID, "name": kernel.NullText(p.Name), "domain_id": p.Account.Domain.ID, "account_id": p.Account.ID,
		"duration":   p.Duration,
		"quiet_time": p.Quiet, "action": p.Action, "created": mgr.Now(),
	})
	if err != nil {
		return kernel.Created{}, err
	}
	mgr.Policies.Add(p)
	return kernel.Created{UUID: p.UUID, ID: p.ID}, nil
}

// policyConditions checks the numbers and takes over the conditions that the call names.
func policyConditions(mgr *Manager, c *kernel.Call, p *ScalePolicy) error {
	if p.Duration < 0 {
		return api.Invalid("duration is an invalid value: %d", p.Duration)
	}
	if p.Quiet < 0 {
		return api.Invalid("quietTime is an invalid value: %d", p.Quiet)
	}
	if !c.Has("conditionids") {
		return nil
	}
	var conditions []*Condition
	for _, u := range c.List("conditionids") {
		k := mgr.conditionByUUID(u)
		if k == nil {
			return api.Invalid("Unable to find the condition specified")
		}
		if err := tenancy.MayUse(mgr.tenancy, c, k.Account, "condition"); err != nil {
			return err
		}
		if slices.ContainsFunc(conditions, func(o *Condition) bool { return o.Counter == k.Counter }) {
			return api.Invalid("at least two conditions in the conditionids have the same counter. It is not " +
				"right to apply two different conditions for the same counter")
		}
		conditions = append(conditions, k)
	}
	if len(conditions) == 0 {
		return api.Invalid("AutoScale policy must have at least one condition")
	}
	p.Conditions = conditions
	return nil
}

func updateScalePolicy(mgr *Manager, c *kernel.Call) (obj, error) {
	p := mgr.scalePolicyByUUID(c.Str("id"))
	if p == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	if err := tenancy.MayUse(mgr.tenancy, c, p.Account, "policy"); err != nil {
		return nil, err
	}
	changed := *p
	changed.Duration, changed.Quiet = c.Integer("duration", p.Duration), c.Integer("quiettime", p.Quiet)
	if v := c.Str("name"); v != "" {
		changed.Name = v
	}
	for _, g := range mgr.Groups.All() {
		if !g.Removed.IsZero() || !slices.Contains(g.Up, p) && !slices.Contains(g.Down, p) {
			continue
		}
		if g.State != groupDisabled {
			return nil, api.Invalid("The AutoScale Policy can be updated only if the Vm Group it is associated " +
				"with is disabled in state")
		}
		if c.Has("duration") && changed.Duration < g.Interval {
			return nil, api.Invalid("duration is less than the associated AutoScaleVmGroup's interval")
		}
	}
	if err := policyConditions(mgr, c, &changed); err != nil {
		return nil, err
	}
	*p = changed
	if err := mgr.Update(c.Ctx, "cloud.autoscale_policies", p.ID, obj{"name": kernel.NullText(p.Name),
		"duration": p.Duration, "quiet_time": p.Quiet}); err != nil {
		return nil, err
	}
	return obj{"autoscalepolicy": scalePolicyAnswer(mgr, p)}, nil
}

func deleteScalePolicy(mgr *Manager, c *kernel.Call) (obj, error) {
	p := mgr.scalePolicyByUUID(c.Str("id"))
	if p == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	if err := tenancy.MayUse(mgr.tenancy, c, p.Account, "policy"); err != nil {
		return nil, err
	}
	for _, g := range mgr.Groups.All() {
		if g.Removed.IsZero() && (slices.Contains(g.Up, p) || slices.Contains(g.Down, p)) {
			return nil, api.Invalid("Cannot delete AutoScale Policy when it is in use by one or more AutoScale " +
				"Vm Groups")
		}
	}
	mgr.Policies.Remove(p)
	if err := mgr.Update(c.Ctx, "cloud.autoscale_policies", p.ID, obj{"removed": mgr.Now()}); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

func listScalePolicies(mgr *Manager, c *kernel.Call) (obj, error) {
	condition, group := mgr.conditionByUUID(c.Str("conditionid")), mgr.GroupByUUID(c.Str("vmgroupid"))
	var out []obj
	for _, p := range slices.Backward(mgr.Policies.All()) {
		switch {
		case !tenancy.Visible(mgr.tenancy, c, p.Account), c.Has("id") && p.UUID != c.Str("id"),
			c.Str("name") != "" && c.Differs("name", p.Name):
		case c.Str("action") != "" && !strings.EqualFold(p.Action, c.Str("action")):
		case condition != nil && !slices.Contains(p.Conditions, condition):
		case group != nil && !slices.Contains(group.Up, p) && !slices.Contains(group.Down, p):
		default:
			out = append(out, scalePolicyAnswer(mgr, p))
		}
	}
	return c.Page("autoscalepolicy", out), nil
}
