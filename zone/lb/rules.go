package lb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// lbCommands are the load balancer rule commands.
func lbCommands() []command {
	return append(lbHealthCommands(), []command{
		healthCommand(),
		lbCreateCommand(), lbUpdateCommand(), lbDeleteCommand(),
		lbMembersCommand("assignToLoadBalancerRule", "Assigns virtual machine or a list of virtual machines to a "+
			"load balancer rule.",
			"LB.ASSIGN.TO.RULE", "applying %s for load balancer", "assigning to load balancer", assignToRule),
		lbMembersCommand("removeFromLoadBalancerRule", "Removes a virtual machine or a list of virtual machines "+
			"from a load balancer rule.",
			"LB.REMOVE.FROM.RULE", "removing %s from load balancer", "removing from load balancer",
			removeFromRule),
		lbListCommand(), lbInstancesCommand(),
	}...)
}

const lbClasses = "org.apache.cloudstack.api.command.user.loadbalancer."

func lbCreateCommand() command {
	return command{
		Name: "createLoadBalancerRule", About: "Creates a load balancer rule",
		Class: lbClasses + "CreateLoadBalancerRuleCmd",
		Kind:  kernel.AsyncCreate, Instance: "FirewallRule", Event: "LB.CREATE", Eventful: kernel.EventCreatePlain,
		Action: "creating load balancer",
		Params: []param{
			{Name: "algorithm", Type: "string", Required: true, About: "load balancer algorithm (source, " +
				"roundrobin, leastconn)"},
			{Name: "description", Type: "string", About: "the description of the load balancer rule"},
			{Name: "name", Type: "string", Required: true, About: "name of the load balancer rule"},
			{Name: "privateport", Type: "integer", Required: true, About: "the private port of the private IP " +
				"address/virtual machine where the network traffic will be load balanced to"},
			{Name: "publicipid", Type: "uuid:address", About: "public IP address ID from where the network " +
				"traffic will be load balanced from"},
			{Name: "zoneid", Type: "uuid:zone", About: "zone where the load balancer is going to be created. " +
				"This parameter is required when LB service provider is ElasticLoadBalancerVm"},
			{Name: "publicport", Type: "integer", Required: true, About: "the public port from where the network " +
				"traffic will be load balanced from"},
			{Name: "openfirewall", Type: "boolean", About: "if true, firewall rule for source/end public port is " +
				"automatically created; if false - firewall rule has to be created explicitly. If not specified " +
				"1) defaulted to false when LB rule is being created for VPC guest network 2) in all other " +
				"cases defaulted to true"},
			{Name: "account", Type: "string", About: "the account associated with the load balancer. Must be " +
				"used with the domainId parameter."},
			{Name: "domainid", Type: "uuid:domain", About: "the domain ID associated with the load balancer"},
			{Name: "cidrlist", Type: "list", About: "the CIDR list to allow traffic, all other CIDRs will be " +
				"blocked. Multiple entries must be separated by a single comma character (,). By default, all " +
				"CIDRs are allowed."},
			{Name: "networkid", Type: "uuid:network", About: "The guest network this rule will be created for. " +
				"Required when public Ip address is not associated with any Guest network yet (VPC case)"},
			{Name: "protocol", Type: "string", About: "The protocol for the LB such as tcp, udp or tcp-proxy."},
			{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the rule to " +
				"the end user or not"},
		},
		Create:  createRule,
		Run:     finishRule,
		Sync:    func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "") },
		Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject { return ruleSubject(mgr, c.Target.UUID) },
		Describe: func(mgr *Manager, c *kernel.Call) string {
			owner := "null"
			if c.Has("account") {
				owner = c.Str("account")
			}
			return fmt.Sprintf("%s load balancer: %s %s: %s", mgr.Worded("creating", "Creating"), c.Str("name"),
				mgr.Worded("account", "Account"), owner)
		},
		Detail: func(mgr *Manager, c *kernel.Call) string {
			if c.Target.ID == 0 {
				return ""
			}
			return fmt.Sprintf("Load balancer Id: %d", c.Target.ID)
		},
	}
}

func lbUpdateCommand() command {
	return command{
		Name: "updateLoadBalancerRule", About: "Updates load balancer", Class: lbClasses + "UpdateLoadBalancerRuleCmd",
		Kind: kernel.AsyncCommand, Event: "LB.UPDATE", Eventful: kernel.EventAsync, Action: "updating load balancer",
		Params: []param{
			{Name: "id", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer rule to update"},
			{Name: "algorithm", Type: "string", About: "load balancer algorithm (source, roundrobin, leastconn)"},
			{Name: "description", Type: "string", About: "the description of the load balancer rule"},
			{Name: "name", Type: "string", About: "the name of the load balancer rule"},
			{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the rule to " +
				"the end user or not"},
			{Name: "protocol", Type: "string", About: "The protocol for the LB"},
			{
				Name:  "cidrlist",
				Type:  "list",
				With:  release.UpdateCIDRList,
				Empty: true,
				About: "the CIDR list to allow traffic, " +
					"all other CIDRs will be blocked. Multiple entries must be separated by a single comma " +
					"character (,).",
			},
			{Name: "customid", Type: "string", About: "an optional field, in case you want to set a custom id to " +
				"the resource. Allowed to Root Admins only"},
		},
		Check: ownRule,
		Run:   updateRule,
		Sync:  func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "id") },
		Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
			s := ruleSubject(mgr, c.Str("id"))
			return kernel.Subject{Kind: "None", Owner: s.Owner, Target: kernel.Created{ID: s.Target.ID}}
		},
		Later: "LoadBalancer",
		Describe: func(mgr *Manager, c *kernel.Call) string {
			return mgr.eventText(c, "updating load balancer rule", "Updating load balancer rule with ID: %s")
		},
		Detail: loadBalancerDetail,
	}
}

