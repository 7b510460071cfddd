package autoscale

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func counterCommands() []command {
	return []command{
		{
			Name: "createCounter", About: "Adds metric counter for VM auto scaling", Root: "counterresponse",
			Class: "org.apache.cloudstack.api.command.admin.autoscale.CreateCounterCmd", Kind: kernel.AsyncCreate,
			Instance: "Counter", Admin: true,
			Event: "COUNTER.CREATE", Eventful: kernel.EventCreateOnly, Action: "Counter",
			Params: []param{
				{Name: "name", Type: "string", Required: true, About: "Name of the counter."},
				{Name: "source", Type: "string", Required: true, About: "Source of the counter."},
				{Name: "value", Type: "string", Required: true, About: "Value of the counter e.g. oid in case of " +
					"snmp."},
				{Name: "provider", Type: "string", Required: true, About: "Network provider of the counter."},
			},
			Create: createCounter,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				k := mgr.counterByUUID(c.Target.UUID)
				if k == nil {
					return nil, api.Internal("Failed to create Counter with name %s", c.Str("name"))
				}
				return obj{"counter": counterAnswer(k)}, nil
			},
			Describe: func(mgr *Manager, c *kernel.Call) string { return "creating a counter" },
		},
		{
			Name: "deleteCounter", About: "Deletes a counter for VM auto scaling", Admin: true,
			Kind: kernel.AsyncCommand, Event: "COUNTER.DELETE",
			Class: "org.apache.cloudstack.api.command.admin.autoscale.DeleteCounterCmd", Eventful: kernel.EventAsync,
			Action:   "counter",
			Params:   []param{{Name: "id", Type: "uuid:counter", Required: true, About: "the ID of the counter"}},
			Run:      deleteCounter,
			Describe: func(*Manager, *kernel.Call) string { return "Deleting a counter." },
		},
		{
			Name: "listCounters", About: "List the counters for VM auto scaling", Root: "counterresponse",
			Params: kernel.ListParams(
				param{Name: "id", Type: "uuid:counter", About: "ID of the Counter."},
				param{Name: "name", Type: "string", About: "Name of the counter."},
				param{Name: "source", Type: "string", About: "Source of the counter."},
				param{Name: "provider", Type: "string", About: "Network provider of the counter."},
			),
			Run: listCounters,
		},
	}
}

func createCounter(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "Counter"
	source := strings.ToUpper(c.Str("source"))
	if !slices.Contains([]string{"NETSCALER", "SNMP", "CPU", "MEMORY", "VIRTUALROUTER"}, source) {
		return kernel.Created{}, api.Invalid("The Source %s does not exist; Unable to create Counter", source)
	}
	provider := ""
	for _, known := range []string{"VirtualRouter", "VpcVirtualRouter", "Netscaler", "None"} {
		if strings.EqualFold(known, c.Str("provider")) {
			provider = known
		}
	}
	if provider == "" {
		return kernel.Created{}, api.Invalid("The Provider %s does not exist; Unable to create Counter",
			c.Str("provider"))
	}
	k := &Counter{ID: mgr.NextID("cloud.counter"), UUID: mgr.UUID(), Name: c.Str("name"), Source: source,
		Value: c.Str("value"), Provider: provider}
	mgr.Counters.Add(k)
	return kernel.Created{UUID: k.UUID, ID: k.ID}, nil
}

func deleteCounter(mgr *Manager, c *kernel.Call) (obj, error) {
	k := mgr.counterByUUID(c.Str("id"))
	if k == nil {
		return nil, api.Invalid("Unable to find Counter")
	}
	if slices.ContainsFunc(mgr.Conditions.All(), func(o *Condition) bool { return o.Counter == k }) {
		return nil, &api.Error{Code: api.CodeInUse, CSCode: api.CSAPIException, Text: "Counter is in use."}
	}
	mgr.Counters.Remove(k)
	return obj{"success": true}, nil
}

