package lb

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func lbListCommand() command {
	return command{
		Name: "listLoadBalancerRules", About: "Lists load balancer rules.",
		Params: kernel.TaggedParams(
			param{Name: "id", Type: "uuid:lbrule", About: "the ID of the load balancer rule"},
			param{Name: "name", Type: "string", About: "the name of the load balancer rule"},
			param{Name: "publicipid", Type: "uuid:address", About: "the public IP address ID of the load " +
				"balancer rule"},
			param{Name: "virtualmachineid", Type: "uuid:vm", About: "the ID of the virtual machine of the load " +
				"balancer rule"},
			param{Name: "zoneid", Type: "uuid:zone", About: "the availability zone ID"},
			param{Name: "networkid", Type: "uuid:network", About: "list by network ID the rule belongs to"},
			param{Name: "tags", Type: "map", About: "List resources by tags (key/value pairs)"},
			param{Name: "fordisplay", Type: "boolean", About: "list resources by display flag; only ROOT admin " +
				"is eligible to pass this parameter"},
		),
		Run: listRules,
	}
}

func lbInstancesCommand() command {
	return command{
		Name: "listLoadBalancerRuleInstances", About: "List all virtual machine instances that are assigned to a " +
			"load balancer rule.",
		Params: kernel.ListParams(
			param{Name: "id", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer rule"},
			param{Name: "applied", Type: "boolean", About: "true if listing all virtual machines currently " +
				"applied to the load balancer rule; default is true"},
			param{Name: "lbvmips", Type: "boolean", About: "true if load balancer rule VM IP information to be " +
				"included; default is false"},
		),
		Run: listRuleInstances,
	}
}

func listRules(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, r := range mgr.push.LBRules.All() {
		if !WantsRule(mgr, c, r) {
			continue
		}
		for range mgr.rowsOf(c, r) {
			out = append(out, RuleAnswer(mgr, r))
		}
	}
	return c.Page("loadbalancerrule", out), nil
}

// rowsOf is how many rows the query of the release has for a rule: a join that is not made distinct has one a member.
func (mgr *Manager) rowsOf(c *kernel.Call, r *push.Rule) int {
	if !c.Has("virtualmachineid") || !mgr.On(release.SoftDeleteJoinBlind) {
		return 1
	}
	return len(mgr.joinedVM(c, r))
}

func (mgr *Manager) joinedVM(c *kernel.Call, r *push.Rule) []*push.Member {
	return slices.DeleteFunc(slices.Clone(mgr.joined(r)),
		func(m *push.Member) bool { return m.VM.UUID != c.Str("virtualmachineid") })
}

// WantsRule applies every filter of listLoadBalancerRules.
func WantsRule(mgr *Manager, c *kernel.Call, r *push.Rule) bool {
	name, keyword := c.Str("name"), strings.ToLower(c.Str("keyword"))
	switch {
	case !tenancy.Visible(mgr.tenancy, c, r.Account), r.Internal:
	case c.Has("id") && r.UUID != c.Str("id"):
	case name != "" && !strings.EqualFold(r.Name, name):
	case keyword != "" && !strings.Contains(strings.ToLower(r.Name), keyword) &&
		!strings.Contains(strings.ToLower(r.Text), keyword):
	case c.Has("publicipid") && r.Address.UUID != c.Str("publicipid"):
	case c.Has("networkid") && r.Network.UUID != c.Str("networkid"):
	case c.Has("fordisplay") && r.Display != c.Boolean("fordisplay", true):
	case c.Has("virtualmachineid") && len(mgr.joinedVM(c, r)) == 0:
	default:
		return true
	}
	return false
}

// listRuleInstances lists the mapped VMs, or with applied=false the others of the network. From 4.19 on that is empty:
// every mapping counts as applied (LoadBalancingRulesManagerImpl.listLoadBalancerInstances@4.20.0.0).
func listRuleInstances(mgr *Manager, c *kernel.Call) (obj, error) {
	if gone := mgr.push.GoneRule(c.Str("id")); gone != nil {
		return nil, api.Internal("Unable to find the load balancer with ID: %d", gone.ID)
	}
	r, err := LBRuleParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule"); err != nil {
		return nil, err
	}
	withIPs, key := c.Boolean("lbvmips", false), "loadbalancerruleinstance"
	if withIPs {
		key = "lbrulevmidip"
	}
	var out []obj
	vms := mappedVMs(r)
	if !c.Boolean("applied", true) {
		vms = mgr.unmapped(r)
	}
	for _, vm := range vms {
		if slices.Contains([]string{"Destroyed", "Expunging", "Error", "Unknown"},
			vm.State) {
			continue
		}
		answer := mgr.compute.VMAnswer(vm)
		if withIPs {
			answer = obj{"loadbalancerruleinstance": answer, "lbvmipaddresses": addressesOf(r, vm)}
		}
		out = append(out, answer)
	}
	return c.Page(key, out), nil
}

// unmapped are the account's VMs of a rule's network that are not behind it, as far as the release lists them.
func (mgr *Manager) unmapped(r *push.Rule) []*compute.VM {
	if mgr.On(release.UnappliedNeverListed) {
		return nil
	}
	mapped := mappedVMs(r)
	return slices.DeleteFunc(slices.Clone(mgr.compute.VMs.All()), func(vm *compute.VM) bool {
		return vm.Account != r.Account || !vm.Removed.IsZero() || compute.NICIn(vm, r.Network) == nil ||
			slices.Contains(mapped, vm)
	})
}

// mappedVMs lists a rule's VMs once each, in the order of their ids.
func mappedVMs(r *push.Rule) []*compute.VM {
	var vms []*compute.VM
	for _, m := range r.Members {
		if !slices.Contains(vms, m.VM) {
			vms = append(vms, m.VM)
		}
	}
	slices.SortFunc(vms, func(a, b *compute.VM) int { return int(a.ID - b.ID) })
	return vms
}

func addressesOf(r *push.Rule, vm *compute.VM) []string {
	var ips []string
	for _, m := range r.Members {
		if m.VM == vm {
			ips = append(ips, m.IP.String())
		}
	}
	return ips
}
