package zone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

func counterCommands() []command {
	return []command{
		{
			name: "createCounter", about: "Adds metric counter for VM auto scaling", root: "counterresponse",
			class: "org.apache.cloudstack.api.command.admin.autoscale.CreateCounterCmd", kind: asyncCreate, instance: "Counter", admin: true,
			event: "COUNTER.CREATE", eventful: eventCreateOnly, action: "Counter",
			params: []param{
				{"name", "string", true, "Name of the counter."}, {"source", "string", true, "Source of the counter."},
				{"value", "string", true, "Value of the counter e.g. oid in case of snmp."}, {"provider", "string", true, "Network provider of the counter."},
			},
			create: createCounter,
			run: func(z *Zone, c *call) (obj, error) {
				k := z.counterByUUID(c.target.uuid)
				if k == nil {
					return nil, api.Internal("Failed to create Counter with name %s", c.str("name"))
				}
				return obj{"counter": counterAnswer(k)}, nil
			},
			describe: func(z *Zone, c *call) string { c.eventResource = c.target.id; return "creating a counter" },
		},
		{
			name: "deleteCounter", about: "Deletes a counter for VM auto scaling", admin: true, kind: asyncCommand, event: "COUNTER.DELETE",
			class: "org.apache.cloudstack.api.command.admin.autoscale.DeleteCounterCmd", eventful: eventAsync, action: "counter",
			params: []param{{"id", "uuid:counter", true, "the ID of the counter"}}, run: deleteCounter,
			describe: func(*Zone, *call) string { return "Deleting a counter." },
		},
		{
			name: "listCounters", about: "List the counters for VM auto scaling", root: "counterresponse",
			params: listParams(
				param{"id", "uuid:counter", false, "ID of the Counter."}, param{"name", "string", false, "Name of the counter."},
				param{"source", "string", false, "Source of the counter."}, param{"provider", "string", false, "Network provider of the counter."},
			),
			run: listCounters,
		},
	}
}

func createCounter(z *Zone, c *call) (created, error) {
	c.eventResourceType = "Counter"
	source := strings.ToUpper(c.str("source"))
	if !slices.Contains([]string{"NETSCALER", "SNMP", "CPU", "MEMORY", "VIRTUALROUTER"}, source) {
		return created{}, api.Invalid("The Source %s does not exist; Unable to create Counter", source)
	}
	provider := ""
	for _, known := range []string{"VirtualRouter", "VpcVirtualRouter", "Netscaler", "None"} {
		if strings.EqualFold(known, c.str("provider")) {
			provider = known
		}
	}
	if provider == "" {
		return created{}, api.Invalid("The Provider %s does not exist; Unable to create Counter", c.str("provider"))
	}
	z.ids["cloud.counter"]++
	k := &Counter{ID: z.ids["cloud.counter"], UUID: z.uuid(), Name: c.str("name"), Source: source, Value: c.str("value"), Provider: provider}
	z.counters = append(z.counters, k)
	return created{k.UUID, k.ID}, nil
}

func deleteCounter(z *Zone, c *call) (obj, error) {
	k := z.counterByUUID(c.str("id"))
	if k == nil {
		return nil, api.Invalid("Unable to find Counter")
	}
	if slices.ContainsFunc(z.conditions, func(o *Condition) bool { return o.Counter == k }) {
		return nil, &api.Error{Code: api.CodeInUse, CSCode: api.CSAPIException, Text: "Counter is in use."}
	}
	z.counters = slices.DeleteFunc(z.counters, func(o *Counter) bool { return o == k })
	return obj{"success": true}, nil
}

func listCounters(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, k := range z.counters {
		switch {
		case c.has("id") && k.UUID != c.str("id"), c.str("name") != "" && k.Name != c.str("name"):
		case c.str("source") != "" && !strings.EqualFold(k.Source, c.str("source")):
		case c.str("provider") != "" && !strings.EqualFold(k.Provider, c.str("provider")):
		case !strings.Contains(strings.ToLower(k.Name), strings.ToLower(c.str("keyword"))):
		default:
			out = append(out, counterAnswer(k))
		}
	}
	return c.page("counter", out), nil
}

