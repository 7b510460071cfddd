package zone

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/fault"
)

// lbCommands are the load balancer rule commands.
func (z *Zone) lbCommands() []command {
	return append(lbHealthCommands(), []command{
		healthCommand(),
		lbCreateCommand(), lbUpdateCommand(), lbDeleteCommand(),
		lbMembersCommand("assignToLoadBalancerRule", "Assigns virtual machine or a list of virtual machines to a load balancer rule.",
			"LB.ASSIGN.TO.RULE", "applying instances for load balancer", "assigning to load balancer", assignToRule),
		lbMembersCommand("removeFromLoadBalancerRule", "Removes a virtual machine or a list of virtual machines from a load balancer rule.",
			"LB.REMOVE.FROM.RULE", "removing instances from load balancer", "removing from load balancer", removeFromRule),
		lbListCommand(), lbInstancesCommand(),
	}...)
}

const lbClasses = "org.apache.cloudstack.api.command.user.loadbalancer."

func lbCreateCommand() command {
	return command{
		name: "createLoadBalancerRule", about: "Creates a load balancer rule", class: lbClasses + "CreateLoadBalancerRuleCmd",
		kind: asyncCreate, instance: "FirewallRule", event: "LB.CREATE", eventful: eventCreatePlain, action: "creating load balancer",
		params: []param{
			{"algorithm", "string", true, "load balancer algorithm (source, roundrobin, leastconn)"},
			{"description", "string", false, "the description of the load balancer rule"},
			{"name", "string", true, "name of the load balancer rule"},
			{"privateport", "integer", true, "the private port of the private IP address/virtual machine where the network traffic will be load balanced to"},
			{"publicipid", "uuid:address", false, "public IP address ID from where the network traffic will be load balanced from"},
			{"zoneid", "uuid:zone", false, "zone where the load balancer is going to be created. This parameter is required when LB service provider is ElasticLoadBalancerVm"},
			{"publicport", "integer", true, "the public port from where the network traffic will be load balanced from"},
			{"openfirewall", "boolean", false, "if true, firewall rule for source/end public port is automatically created; if false - firewall rule has to be created explicitly. If not specified 1) defaulted to false when LB rule is being created for VPC guest network 2) in all other cases defaulted to true"},
			{"account", "string", false, "the account associated with the load balancer. Must be used with the domainId parameter."},
			{"domainid", "uuid:domain", false, "the domain ID associated with the load balancer"},
			{"cidrlist", "list", false, "the CIDR list to allow traffic, all other CIDRs will be blocked. Multiple entries must be separated by a single comma character (,). By default, all CIDRs are allowed."},
			{"networkid", "uuid:network", false, "The guest network this rule will be created for. Required when public Ip address is not associated with any Guest network yet (VPC case)"},
			{"protocol", "string", false, "The protocol for the LB such as tcp, udp or tcp-proxy."},
			{"fordisplay", "boolean", false, "an optional field, whether to the display the rule to the end user or not"},
		},
		create: createRule,
		run:    finishRule,
		sync:   func(z *Zone, c *call) string { return ruleSync(z, c, "") },
		describe: func(z *Zone, c *call) string {
			owner := "null"
			if c.has("account") {
				owner = c.str("account")
			}
			if r := z.lbRuleByUUID(c.target.uuid); r != nil {
				c.concerns("FirewallRule", r.ID, r.UUID, r.Account)
			}
			return "creating load balancer: " + c.str("name") + " account: " + owner
		},
		detail: func(z *Zone, c *call) string {
			if c.target.id == 0 {
				return ""
			}
			return fmt.Sprintf("Load balancer Id: %d", c.target.id)
		},
	}
}

func lbUpdateCommand() command {
	return command{
		name: "updateLoadBalancerRule", about: "Updates load balancer", class: lbClasses + "UpdateLoadBalancerRuleCmd",
		kind: asyncCommand, event: "LB.UPDATE", eventful: eventAsync, action: "updating load balancer",
		params: []param{
			{"id", "uuid:lbrule", true, "the ID of the load balancer rule to update"},
			{"algorithm", "string", false, "load balancer algorithm (source, roundrobin, leastconn)"},
			{"description", "string", false, "the description of the load balancer rule"},
			{"name", "string", false, "the name of the load balancer rule"},
			{"fordisplay", "boolean", false, "an optional field, whether to the display the rule to the end user or not"},
			{"protocol", "string", false, "The protocol for the LB"},
			{"customid", "string", false, "an optional field, in case you want to set a custom id to the resource. Allowed to Root Admins only"},
		},
		check: ownRule,
		run:   updateRule,
		sync:  func(z *Zone, c *call) string { return ruleSync(z, c, "id") },
		describe: func(z *Zone, c *call) string {
			c.eventResourceType = "None"
			if r := z.lbRuleByUUID(c.str("id")); r != nil {
				c.target.id, c.owner = r.ID, r.Account
			}
			return "updating load balancer rule"
		},
		detail: func(z *Zone, c *call) string {
			c.eventResourceType, c.owner = "LoadBalancer", nil
			return fmt.Sprintf("Load balancer ID: %d", c.target.id)
		},
	}
}

