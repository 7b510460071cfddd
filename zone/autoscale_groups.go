package zone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
)

const defaultInterval = 30 // seconds, NetUtils.DEFAULT_AUTOSCALE_POLICY_INTERVAL_TIME

func groupCommands() []command {
	id := param{"id", "uuid:group", true, "the ID of the autoscale group"}
	return []command{
		{
			name: "createAutoScaleVmGroup", about: "Creates and automatically starts a virtual machine based on a service offering, disk offering, and template.",
			root: "autoscalevmgroupresponse", class: autoscaleClasses + "CreateAutoScaleVmGroupCmd", kind: asyncCreate, instance: "AutoScaleVmGroup",
			event: "AUTOSCALEVMGROUP.CREATE", eventful: eventCreateAsync, action: "creating autoscale vm group",
			params: []param{
				{"lbruleid", "uuid:lbrule", true, "the ID of the load balancer rule"}, {"name", "string", false, "the name of the autoscale vmgroup"},
				{"minmembers", "integer", true, "the minimum number of members in the vmgroup, the number of instances in the vm group will be equal to or more than this number."},
				{"maxmembers", "integer", true, "the maximum number of members in the vmgroup, The number of instances in the vm group will be equal to or less than this number."},
				{"interval", "integer", false, "the frequency in which the performance counters to be collected"},
				{"scaleuppolicyids", "list:scalepolicy", true, "list of scaleup autoscale policies"},
				{"scaledownpolicyids", "list:scalepolicy", true, "list of scaledown autoscale policies"},
				{"vmprofileid", "uuid:scaleprofile", true, "the autoscale profile that contains information about the vms in the vm group."},
				{"fordisplay", "boolean", false, "an optional field, whether to the display the group to the end user or not"},
			},
			create: createGroup, run: configureGroup,
			describe: func(z *Zone, c *call) string {
				c.eventResource = c.target.id
				return fmt.Sprintf("configuring AutoScale Vm Group. Vm Group Id: %d", c.target.id)
			},
		},
		{
			name: "updateAutoScaleVmGroup", about: "Updates an existing autoscale vm group.", class: autoscaleClasses + "UpdateAutoScaleVmGroupCmd",
			kind: asyncCommand, event: "AUTOSCALEVMGROUP.UPDATE", eventful: eventAsync, action: "updating autoscale vm group",
			params: []param{
				id, {"name", "string", false, "the name of the autoscale vmgroup"},
				{"minmembers", "integer", false, "the minimum number of members in the vmgroup"}, {"maxmembers", "integer", false, "the maximum number of members in the vmgroup"},
				{"interval", "integer", false, "the frequency in which the performance counters to be collected"},
				{"scaleuppolicyids", "list:scalepolicy", false, "list of scaleup autoscale policies"},
				{"scaledownpolicyids", "list:scalepolicy", false, "list of scaledown autoscale policies"},
				{"fordisplay", "boolean", false, "an optional field, whether to the display the group to the end user or not"},
			},
			check: ownGroup, run: updateGroup,
			describe: func(z *Zone, c *call) string { return "Updating AutoScale Vm Group. " + groupID(z, c, "Vm Group Id: ") },
			detail:   func(z *Zone, c *call) string { return groupID(z, c, "AutoScale Vm Group Id: ") },
		},
		{
			name: "enableAutoScaleVmGroup", about: "Enables an AutoScale Vm Group", root: "enableautoscalevmGroupresponse",
			class: autoscaleClasses + "EnableAutoScaleVmGroupCmd", kind: asyncCommand, event: "AUTOSCALEVMGROUP.ENABLE", eventful: eventAsync,
			action: "enabling autoscale vm group", params: []param{id}, check: ownGroup, run: enableGroup,
			describe: func(z *Zone, c *call) string { return "Enabling AutoScale Vm Group. " + groupID(z, c, "Vm Group Id: ") },
		},
		{
			name: "disableAutoScaleVmGroup", about: "Disables an AutoScale Vm Group", root: "disableautoscalevmGroupresponse",
			class: autoscaleClasses + "DisableAutoScaleVmGroupCmd", kind: asyncCommand, event: "AUTOSCALEVMGROUP.DISABLE", eventful: eventAsync,
			action: "disabling autoscale vm group", params: []param{id}, check: ownGroup, run: disableGroup,
			describe: func(z *Zone, c *call) string {
				return "Disabling AutoScale Vm Group. " + groupID(z, c, "Vm Group Id: ")
			},
		},
		{
			name: "deleteAutoScaleVmGroup", about: "Deletes a autoscale vm group.", class: autoscaleClasses + "DeleteAutoScaleVmGroupCmd",
			kind: asyncCommand, event: "AUTOSCALEVMGROUP.DELETE", eventful: eventAsync, action: "deleting autoscale vm group",
			params: []param{id, {"cleanup", "boolean", false, "true if all VMs have to be cleaned up, false otherwise"}},
			check:  ownGroup, run: deleteGroup,
			describe: func(z *Zone, c *call) string { return "deleting autoscale vm group: " + groupID(z, c, "") },
			detail:   func(z *Zone, c *call) string { return groupID(z, c, "AutoScale Vm Group Id: ") },
		},
	}
}