func listCounters(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, k := range mgr.Counters.All() {
		switch {
		case c.Has("id") && k.UUID != c.Str("id"), c.Str("name") != "" && c.Differs("name", k.Name):
		case c.Str("source") != "" && !strings.EqualFold(k.Source, c.Str("source")):
		case c.Str("provider") != "" && !strings.EqualFold(k.Provider, c.Str("provider")):
		case !strings.Contains(strings.ToLower(k.Name), strings.ToLower(c.Str("keyword"))):
		default:
			out = append(out, counterAnswer(k))
		}
	}
	return c.Page("counter", out), nil
}

func conditionCommands() []command {
	return []command{
		{
			Name: "createCondition", About: "Creates a condition for VM auto scaling", Root: "conditionresponse",
			Class: autoscaleClasses + "CreateConditionCmd", Kind: kernel.AsyncCreate, Instance: "Condition",
			Event:    "CONDITION.CREATE",
			Eventful: kernel.EventCreateOnly, Action: "Condition",
			Params: ownerParams(
				param{Name: "counterid", Type: "uuid:counter", Required: true, About: "ID of the Counter."},
				param{Name: "relationaloperator", Type: "string", Required: true, About: "Relational Operator to " +
					"be used with threshold. Valid values are EQ, GT, LT, GE, LE."},
				param{Name: "threshold", Type: "long", Required: true, About: "Value for which the Counter will " +
					"be evaluated with the Operator selected."},
			),
			Create: createCondition,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				k := mgr.conditionByUUID(c.Target.UUID)
				if k == nil {
					return nil, api.Internal("Failed to create condition.")
				}
				return obj{"condition": conditionAnswer(mgr, k)}, nil
			},
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return "creating a condition"
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				if c.Target.ID == 0 {
					return ""
				}
				return fmt.Sprintf(" Id: %d", c.Target.ID)
			},
		},
		{
			Name: "updateCondition", About: "Updates a condition for VM auto scaling",
			Class: autoscaleClasses + "UpdateConditionCmd", Kind: kernel.AsyncCommand,
			Event: "CONDITION.UPDATE", Eventful: kernel.EventAsync, Action: "update a condition",
			Params: []param{
				{Name: "id", Type: "uuid:condition", Required: true, About: "the ID of the condition."},
				{Name: "relationaloperator", Type: "string", Required: true, About: "Relational Operator to be " +
					"used with threshold. Valid values are EQ, GT, LT, GE, LE."},
				{Name: "threshold", Type: "long", Required: true, About: "Value for which the Counter will be " +
					"evaluated with the Operator selected."},
			},
			Run: updateCondition, Describe: func(*Manager, *kernel.Call) string { return "Updating a condition." },
		},
		{
			Name: "deleteCondition", About: "Removes a condition for VM auto scaling", Kind: kernel.AsyncCommand,
			Class: autoscaleClasses + "DeleteConditionCmd",
			Event: "CONDITION.DELETE", Eventful: kernel.EventAsync, Action: "condition",
			Params: []param{
				{Name: "id", Type: "uuid:condition", Required: true, About: "the ID of the condition."},
			}, Run: deleteCondition,
			Describe: func(*Manager, *kernel.Call) string { return "Deleting a condition." },
		},
		{
			Name: "listConditions", About: "List Conditions for VM auto scaling",
			Params: kernel.ListParams(
				param{Name: "id", Type: "uuid:condition", About: "ID of the Condition."},
				param{Name: "counterid", Type: "uuid:counter", About: "Counter-id of the condition."},
				param{Name: "policyid", Type: "uuid:scalepolicy", About: "the ID of the policy"},
			),
			Run: listConditions,
		},
	}
}

func createCondition(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "Condition"
	owner, err := tenancy.OwnerAccount(mgr.tenancy, c)
	if err != nil {
		return kernel.Created{}, err
	}
	operator, threshold, err := readThreshold(mgr, c, "create Condition")
	if err != nil {
		return kernel.Created{}, err
	}
	k := &Condition{
		ID: mgr.NextID("cloud.conditions"), UUID: mgr.UUID(), Counter: mgr.counterByUUID(c.Str("counterid")),
		Operator:  operator,
		Threshold: threshold, Account: owner,
	}
	mgr.Conditions.Add(k)
	return kernel.Created{UUID: k.UUID, ID: k.ID}, nil
}