func lbDeleteCommand() command {
	return command{
		name: "deleteLoadBalancerRule", about: "Deletes a load balancer rule.", class: lbClasses + "DeleteLoadBalancerRuleCmd",
		kind: asyncCommand, event: "LB.DELETE", eventful: eventAsync, action: "deleting load balancer",
		params: []param{{"id", "uuid:lbrule", true, "the ID of the load balancer rule"}},
		check:  ownRule,
		run:    deleteRule,
		sync:   func(z *Zone, c *call) string { return ruleSync(z, c, "id") },
		describe: func(z *Zone, c *call) string {
			concernsRule(z, c, "id")
			return fmt.Sprintf("deleting load balancer: %d", c.target.id)
		},
		detail: func(z *Zone, c *call) string {
			c.owner = nil
			return fmt.Sprintf("Load balancer ID: %d", c.target.id)
		},
	}
}

func lbMembersCommand(name, about, event, scheduled, action string, run func(*Zone, *call) (obj, error)) command {
	return command{
		name: name, about: about, class: lbClasses + strings.ToUpper(name[:1]) + name[1:] + "Cmd",
		kind: asyncCommand, event: event, eventful: eventAsync, action: action,
		params: []param{
			{"id", "uuid:lbrule", true, "the ID of the load balancer rule"},
			{"virtualmachineids", "list:vm", false, "the list of IDs of the virtual machine that are concerned"},
			{"vmidipmap", "map", false, "VM ID and IP map, vmidipmap[0].vmid=1 vmidipmap[0].vmip=10.1.1.75"},
		},
		check: ownRule,
		run:   run,
		sync:  func(z *Zone, c *call) string { return ruleSync(z, c, "id") },
		describe: func(z *Zone, c *call) string {
			concernsRule(z, c, "id")
			return fmt.Sprintf("%s: %d (ids: %s)", scheduled, c.target.id, memberIDs(z, c))
		},
		detail: func(z *Zone, c *call) string {
			c.owner = nil
			return fmt.Sprintf("Load balancer Id: %d VmIds: %s", c.target.id, memberIDs(z, c))
		},
	}
}

// memberIDs are the internal ids of virtualmachineids, as the events name them; null where only vmidipmap is given.
func memberIDs(z *Zone, c *call) string {
	if !c.has("virtualmachineids") {
		return "null"
	}
	var ids []string
	for _, u := range c.list("virtualmachineids") {
		if vm := z.vmByUUID(u); vm != nil {
			ids = append(ids, fmt.Sprint(vm.ID))
		}
	}
	return strings.Join(ids, ",")
}

// concerns sets what the event rows name.
func (c *call) concerns(kind string, id int64, uuid string, owner Owner) {
	c.eventResourceType, c.eventResource, c.owner = kind, id, owner
	c.target = created{uuid: uuid, id: id}
}

func concernsRule(z *Zone, c *call, name string) {
	if r := z.lbRuleByUUID(c.str(name)); r != nil {
		c.concerns("FirewallRule", r.ID, r.UUID, r.Account)
	}
}

// ruleSync serialises LB and stickiness jobs of one network.
func ruleSync(z *Zone, c *call, name string) string {
	u := c.target.uuid
	if name != "" {
		u = c.str(name)
	}
	if r := z.lbRuleByUUID(u); r != nil {
		return fmt.Sprintf("network:%d", r.Network.ID)
	}
	return ""
}

// ownRule refuses another account's rule.
func ownRule(z *Zone, c *call) error {
	r, err := lbRuleParam(z, c, "id")
	if err != nil {
		return err
	}
	return mayUse(z, c, r.Account, "load balancer rule")
}

// mayUse is CloudStack's access check: users act on their own account's objects.
func mayUse(z *Zone, c *call, owner *Account, what string) error {
	a := callerOf(c).Account
	if a == owner || a.Type == 1 || callerOf(c) == z.system || a.Type == 2 && z.within(owner.Domain, a.Domain.UUID) {
		return nil
	}
	return permission("Acct[%s-%s] does not have permission to operate with resource %s", a.UUID, a.Name, what)
}

// ruleAnswer is a rule as createLoadBalancerRule and listLoadBalancerRules answer it. Ports are text.
func (z *Zone) ruleAnswer(r *LBRule) obj {
	out := obj{
		"id": r.UUID, "name": r.Name, "publicipid": r.Address.UUID, "publicip": r.Address.IP.String(),
		"publicport": intText(r.StartPort), "privateport": intText(r.PrivateStart), "algorithm": r.Algorithm,
		"networkid": r.Network.UUID, "state": shownState(r.State), "zoneid": z.site.UUID, "zonename": siteName,
		"tags": []any{}, "fordisplay": r.Display,
	}
	if r.Text != "" {
		out["description"] = r.Text
	}
	if len(r.CIDRs) > 0 && !z.knobs[fault.SourceListUnlisted] {
		out["cidrlist"] = joinCIDRs(r.CIDRs)
	}
	if r.LBProtocol != "" {
		out["protocol"] = r.LBProtocol
	}
	z.owned(out, r.Account)
	return out
}

// shownState is the state's name in answers.
func shownState(s string) string {
	if s == stateRevoke {
		return "Deleting"
	}
	return s
}

func joinCIDRs(cidrs []string) string { return strings.Join(cidrs, " ") }