func groupListCommands() []command {
	return []command{{
		name: "listAutoScaleVmGroups", about: "Lists autoscale vm groups.",
		params: listParams(
			param{"id", "uuid:group", false, "the ID of the autoscale vm group"}, param{"name", "string", false, "the name of the autoscale vmgroup"},
			param{"lbruleid", "uuid:lbrule", false, "the ID of the loadbalancer"}, param{"vmprofileid", "uuid:scaleprofile", false, "the ID of the profile"},
			param{"policyid", "uuid:scalepolicy", false, "the ID of the policy"}, param{"zoneid", "uuid:zone", false, "the availability zone ID"},
			param{"fordisplay", "boolean", false, "list resources by display flag; only ROOT admin is eligible to pass this parameter"},
		),
		run: listGroups,
	}}
}

func groupID(z *Zone, c *call, words string) string {
	c.eventResourceType = "AutoScaleVmGroup"
	if g := z.groupByUUID(c.str("id")); g != nil {
		c.eventResource, c.target = g.ID, created{g.UUID, g.ID}
	}
	return fmt.Sprintf("%s%d", words, c.target.id)
}

// ownGroup refuses removed groups and those of others.
func ownGroup(z *Zone, c *call) error {
	g, err := liveGroup(z, c)
	if err != nil {
		return err
	}
	return mayUse(z, c, g.Account, "autoscale vm group")
}

func liveGroup(z *Zone, c *call) (*Group, error) {
	g, err := groupParam(z, c, "id")
	if err == nil && !g.Removed.IsZero() {
		return nil, c.badEntity("id", c.str("id"))
	}
	return g, err
}

// createGroup is the create phase: the group is NEW, and its monitor planned.
func createGroup(z *Zone, c *call) (created, error) {
	c.eventResourceType = "AutoScaleVmGroup"
	r, err := lbRuleParam(z, c, "lbruleid")
	if err != nil {
		return created{}, err
	}
	if err := mayUse(z, c, r.Account, "load balancer rule"); err != nil {
		return created{}, err
	}
	if r.Group != nil {
		return created{}, api.Invalid("an AutoScaleVmGroup is already attached to the lb rule, the existing vm group has to be first deleted")
	}
	if len(r.Members) > 0 {
		return created{}, api.Invalid("there are Vms already bound to the specified LoadBalancing Rule. User bound Vms and AutoScaled Vm Group cannot co-exist on a Load Balancing Rule")
	}
	g := &Group{
		UUID: z.uuid(), Name: c.str("name"), Rule: r, Account: r.Account, Profile: z.scaleProfileByUUID(c.str("vmprofileid")),
		Min: c.integer("minmembers", 0), Max: c.integer("maxmembers", 0), Interval: c.integer("interval", defaultInterval),
		State: groupNew, NextSeq: 1, Created: z.now(),
	}
	if err := fillGroup(z, c, g); err != nil {
		return created{}, err
	}
	g.ID, err = z.insert(c.ctx, "cloud.autoscale_vmgroups", obj{
		"uuid": g.UUID, "zone_id": z.site.ID, "domain_id": g.Account.Domain.ID, "account_id": g.Account.ID, "load_balancer_id": r.ID,
		"name": g.Name, "min_members": g.Min, "max_members": g.Max, "member_port": r.PrivateStart, "interval": g.Interval,
		"profile_id": g.Profile.ID, "state": g.State, "created": g.Created, "display": 1, "next_vm_seq": g.NextSeq,
	})
	if err != nil {
		return created{}, err
	}
	r.Group = g
	z.groups = append(z.groups, g)
	z.noteGap(g)
	z.watch(g)
	return created{g.UUID, g.ID}, nil
}

