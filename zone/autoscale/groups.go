package autoscale

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/lb"
	"github.com/stackproof/stackproof/zone/tenancy"
)

const defaultInterval = 30 // seconds, NetUtils.DEFAULT_AUTOSCALE_POLICY_INTERVAL_TIME

func groupCommands() []command {
	id := param{Name: "id", Type: "uuid:group", Required: true, About: "the ID of the autoscale group"}
	return []command{
		{
			Name: "createAutoScaleVmGroup", About: "Creates and automatically starts a virtual machine based on " +
				"a service offering, disk offering, and template.",
			Root: "autoscalevmgroupresponse", Class: autoscaleClasses + "CreateAutoScaleVmGroupCmd",
			Kind: kernel.AsyncCreate, Instance: "AutoScaleVmGroup",
			Event: "AUTOSCALEVMGROUP.CREATE", Eventful: kernel.EventCreateAsync, Action: "creating autoscale vm group",
			Params: []param{
				{Name: "lbruleid", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer rule"},
				{Name: "name", Type: "string", About: "the name of the autoscale vmgroup"},
				{Name: "minmembers", Type: "integer", Required: true, About: "the minimum number of members in " +
					"the vmgroup, the number of instances in the vm group will be equal to or more than this number."},
				{Name: "maxmembers", Type: "integer", Required: true, About: "the maximum number of members in " +
					"the vmgroup, The number of instances in the vm group will be equal to or less than this number."},
				{Name: "interval", Type: "integer", About: "the frequency in which the performance counters to " +
					"be collected"},
				{Name: "scaleuppolicyids", Type: "list:scalepolicy", Required: true, About: "list of scaleup " +
					"autoscale policies"},
				{Name: "scaledownpolicyids", Type: "list:scalepolicy", Required: true, About: "list of scaledown " +
					"autoscale policies"},
				{Name: "vmprofileid", Type: "uuid:scaleprofile", Required: true, About: "the autoscale profile " +
					"that contains information about the vms in the vm group."},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the " +
					"group to the end user or not"},
			},
			Create: createGroup, Run: configureGroup,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return mgr.Worded("configuring AutoScale Vm Group. Vm",
					"Configuring AutoScale Instance Group. Instance") +
					targetID(c, " Group Id: ")
			},
		},
		{
			Name: "updateAutoScaleVmGroup", About: "Updates an existing autoscale vm group.",
			Class: autoscaleClasses + "UpdateAutoScaleVmGroupCmd",
			Kind:  kernel.AsyncCommand, Event: "AUTOSCALEVMGROUP.UPDATE", Eventful: kernel.EventAsync,
			Action: "updating autoscale vm group",
			Params: []param{
				id, {Name: "name", Type: "string", About: "the name of the autoscale vmgroup"},
				{Name: "minmembers", Type: "integer", About: "the minimum number of members in the vmgroup"},
				{Name: "maxmembers", Type: "integer", About: "the maximum number of members in the vmgroup"},
				{Name: "interval", Type: "integer", About: "the frequency in which the performance counters to " +
					"be collected"},
				{Name: "scaleuppolicyids", Type: "list:scalepolicy", About: "list of scaleup autoscale policies"},
				{Name: "scaledownpolicyids", Type: "list:scalepolicy", About: "list of scaledown autoscale policies"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the " +
					"group to the end user or not"},
			},
			Check: ownGroup, Run: updateGroup,
			Subject:  groupSubject,
			Describe: func(mgr *Manager, c *kernel.Call) string { return groupTold(mgr, c, "Updating") },
			Detail:   groupDetail,
		},
		{
			Name: "enableAutoScaleVmGroup", About: "Enables an AutoScale Vm Group",
			Root:  "enableautoscalevmGroupresponse",
			Class: autoscaleClasses + "EnableAutoScaleVmGroupCmd", Kind: kernel.AsyncCommand,
			Event: "AUTOSCALEVMGROUP.ENABLE", Eventful: kernel.EventAsync,
			Action: "enabling autoscale vm group", Params: []param{id}, Check: ownGroup, Run: enableGroup,
			Subject:  groupSubject,
			Describe: func(mgr *Manager, c *kernel.Call) string { return groupTold(mgr, c, "Enabling") },
		},
		{
			Name: "disableAutoScaleVmGroup", About: "Disables an AutoScale Vm Group",
			Root:  "disableautoscalevmGroupresponse",
			Class: autoscaleClasses + "DisableAutoScaleVmGroupCmd", Kind: kernel.AsyncCommand,
			Event: "AUTOSCALEVMGROUP.DISABLE", Eventful: kernel.EventAsync,
			Action: "disabling autoscale vm group", Params: []param{id}, Check: ownGroup, Run: disableGroup,
			Subject:  groupSubject,
			Describe: func(mgr *Manager, c *kernel.Call) string { return groupTold(mgr, c, "Disabling") },
		},
		{
			Name: "deleteAutoScaleVmGroup", About: "Deletes a autoscale vm group.",
			Class: autoscaleClasses + "DeleteAutoScaleVmGroupCmd",
			Kind:  kernel.AsyncCommand, Event: "AUTOSCALEVMGROUP.DELETE", Eventful: kernel.EventAsync,
			Action: "deleting autoscale vm group",
			Params: []param{id, {Name: "cleanup", Type: "boolean", About: "true if all VMs have to be cleaned " +
				"up, false otherwise"}},
			Check: ownGroup, Run: deleteGroup,
			Subject: groupSubject,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return mgr.Worded("deleting autoscale vm", "Deleting autoscale Instance") + targetID(c, " group: ")
			},
			Detail: groupDetail,
		},
	}
}