func lbDeleteCommand() command {
	return command{
		Name: "deleteLoadBalancerRule", About: "Deletes a load balancer rule.",
		Class: lbClasses + "DeleteLoadBalancerRuleCmd",
		Kind:  kernel.AsyncCommand, Event: "LB.DELETE", Eventful: kernel.EventAsync, Action: "deleting load balancer",
		Params: []param{
			{Name: "id", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer rule"},
		},
		Check:   ownRule,
		Run:     deleteRule,
		Sync:    func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "id") },
		Subject: ruleByID,
		Describe: func(mgr *Manager, c *kernel.Call) string {
			return mgr.eventText(c, fmt.Sprintf("deleting load balancer: %d", c.Target.ID),
				"Deleting load balancer with ID: %s")
		},
		Detail: loadBalancerDetail,
	}
}

func lbMembersCommand(name, about, event, scheduled, action string, run func(*Manager, *kernel.Call) (obj,
	error)) command {
	since, listed := "Applying Instances for load balancer", "Instances"
	if name == "removeFromLoadBalancerRule" {
		since, listed = "Removing Instances from load balancer", "instances"
	}
	return command{
		Name: name, About: about, Class: lbClasses + strings.ToUpper(name[:1]) + name[1:] + "Cmd",
		Kind: kernel.AsyncCommand, Event: event, Eventful: kernel.EventAsync, Action: action,
		Params: []param{
			{Name: "id", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer rule"},
			{Name: "virtualmachineids", Type: "list:vm", Empty: true, About: "the list of IDs of the virtual machine " +
				"that are " +
				"concerned"},
			{Name: "vmidipmap", Type: "map", About: "VM ID and IP map, vmidipmap[0].vmid=1 " +
				"vmidipmap[0].vmip=10.1.1.75"},
		},
		Check:   ownRule,
		Run:     run,
		Sync:    func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "id") },
		Subject: ruleByID,
		Describe: func(mgr *Manager, c *kernel.Call) string {
			if mgr.On(release.EventTextUUID) {
				return fmt.Sprintf("%s with ID: %s (%s IDs: %s)", since, c.Str("id"), listed,
					c.Str("virtualmachineids"))
			}
			return fmt.Sprintf(scheduled+": %d (ids: %s)", mgr.Worded("instances", "Instances"), c.Target.ID,
				memberIDs(mgr, c))
		},
		Detail: func(mgr *Manager, c *kernel.Call) string {
			if mgr.On(release.EventTextUUID) {
				return fmt.Sprintf("Load balancer ID: %s Instance IDs: %s", c.Str("id"), c.Str("virtualmachineids"))
			}
			return fmt.Sprintf("Load balancer Id: %d %s: %s", c.Target.ID, mgr.Worded("VmIds", "Instance IDs"),
				memberIDs(mgr, c))
		},
	}
}

// ruleSubject is the rule with a uuid; nothing when there is none.
func ruleSubject(mgr *Manager, uuid string) kernel.Subject {
	if r := mgr.push.LBRuleByUUID(uuid); r != nil {
		return kernel.Named("FirewallRule", r.ID, r.UUID, r.Account)
	}
	return kernel.Subject{}
}

// ruleByID is the rule that the parameter id names.
func ruleByID(mgr *Manager, c *kernel.Call) kernel.Subject { return ruleSubject(mgr, c.Str("id")) }

// ruleSync serialises LB and stickiness jobs of one network.
func ruleSync(mgr *Manager, c *kernel.Call, name string) string {
	u := c.Target.UUID
	if name != "" {
		u = c.Str(name)
	}
	if r := mgr.push.LBRuleByUUID(u); r != nil {
		return fmt.Sprintf("network:%d", r.Network.ID)
	}
	return ""
}

// ownRule refuses another account's rule.
func ownRule(mgr *Manager, c *kernel.Call) error {
	r, err := LBRuleParam(mgr, c, "id")
	if err != nil {
		return err
	}
	return tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule")
}