// fillGroup takes over the policies that the call names and checks the whole.
func fillGroup(z *Zone, c *call, g *Group) error {
	if err := checkGroup(g); err != nil {
		return err
	}
	var err error
	if c.has("scaleuppolicyids") {
		if g.Up, err = scalePolicies(z, c, "scaleuppolicyids", "SCALEUP", "ScaleUp"); err != nil {
			return err
		}
	}
	if c.has("scaledownpolicyids") {
		if g.Down, err = scalePolicies(z, c, "scaledownpolicyids", "SCALEDOWN", "ScaleDown"); err != nil {
			return err
		}
	}
	services := g.Rule.Network.Offering.Services
	if !slices.Contains(services, "Lb") {
		return api.Invalid("Vm AutoScaling is not supported by this network.")
	}
	for _, p := range slices.Concat(g.Up, g.Down) {
		if p.Duration < g.Interval {
			return api.Invalid("duration : %d specified in a policy cannot be less than vm group's interval : %d", p.Duration, g.Interval)
		}
		for _, k := range p.Conditions {
			if k.Counter.Provider != lbProviderOf(g.Rule.Network) {
				return api.Invalid("AutoScale counter with source='%s' is not supported in the network", k.Counter.Source)
			}
		}
		if p.Account != g.Account {
			return permission("Acct[%s-%s] does not have permission to operate with resource", g.Account.UUID, g.Account.Name)
		}
	}
	return nil
}

func checkGroup(g *Group) error {
	name := strings.Trim(strings.ToLower(g.Name), "abcdefghijklmnopqrstuvwxyz0123456789-")
	switch {
	case g.Name == "" || len(g.Name) > 255 || name != "":
		return api.Invalid("Invalid AutoScale VM group name. It can contain the ASCII letters 'a' through 'z', 'A' through 'Z', the digits '0' through '9' and the hyphen ('-'), must be between 1 and 255 characters long.")
	case g.Min <= 0:
		return api.Invalid("minmembers is an invalid value: %d", g.Min)
	case g.Max <= 0:
		return api.Invalid("maxmembers is an invalid value: %d", g.Max)
	case g.Min > g.Max:
		return api.Invalid("minmembers (%d)cannot be greater than maxmembers (%d)", g.Min, g.Max)
	case g.Interval <= 0:
		return api.Invalid("interval is an invalid value: %d", g.Interval)
	}
	return nil
}

func scalePolicies(z *Zone, c *call, name, action, word string) ([]*ScalePolicy, error) {
	var out []*ScalePolicy
	for _, u := range c.list(name) {
		p := z.scalePolicyByUUID(u)
		if p == nil {
			return nil, c.badEntity(name, u)
		}
		if p.Action != action {
			return nil, api.Invalid("Only %s policies can be specified in %s", strings.ToLower(word), name)
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, api.Invalid("AutoScale VM group must have at least one %s policy", word)
	}
	return out, nil
}

func updateGroup(z *Zone, c *call) (obj, error) {
	g, err := liveGroup(z, c)
	if err != nil {
		return nil, err
	}
	interval := c.integer("interval", g.Interval)
	physical := c.has("minmembers") || c.has("maxmembers") || interval != g.Interval || c.has("scaleuppolicyids") || c.has("scaledownpolicyids")
	if physical && g.State != groupDisabled && !z.knobs[fault.EnabledUpdateAllowed] {
		return nil, api.Invalid("An AutoScale Vm Group can be updated with minMembers/maxMembers/Interval only when it is in disabled state")
	}
	changed := *g
	if v := c.str("name"); v != "" {
		changed.Name = v
	}
	changed.Min, changed.Max, changed.Interval = c.integer("minmembers", g.Min), c.integer("maxmembers", g.Max), interval
	if err := fillGroup(z, c, &changed); err != nil {
		return nil, err
	}
	g.Name, g.Min, g.Max, g.Interval, g.Up, g.Down = changed.Name, changed.Min, changed.Max, changed.Interval, changed.Up, changed.Down
	row := obj{"name": g.Name, "min_members": g.Min, "max_members": g.Max, "interval": g.Interval}
	if err := z.update(c.ctx, "cloud.autoscale_vmgroups", g.ID, row); err != nil {
		return nil, err
	}
	if z.knobs[fault.UpdateWithPush] {
		if err := z.pushNetwork(c.ctx, g.Rule.Network); err != nil {
			return nil, err
		}
	}
	return obj{"autoscalevmgroup": z.groupAnswer(g)}, nil
}

func listGroups(z *Zone, c *call) (obj, error) {
	policy := z.scalePolicyByUUID(c.str("policyid"))
	var out []obj
	for _, g := range slices.Backward(z.groups) {
		switch {
		case !g.Removed.IsZero(), !visible(z, c, g.Account), c.has("id") && g.UUID != c.str("id"):
		case c.str("name") != "" && g.Name != c.str("name"), !strings.Contains(g.Name, c.str("keyword")):
		case c.has("lbruleid") && g.Rule.UUID != c.str("lbruleid"), c.has("vmprofileid") && g.Profile.UUID != c.str("vmprofileid"):
		case policy != nil && !slices.Contains(g.Up, policy) && !slices.Contains(g.Down, policy):
		default:
			out = append(out, z.groupAnswer(g))
		}
	}
	return c.page("autoscalevmgroup", out), nil
}