func groupListCommands() []command {
	return []command{{
		Name: "listAutoScaleVmGroups", About: "Lists autoscale vm groups.",
		Params: kernel.ListParams(
			param{Name: "id", Type: "uuid:group", About: "the ID of the autoscale vm group"},
			param{Name: "name", Type: "string", About: "the name of the autoscale vmgroup"},
			param{Name: "lbruleid", Type: "uuid:lbrule", About: "the ID of the loadbalancer"},
			param{Name: "vmprofileid", Type: "uuid:scaleprofile", About: "the ID of the profile"},
			param{Name: "policyid", Type: "uuid:scalepolicy", About: "the ID of the policy"},
			param{Name: "zoneid", Type: "uuid:zone", About: "the availability zone ID"},
			param{Name: "fordisplay", Type: "boolean", About: "list resources by display flag; only ROOT admin " +
				"is eligible to pass this parameter"},
		),
		Run: listGroups,
	}}
}

// groupSubject is what the events of update and delete name.
func groupSubject(mgr *Manager, c *kernel.Call) kernel.Subject {
	if one := mgr.GroupByUUID(c.Str("id")); one != nil {
		return kernel.Named("AutoScaleVmGroup", one.ID, one.UUID, nil)
	}
	return kernel.Subject{Kind: "AutoScaleVmGroup"}
}

// groupTold and groupDetail are how events tell of a change of a group.
func groupTold(mgr *Manager, c *kernel.Call, doing string) string {
	kind := mgr.Worded("Vm", "Instance")
	return fmt.Sprintf("%s AutoScale %s Group. %s Group Id: %d", doing, kind, kind, c.Target.ID)
}

func groupDetail(mgr *Manager, c *kernel.Call) string {
	return fmt.Sprintf("AutoScale %s Group Id: %d", mgr.Worded("Vm", "Instance"), c.Target.ID)
}

// ownGroup refuses removed groups and those of others.
func ownGroup(mgr *Manager, c *kernel.Call) error {
	g, err := liveGroup(mgr, c)
	if err != nil {
		return err
	}
	return tenancy.MayUse(mgr.tenancy, c, g.Account, "autoscale vm group")
}

