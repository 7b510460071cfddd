package autoscale

import (
	"slices"

	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

const autoscaleClasses = "org.apache.cloudstack.api.command.user.autoscale."

// Group states.
const (
	groupNew      = "NEW"
	groupEnabled  = "ENABLED"
	groupDisabled = "DISABLED"
	groupScaling  = "SCALING"
	groupRevoke   = "REVOKE"
)

// Commands are the commands of counters, conditions, policies, profiles and groups.
func Commands() []command {
	return slices.Concat(counterCommands(), conditionCommands(), scalePolicyCommands(), scaleProfileCommands(),
		groupCommands(), groupListCommands(), scheduleCommands())
}

// ownerParams are what the create commands of account-owned objects take.
func ownerParams(own ...param) []param {
	return append(own,
		param{Name: "account", Type: "string", About: "the account of the resource. Must be used with the " +
			"domainId parameter."},
		param{Name: "domainid", Type: "uuid:domain", About: "the domain ID of the account."},
		param{Name: "projectid", Type: "uuid:project", About: "an optional project"},
	)
}

func counterAnswer(c *Counter) obj {
	return obj{"id": c.UUID, "name": c.Name, "source": c.Source, "value": c.Value, "provider": c.Provider}
}

func conditionAnswer(mgr *Manager, k *Condition) obj {
	out := obj{
		"id": k.UUID, "threshold": k.Threshold, "relationaloperator": k.Operator, "counterid": k.Counter.UUID,
		"countername": k.Counter.Name,
		"counter":     counterAnswer(k.Counter),
	}
	mgr.tenancy.Owned(out, k.Account)
	return out
}

func scalePolicyAnswer(mgr *Manager, p *ScalePolicy) obj {
	conditions := []obj{}
	for _, k := range p.Conditions {
		conditions = append(conditions, conditionAnswer(mgr, k))
	}
	out := obj{"id": p.UUID, "action": p.Action, "duration": p.Duration, "quiettime": p.Quiet, "conditions": conditions}
	if p.Name != "" {
		out["name"] = p.Name
	}
	mgr.tenancy.Owned(out, p.Account)
	return out
}

func profileAnswer(mgr *Manager, p *ScaleProfile) obj {
	out := obj{
		"id": p.UUID, "zoneid": mgr.net.Site.UUID, "serviceofferingid": p.Offering.UUID, "templateid": p.Template.UUID,
		"otherdeployparams": nonNil(p.Deploy), "expungevmgraceperiod": p.Grace, "counterparam": nonNil(p.Counter),
	}
	if p.UserID != nil {
		out["autoscaleuserid"] = p.UserID.UUID
	}
	mgr.tenancy.Owned(out, p.Account)
	return out
}

func nonNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func groupAnswer(mgr *Manager, g *Group) obj {
	policies := func(list []*ScalePolicy) []obj {
		out := []obj{}
		for _, p := range list {
			out = append(out, scalePolicyAnswer(mgr, p))
		}
		return out
	}
	r := g.Rule
	out := obj{
		"id": g.UUID, "name": g.Name, "lbruleid": r.UUID, "associatednetworkname": r.Network.Name,
		"associatednetworkid": r.Network.UUID,
		"lbprovider":          lbProviderOf(r.Network), "publicipid": r.Address.UUID, "publicip": r.Address.IP.String(),
		"publicport":  kernel.IntText(r.StartPort),
		"privateport": kernel.IntText(r.PrivateStart), "vmprofileid": g.Profile.UUID, "minmembers": g.Min,
		"maxmembers":                   g.Max,
		"availablevirtualmachinecount": available(g), "interval": g.Interval, "state": g.State,
		"scaleuppolicies":   policies(g.Up),
		"scaledownpolicies": policies(g.Down), "fordisplay": true, "created": kernel.Stamp(g.Created),
		"hasannotations": false,
	}
	mgr.tenancy.Owned(out, g.Account)
	return out
}

func lbProviderOf(n *net.Network) string {
	if n.VPC != nil {
		return "VpcVirtualRouter"
	}
	return "VirtualRouter"
}

// available counts the members that count towards the group's size.
func available(g *Group) int {
	n := 0
	for _, vm := range g.Members {
		if slices.Contains([]string{"Starting", "Running", "Stopping", "Migrating"}, vm.State) {
			n++
		}
	}
	return n
}