// readThreshold reads what a counter is compared with; what says which command could not be carried out.
func readThreshold(mgr *Manager, c *kernel.Call, what string) (operator string, threshold int64, err error) {
	operator = strings.ToUpper(c.Str("relationaloperator"))
	if !slices.Contains([]string{"EQ", "GT", "LT", "GE", "LE"}, operator) {
		return "", 0, api.Invalid("The Operator %s does not exist; Unable to %s.", operator, what)
	}
	threshold = int64(c.Integer("threshold", 0))
	if threshold < 0 {
		return "", 0, api.Invalid("The threshold %d must be equal to or greater than 0.", threshold)
	}
	return operator, threshold, nil
}

// updateCondition answers with the condition, though it is documented as a bare success
// (UpdateConditionCmd.java@4.20.1.0).
func updateCondition(mgr *Manager, c *kernel.Call) (obj, error) {
	k := mgr.conditionByUUID(c.Str("id"))
	if k == nil {
		return nil, api.Invalid("Unable to find Condition")
	}
	if err := tenancy.MayUse(mgr.tenancy, c, k.Account, "condition"); err != nil {
		return nil, err
	}
	operator, threshold, err := readThreshold(mgr, c, "update Condition")
	if err != nil {
		return nil, err
	}
	if n := mgr.enabledGroupsWith(k); n > 0 {
		name := mgr.ObjectText(kernel.LongText(k.ID), "Condition", "id", k.ID, "uuid", k.UUID)
		return nil, &api.Error{Code: api.CodeInUse, CSCode: api.CSAPIException,
			Text: fmt.Sprintf("Cannot update condition %s as it is being used in %d vm groups NOT in Disabled "+
				"state.", name, n)}
	}
	k.Operator, k.Threshold = operator, threshold
	return obj{"condition": conditionAnswer(mgr, k)}, nil
}

// enabledGroupsWith counts pairs of a policy with the condition and a group that is not disabled (AutoScaleManagerImpl
// joins them, so a group with two such policies counts twice).
func (mgr *Manager) enabledGroupsWith(k *Condition) (n int) {
	for _, g := range mgr.Groups.All() {
		if !g.Removed.IsZero() || g.State == groupDisabled {
			continue
		}
		for _, p := range slices.Concat(g.Up, g.Down) {
			if slices.Contains(p.Conditions, k) {
				n++
			}
		}
	}
	return n
}

func deleteCondition(mgr *Manager, c *kernel.Call) (obj, error) {
	k := mgr.conditionByUUID(c.Str("id"))
	if k == nil {
		return nil, api.Invalid("Unable to find Condition")
	}
	if err := tenancy.MayUse(mgr.tenancy, c, k.Account, "condition"); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(mgr.Policies.All(), func(p *ScalePolicy) bool { return slices.Contains(p.Conditions, k) }) {
		return nil, &api.Error{Code: api.CodeInUse, CSCode: api.CSAPIException, Text: "Cannot delete Condition " +
			"as it is being used in a policy."}
	}
	mgr.Conditions.Remove(k)
	return obj{"success": true}, nil
}

func listConditions(mgr *Manager, c *kernel.Call) (obj, error) {
	policy := mgr.scalePolicyByUUID(c.Str("policyid"))
	var out []obj
	for _, k := range slices.Backward(mgr.Conditions.All()) {
		switch {
		case !tenancy.Visible(mgr.tenancy, c, k.Account), c.Has("id") && k.UUID != c.Str("id"):
		case c.Has("counterid") && k.Counter.UUID != c.Str("counterid"):
		case policy != nil && !slices.Contains(policy.Conditions, k):
		default:
			out = append(out, conditionAnswer(mgr, k))
		}
	}
	return c.Page("condition", out), nil
}