func liveGroup(mgr *Manager, c *kernel.Call) (*Group, error) {
	g, err := groupParam(mgr, c, "id")
	if err == nil && !g.Removed.IsZero() {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	return g, err
}

// createGroup is the create phase: the group is NEW, and its monitor planned.
func createGroup(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "AutoScaleVmGroup"
	r, err := lb.LBRuleParam(mgr.lb, c, "lbruleid")
	if err != nil {
		return kernel.Created{}, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule"); err != nil {
		return kernel.Created{}, err
	}
	if r.Group != nil {
		return kernel.Created{}, api.Invalid("an AutoScaleVmGroup is already attached to the lb rule, the " +
			"existing vm group has to be first deleted")
	}
	if len(r.Members) > 0 {
		return kernel.Created{}, api.Invalid("there are Vms already bound to the specified LoadBalancing Rule. " +
			"User bound Vms and AutoScaled Vm Group cannot co-exist on a Load Balancing Rule")
	}
	g := &Group{
		UUID: mgr.UUID(), Name: c.Str("name"), Rule: r, Account: r.Account,
		Profile: mgr.scaleProfileByUUID(c.Str("vmprofileid")),
		Min:     c.Integer("minmembers", 0), Max: c.Integer("maxmembers", 0),
		Interval: c.Integer("interval", defaultInterval),
		State:    groupNew, NextSeq: 1, Created: mgr.Now(),
	}
	if err := fillGroup(mgr, c, g); err != nil {
		return kernel.Created{}, err
	}
	g.ID, err = mgr.Insert(c.Ctx, "cloud.autoscale_vmgroups", obj{
		"uuid": g.UUID, "zone_id": mgr.net.Site.ID, "domain_id": g.Account.Domain.ID, "account_id": g.Account.ID,
		"load_balancer_id": r.ID,
		"name":             g.Name, "min_members": g.Min, "max_members": g.Max, "member_port": r.PrivateStart,
		"interval":   g.Interval,
		"profile_id": g.Profile.ID, "state": g.State, "created": g.Created, "display": 1, "next_vm_seq": g.NextSeq,
	})
	if err != nil {
		return kernel.Created{}, err
	}
	r.Group = g
	mgr.Groups.Add(g)
	mgr.noteGap(g)
	mgr.watch(g)
	return kernel.Created{UUID: g.UUID, ID: g.ID}, nil
}

// fillGroup takes over the policies that the call names and checks the whole.
func fillGroup(mgr *Manager, c *kernel.Call, g *Group) error {
	if err := checkGroup(g); err != nil {
		return err
	}
	var err error
	if c.Has("scaleuppolicyids") {
		if g.Up, err = scalePolicies(mgr, c, "scaleuppolicyids", "SCALEUP", "ScaleUp"); err != nil {
			return err
		}
	}
	if c.Has("scaledownpolicyids") {
		if g.Down, err = scalePolicies(mgr, c, "scaledownpolicyids", "SCALEDOWN", "ScaleDown"); err != nil {
			return err
		}
	}
	services := g.Rule.Network.Offering.Services
	if !slices.Contains(services, "Lb") {
		return api.Invalid("Vm AutoScaling is not supported by this network.")
	}
	for _, p := range slices.Concat(g.Up, g.Down) {
		if p.Duration < g.Interval {
			return api.Invalid("duration : %d specified in a policy cannot be less than vm group's interval : %d",
				p.Duration, g.Interval)
		}
		for _, k := range p.Conditions {
			if k.Counter.Provider != lbProviderOf(g.Rule.Network) {
				return api.Invalid("AutoScale counter with source='%s' is not supported in the network",
					k.Counter.Source)
			}
		}
		if p.Account != g.Account {
			return tenancy.Permission("Acct[%s-%s] does not have permission to operate with resource", g.Account.UUID,
				g.Account.Name)
		}
	}
	return nil
}

func checkGroup(g *Group) error {
	name := strings.Trim(strings.ToLower(g.Name), "abcdefghijklmnopqrstuvwxyz0123456789-")
	switch {
	case g.Name == "" || len(g.Name) > 255 || name != "":
		return api.Invalid("Invalid AutoScale VM group name. It can contain the ASCII letters 'a' through 'z', " +
			"'A' through 'Z', the digits '0' through '9' and the hyphen ('-'), must be between 1 and 255 " +
			"characters long.")
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

func scalePolicies(mgr *Manager, c *kernel.Call, name, action, word string) ([]*ScalePolicy, error) {
	var out []*ScalePolicy
	for _, u := range c.List(name) {
		p := mgr.scalePolicyByUUID(u)
		if p == nil {
			return nil, c.BadEntity(name, u)
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

func updateGroup(mgr *Manager, c *kernel.Call) (obj, error) {
	g, err := liveGroup(mgr, c)
	if err != nil {
		return nil, err
	}
	interval := c.Integer("interval", g.Interval)
	physical := interval != g.Interval || c.Has("scaleuppolicyids") || c.Has("scaledownpolicyids")
	only := "Interval/Policies"
	if !mgr.On(release.EnabledMinMaxUpdate) {
		only = "minMembers/maxMembers/Interval"
		physical = physical || c.Has("minmembers") || c.Has("maxmembers")
	}
	if physical && !mgr.Hooks.Editable(g) {
		return nil, api.Invalid("An AutoScale Vm Group can be updated with %s only when it is in disabled state", only)
	}
	changed := *g
	if v := c.Str("name"); v != "" {
		changed.Name = v
	}
	changed.Min, changed.Max, changed.Interval = c.Integer("minmembers", g.Min), c.Integer("maxmembers", g.Max),
		interval
	if err := fillGroup(mgr, c, &changed); err != nil {
		return nil, err
	}
	g.Name, g.Min, g.Max, g.Interval, g.Up, g.Down = changed.Name, changed.Min, changed.Max, changed.Interval,
		changed.Up, changed.Down
	row := obj{"name": g.Name, "min_members": g.Min, "max_members": g.Max, "interval": g.Interval}
	if err := mgr.Update(c.Ctx, "cloud.autoscale_vmgroups", g.ID, row); err != nil {
		return nil, err
	}
	return obj{"autoscalevmgroup": groupAnswer(mgr, g)}, nil
}

func listGroups(mgr *Manager, c *kernel.Call) (obj, error) {
	policy := mgr.scalePolicyByUUID(c.Str("policyid"))
	var out []obj
	for _, g := range slices.Backward(mgr.Groups.All()) {
		switch {
		case !g.Removed.IsZero(), !tenancy.Visible(mgr.tenancy, c, g.Account), c.Has("id") && g.UUID != c.Str("id"):
		case c.Str("name") != "" && c.Differs("name", g.Name), !strings.Contains(g.Name, c.Str("keyword")):
		case c.Has("lbruleid") && g.Rule.UUID != c.Str("lbruleid"), c.Has("vmprofileid") &&
			g.Profile.UUID != c.Str("vmprofileid"):
		case policy != nil && !slices.Contains(g.Up, policy) && !slices.Contains(g.Down, policy):
		default:
			out = append(out, groupAnswer(mgr, g))
		}
	}
	return c.Page("autoscalevmgroup", out), nil
}