// RuleAnswer is a rule as createLoadBalancerRule and listLoadBalancerRules answer it. Ports are text.
func RuleAnswer(mgr *Manager, r *push.Rule) obj {
	out := obj{
		"id": r.UUID, "name": r.Name, "publicipid": r.Address.UUID, "publicip": r.Address.IP.String(),
		"publicport": kernel.IntText(r.StartPort), "privateport": kernel.IntText(r.PrivateStart),
		"algorithm": r.Algorithm,
		"networkid": r.Network.UUID, "state": firewall.ShownState(r.State), "zoneid": mgr.net.Site.UUID,
		"zonename": net.SiteName,
		"tags":     mgr.tenancy.Tagged(r.UUID), "fordisplay": r.Display,
	}
	if r.Text != "" {
		out["description"] = r.Text
	}
	if len(r.CIDRs) > 0 {
		out["cidrlist"] = r.SourceList()
	}
	if r.LBProtocol != "" {
		out["protocol"] = r.LBProtocol
	}
	mgr.tenancy.Owned(out, r.Account)
	return out
}

// RuleText is how texts name a rule: by before, from 4.20.1 on as an object (LoadBalancerVO@4.20.1.0).
func (mgr *Manager) RuleText(r *push.Rule, before string) string {
	return mgr.ObjectText(before, "LoadBalancer", "name", r.Name, "id", r.ID, "purpose", r.Purpose, "state", r.State,
		"uuid", r.UUID)
}

// colonRule is a rule after a colon, which stands after the word id where the number follows.
func (mgr *Manager) colonRule(r *push.Rule) string {
	number := fmt.Sprintf(" id :%d", r.ID)
	if text := mgr.RuleText(r, number); text != number {
		return ":" + text
	}
	return number
}

// removeLBRule deletes the rule for good, with its mappings and policies; a related firewall rule goes with its row.
func (mgr *Manager) removeLBRule(ctx context.Context, r *push.Rule) error {
	if !mgr.push.LBRules.Has(r) {
		return nil
	}
	for _, m := range r.Members {
		if err := mgr.Remove(ctx, "cloud.load_balancer_vm_map", m.ID); err != nil {
			return err
		}
	}
	for _, p := range r.Policies {
		if mgr.On(fault.PolicyRowsLeft) {
			break
		}
		if err := mgr.Remove(ctx, "cloud.load_balancer_stickiness_policies", p.ID); err != nil {
			return err
		}
	}
	for _, fw := range mgr.firewall.FWRules.All() {
		if fw.Related == &r.Rule {
			if err := mgr.firewall.RemoveFWRule(ctx, fw); err != nil {
				return err
			}
		}
	}
	if err := mgr.Remove(ctx, "cloud.load_balancing_rules", r.ID); err != nil {
		return err
	}
	if err := mgr.Remove(ctx, "cloud.firewall_rules", r.ID); err != nil {
		return err
	}
	mgr.push.LBRules.Remove(r)
	if mgr.On(release.SoftDeleteRules) {
		mgr.push.GoneRules = append(mgr.push.GoneRules, r)
	}
	if !mgr.On(release.TagsOutliveRule) {
		mgr.tenancy.DropTags(r.UUID)
	}
	return nil
}

// applyRule pushes the configuration of the rule's network and carries out what a good push ends.
func (mgr *Manager) applyRule(ctx context.Context, r *push.Rule, why string) error {
	if err := mgr.push.PushNetwork(ctx, r.Network, push.Cause{Why: why, Rule: r}); err != nil {
		return err
	}
	return mgr.afterPush(ctx, r)
}

// afterPush is the state of a rule once the router has it: Revoke goes away, Add becomes Active, revoked mappings and
// policies are deleted, and a rule without mappings is back in Add. A VPC's address whose last rule went is untied from
// its tier (LoadBalancingRulesManagerImpl.applyLoadBalancerRules@4.20.0.0).
func (mgr *Manager) afterPush(ctx context.Context, r *push.Rule) error {
	switch r.State {
	case firewall.StateRevoke:
		if err := mgr.removeLBRule(ctx, r); err != nil {
			return err
		}
		return mgr.net.UntieAddress(ctx, r.Address)
	case firewall.StateAdd:
		if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateActive); err != nil {
			return err
		}
	}
	if err := errors.Join(mgr.stuck(r), mgr.again(r)); err != nil {
		return err
	}
	for _, m := range slices.Clone(r.Members) {
		if m.Revoke {
			if err := mgr.RemoveMember(ctx, r, m); err != nil {
				return err
			}
		}
	}
	if r.Certificate != nil && r.Certificate.Revoke {
		r.Certificate = nil
	}
	if len(r.Members) == 0 && !mgr.On(fault.EmptyRuleActive) {
		if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
			return err
		}
	}
	for _, p := range slices.Clone(r.Policies) {
		if p.Revoke {
			if err := mgr.removePolicy(ctx, r, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// LBUsage writes LB.CREATE or LB.DELETE for a rule; why is a reason of the kernel's, "" for a command of its own.
func (mgr *Manager) LBUsage(ctx context.Context, typ string, r *push.Rule, why string) error {
	if r.Internal && why == "" {
		why = kernel.WhyInternal
	}
	return mgr.WriteUsage(ctx, kernel.UsageEvent{Type: typ, Owner: r.Account, Zone: mgr.net.Site.ID, Resource: r.ID,
		Why: why})
}
