package zone

import (
	"slices"
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

// autoscaleCommands are the commands of counters, conditions, policies, profiles and groups.
func (z *Zone) autoscaleCommands() []command {
	return slices.Concat(counterCommands(), conditionCommands(), scalePolicyCommands(), scaleProfileCommands(), groupCommands(), groupListCommands())
}

// ownerParams are what the create commands of account-owned objects take.
func ownerParams(own ...param) []param {
	return append(own,
		param{"account", "string", false, "the account of the resource. Must be used with the domainId parameter."},
		param{"domainid", "uuid:domain", false, "the domain ID of the account."},
		param{"projectid", "string", false, "an optional project"},
	)
}

func counterAnswer(c *Counter) obj {
	return obj{"id": c.UUID, "name": c.Name, "source": c.Source, "value": c.Value, "provider": c.Provider}
}

func (z *Zone) conditionAnswer(k *Condition) obj {
	out := obj{
		"id": k.UUID, "threshold": k.Threshold, "relationaloperator": k.Operator, "counterid": k.Counter.UUID, "countername": k.Counter.Name,
		"counter": counterAnswer(k.Counter),
	}
	z.owned(out, k.Account)
	return out
}

func (z *Zone) scalePolicyAnswer(p *ScalePolicy) obj {
	conditions := []obj{}
	for _, k := range p.Conditions {
		conditions = append(conditions, z.conditionAnswer(k))
	}
	out := obj{"id": p.UUID, "action": p.Action, "duration": p.Duration, "quiettime": p.Quiet, "conditions": conditions}
	if p.Name != "" {
		out["name"] = p.Name
	}
	z.owned(out, p.Account)
	return out
}

func (z *Zone) profileAnswer(p *ScaleProfile) obj {
	out := obj{
		"id": p.UUID, "zoneid": z.site.UUID, "serviceofferingid": p.Offering.UUID, "templateid": p.Template.UUID,
		"otherdeployparams": nonNil(p.Deploy), "expungevmgraceperiod": p.Grace, "counterparam": nonNil(p.Counter),
	}
	if p.UserID != nil {
		out["autoscaleuserid"] = p.UserID.UUID
	}
	z.owned(out, p.Account)
	return out
}

func nonNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func (z *Zone) groupAnswer(g *Group) obj {
	policies := func(list []*ScalePolicy) []obj {
		out := []obj{}
		for _, p := range list {
			out = append(out, z.scalePolicyAnswer(p))
		}
		return out
	}
	r := g.Rule
	out := obj{
		"id": g.UUID, "name": g.Name, "lbruleid": r.UUID, "associatednetworkname": r.Network.Name, "associatednetworkid": r.Network.UUID,
		"lbprovider": lbProviderOf(r.Network), "publicipid": r.Address.UUID, "publicip": r.Address.IP.String(), "publicport": intText(r.StartPort),
		"privateport": intText(r.PrivateStart), "vmprofileid": g.Profile.UUID, "minmembers": g.Min, "maxmembers": g.Max,
		"availablevirtualmachinecount": available(g), "interval": g.Interval, "state": g.State, "scaleuppolicies": policies(g.Up),
		"scaledownpolicies": policies(g.Down), "fordisplay": true, "created": stamp(g.Created), "hasannotations": false,
	}
	z.owned(out, g.Account)
	return out
}

func lbProviderOf(n *Network) string {
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
