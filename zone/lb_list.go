package zone

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/fault"
)

func lbListCommand() command {
	return command{
		name: "listLoadBalancerRules", about: "Lists load balancer rules.",
		params: listParams(
			param{"id", "uuid:lbrule", false, "the ID of the load balancer rule"},
			param{"name", "string", false, "the name of the load balancer rule"},
			param{"publicipid", "uuid:address", false, "the public IP address ID of the load balancer rule"},
			param{"virtualmachineid", "uuid:vm", false, "the ID of the virtual machine of the load balancer rule"},
			param{"zoneid", "uuid:zone", false, "the availability zone ID"},
			param{"networkid", "uuid:network", false, "list by network ID the rule belongs to"},
			param{"tags", "map", false, "List resources by tags (key/value pairs)"},
			param{"fordisplay", "boolean", false, "list resources by display flag; only ROOT admin is eligible to pass this parameter"},
		),
		run: listRules,
	}
}

func lbInstancesCommand() command {
	return command{
		name: "listLoadBalancerRuleInstances", about: "List all virtual machine instances that are assigned to a load balancer rule.",
		params: listParams(
			param{"id", "uuid:lbrule", true, "the ID of the load balancer rule"},
			param{"applied", "boolean", false, "true if listing all virtual machines currently applied to the load balancer rule; default is true"},
			param{"lbvmips", "boolean", false, "true if load balancer rule VM IP information to be included; default is false"},
		),
		run: listRuleInstances,
	}
}

func listRules(z *Zone, c *call) (obj, error) {
	var out []obj
	rules := append(slices.Clone(z.lbRules), z.ghosts...)
	for _, r := range rules {
		if wantsRule(z, c, r) {
			out = append(out, z.ruleAnswer(r))
		}
	}
	return c.page("loadbalancerrule", out), nil
}

// wantsRule applies every filter of listLoadBalancerRules. No resource carries tags here, so a tag matches nothing.
func wantsRule(z *Zone, c *call, r *LBRule) bool {
	name, keyword := c.str("name"), strings.ToLower(c.str("keyword"))
	switch {
	case !visible(z, c, r.Account), c.hasMap("tags"), r.Internal:
	case c.has("id") && r.UUID != c.str("id"):
	case name != "" && !strings.EqualFold(r.Name, name):
	case keyword != "" && !strings.Contains(strings.ToLower(r.Name), keyword) && !strings.Contains(strings.ToLower(r.Text), keyword):
	case c.has("publicipid") && r.Address.UUID != c.str("publicipid"):
	case c.has("networkid") && r.Network.UUID != c.str("networkid"):
	case c.has("fordisplay") && r.Display != c.boolean("fordisplay", true):
	case c.has("virtualmachineid") && !slices.ContainsFunc(r.Members, func(m *Member) bool { return m.VM.UUID == c.str("virtualmachineid") }):
	case z.knobs[fault.RuleUnlisted] && r.Group != nil && r.Group.Disabled():
	default:
		return true
	}
	return false
}

// listRuleInstances lists the mapped VMs. With applied=false it is empty: every mapping counts as applied
// (LoadBalancingRulesManagerImpl.listLoadBalancerInstances@4.20.0.0).
func listRuleInstances(z *Zone, c *call) (obj, error) {
	r, err := lbRuleParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	if err := mayUse(z, c, r.Account, "load balancer rule"); err != nil {
		return nil, err
	}
	withIPs, key := c.boolean("lbvmips", false), "loadbalancerruleinstance"
	if withIPs {
		key = "lbrulevmidip"
	}
	var out []obj
	vms := mappedVMs(r)
	if n := len(vms); z.knobs[fault.InstanceListShort] && n > 1 {
		vms = vms[:n-1]
	}
	for _, vm := range vms {
		if !c.boolean("applied", true) || slices.Contains([]string{"Destroyed", "Expunging", "Error", "Unknown"}, vm.State) {
			continue
		}
		answer := z.vmAnswer(vm)
		if withIPs {
			answer = obj{"loadbalancerruleinstance": answer, "lbvmipaddresses": addressesOf(r, vm)}
		}
		out = append(out, answer)
	}
	return c.page(key, out), nil
}

// mappedVMs lists a rule's VMs once each, in the order of their ids.
func mappedVMs(r *LBRule) []*VM {
	var vms []*VM
	for _, m := range r.Members {
		if !slices.Contains(vms, m.VM) {
			vms = append(vms, m.VM)
		}
	}
	slices.SortFunc(vms, func(a, b *VM) int { return int(a.ID - b.ID) })
	return vms
}

func addressesOf(r *LBRule, vm *VM) []string {
	var ips []string
	for _, m := range r.Members {
		if m.VM == vm {
			ips = append(ips, m.IP.String())
		}
	}
	return ips
}