func conditionCommands() []command {
	return []command{
		{
			name: "createCondition", about: "Creates a condition for VM auto scaling", root: "conditionresponse",
			class: autoscaleClasses + "CreateConditionCmd", kind: asyncCreate, instance: "Condition", event: "CONDITION.CREATE",
			eventful: eventCreateOnly, action: "Condition",
			params: ownerParams(
				param{"counterid", "uuid:counter", true, "ID of the Counter."},
				param{"relationaloperator", "string", true, "Relational Operator to be used with threshold. Valid values are EQ, GT, LT, GE, LE."},
				param{"threshold", "long", true, "Value for which the Counter will be evaluated with the Operator selected."},
			),
			create: createCondition,
			run: func(z *Zone, c *call) (obj, error) {
				k := z.conditionByUUID(c.target.uuid)
				if k == nil {
					return nil, api.Internal("Failed to create condition.")
				}
				return obj{"condition": z.conditionAnswer(k)}, nil
			},
			describe: func(z *Zone, c *call) string { c.eventResource = c.target.id; return "creating a condition" },
			detail: func(z *Zone, c *call) string {
				if c.target.id == 0 {
					return ""
				}
				return fmt.Sprintf(" Id: %d", c.target.id)
			},
		},
		{
			name: "updateCondition", about: "Updates a condition for VM auto scaling", class: autoscaleClasses + "UpdateConditionCmd", kind: asyncCommand,
			event: "CONDITION.UPDATE", eventful: eventAsync, action: "update a condition",
			params: []param{
				{"id", "uuid:condition", true, "the ID of the condition."},
				{"relationaloperator", "string", true, "Relational Operator to be used with threshold. Valid values are EQ, GT, LT, GE, LE."},
				{"threshold", "long", true, "Value for which the Counter will be evaluated with the Operator selected."},
			},
			run: updateCondition, describe: func(*Zone, *call) string { return "Updating a condition." },
		},
		{
			name: "deleteCondition", about: "Removes a condition for VM auto scaling", kind: asyncCommand, class: autoscaleClasses + "DeleteConditionCmd",
			event: "CONDITION.DELETE", eventful: eventAsync, action: "condition",
			params: []param{{"id", "uuid:condition", true, "the ID of the condition."}}, run: deleteCondition,
			describe: func(*Zone, *call) string { return "Deleting a condition." },
		},
		{
			name: "listConditions", about: "List Conditions for VM auto scaling",
			params: listParams(
				param{"id", "uuid:condition", false, "ID of the Condition."}, param{"counterid", "uuid:counter", false, "Counter-id of the condition."},
				param{"policyid", "uuid:scalepolicy", false, "the ID of the policy"},
			),
			run: listConditions,
		},
	}
}

func createCondition(z *Zone, c *call) (created, error) {
	c.eventResourceType = "Condition"
	owner, err := ownerAccount(z, c)
	if err != nil {
		return created{}, err
	}
	operator, threshold, err := readThreshold(z, c, "create Condition")
	if err != nil {
		return created{}, err
	}
	z.ids["cloud.conditions"]++
	k := &Condition{
		ID: z.ids["cloud.conditions"], UUID: z.uuid(), Counter: z.counterByUUID(c.str("counterid")), Operator: operator,
		Threshold: threshold, Account: owner,
	}
	z.conditions = append(z.conditions, k)
	return created{k.UUID, k.ID}, nil
}

// readThreshold reads what a counter is compared with; what says which command could not be carried out.
func readThreshold(z *Zone, c *call, what string) (operator string, threshold int64, err error) {
	operator = strings.ToUpper(c.str("relationaloperator"))
	if !slices.Contains([]string{"EQ", "GT", "LT", "GE", "LE"}, operator) {
		return "", 0, api.Invalid("The Operator %s does not exist; Unable to %s.", operator, what)
	}
	threshold = int64(c.integer("threshold", 0))
	if threshold < 0 {
		return "", 0, api.Invalid("The threshold %d must be equal to or greater than 0.", threshold)
	}
	return operator, threshold, nil
}

// updateCondition answers with the condition, though it is documented as a bare success (UpdateConditionCmd.java@4.20.1.0).
func updateCondition(z *Zone, c *call) (obj, error) {
	k := z.conditionByUUID(c.str("id"))
	if k == nil {
		return nil, api.Invalid("Unable to find Condition")
	}
	if err := mayUse(z, c, k.Account, "condition"); err != nil {
		return nil, err
	}
	operator, threshold, err := readThreshold(z, c, "update Condition")
	if err != nil {
		return nil, err
	}
	if n := z.enabledGroupsWith(k); n > 0 {
		name := fmt.Sprint(k.ID)
		if z.knobs[release.ConditionNamedAsObject] {
			name = fmt.Sprintf(`Condition {"id":%d,"uuid":"%s"}`, k.ID, k.UUID)
		}
		return nil, &api.Error{Code: api.CodeInUse, CSCode: api.CSAPIException,
			Text: fmt.Sprintf("Cannot update condition %s as it is being used in %d vm groups NOT in Disabled state.", name, n)}
	}
	k.Operator, k.Threshold = operator, threshold
	return obj{"condition": z.conditionAnswer(k)}, nil
}

// enabledGroupsWith counts pairs of a policy with the condition and a group that is not disabled (AutoScaleManagerImpl
// joins them, so a group with two such policies counts twice).
func (z *Zone) enabledGroupsWith(k *Condition) (n int) {
	for _, g := range z.groups {
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

func deleteCondition(z *Zone, c *call) (obj, error) {
	k := z.conditionByUUID(c.str("id"))
	if k == nil {
		return nil, api.Invalid("Unable to find Condition")
	}
	if err := mayUse(z, c, k.Account, "condition"); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(z.policies, func(p *ScalePolicy) bool { return slices.Contains(p.Conditions, k) }) {
		return nil, &api.Error{Code: api.CodeInUse, CSCode: api.CSAPIException, Text: "Cannot delete Condition as it is being used in a policy."}
	}
	z.conditions = slices.DeleteFunc(z.conditions, func(o *Condition) bool { return o == k })
	return obj{"success": true}, nil
}

func listConditions(z *Zone, c *call) (obj, error) {
	policy := z.scalePolicyByUUID(c.str("policyid"))
	var out []obj
	for _, k := range slices.Backward(z.conditions) {
		switch {
		case !visible(z, c, k.Account), c.has("id") && k.UUID != c.str("id"):
		case c.has("counterid") && k.Counter.UUID != c.str("counterid"):
		case policy != nil && !slices.Contains(policy.Conditions, k):
		default:
			out = append(out, z.conditionAnswer(k))
		}
	}
	return c.page("condition", out), nil
}
