package lb

import (
	"fmt"
	"net/netip"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func internalCommands() []command {
	return []command{
		{
			Name: "createLoadBalancer", About: "Creates an internal load balancer",
			Class: lbClasses + "CreateApplicationLoadBalancerCmd",
			Kind:  kernel.AsyncCreate, Instance: "FirewallRule", Event: "LB.CREATE", Eventful: kernel.EventCreatePlain,
			Action: "creating load balancer",
			Params: []param{
				{Name: "name", Type: "string", Required: true, About: "name of the load balancer"},
				{Name: "description", Type: "string", About: "the description of the load balancer"},
				{Name: "networkid", Type: "uuid:network", Required: true, About: "The guest network the load " +
					"balancer will be created for"},
				{Name: "sourceport", Type: "integer", Required: true, About: "the source port the network " +
					"traffic will be load balanced from"},
				{Name: "algorithm", Type: "string", Required: true, About: "load balancer algorithm (source, " +
					"roundrobin, leastconn)"},
				{Name: "instanceport", Type: "integer", Required: true, About: "the TCP port of the virtual " +
					"machine where the network traffic will be load balanced to"},
				{Name: "sourceipaddress", Type: "string", About: "the source IP address the network traffic will " +
					"be load balanced from"},
				{Name: "sourceipaddressnetworkid", Type: "uuid:network", Required: true, About: "the network id " +
					"of the source ip address"},
				{Name: "scheme", Type: "string", Required: true, About: "the load balancer scheme. Supported " +
					"value in this release is Internal"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the rule " +
					"to the end user or not"},
			},
			Create: createInternal,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				return obj{"loadbalancer": internalAnswer(mgr, mgr.push.LBRuleByUUID(c.Target.UUID))}, nil
			},
			Sync: func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "") },
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return "creating load balancer: " + c.Str("name") + " account: null"
			},
		},
		{
			Name: "deleteLoadBalancer", About: "Deletes an internal load balancer",
			Class: lbClasses + "DeleteApplicationLoadBalancerCmd",
			Kind:  kernel.AsyncCommand, Event: "LB.DELETE", Eventful: kernel.EventAsync, Action: "deleting load " +
				"balancer",
			Params: []param{
				{Name: "id", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer"},
			},
			Check: ownRule, Run: deleteRule,
			Sync:    func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "id") },
			Subject: ruleByID,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("deleting load balancer: %d", c.Target.ID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Load balancer ID: %d", c.Target.ID)
			},
		},
		{
			Name: "listLoadBalancers", About: "Lists internal load balancers",
			Params: kernel.ListParams(param{Name: "id", Type: "uuid:lbrule", About: "the ID of the load balancer"},
				param{Name: "networkid", Type: "uuid:network", About: "the network ID of the load balancer"}),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				var out []obj
				for _, r := range mgr.push.LBRules.All() {
					if r.Internal && tenancy.Visible(mgr.tenancy, c, r.Account) &&
						(!c.Has("id") || c.Str("id") == r.UUID) && (!c.Has("networkid") ||
						c.Str("networkid") == r.Network.UUID) {
						out = append(out, internalAnswer(mgr, r))
					}
				}
				return c.Page("loadbalancer", out), nil
			},
		},
		{
			Name: "listInternalLoadBalancerVMs", About: "List internal LB VMs.", Admin: true,
			Params: kernel.ListParams(param{Name: "networkid", Type: "uuid:network", About: "list by network id"},
				param{Name: "vpcid", Type: "uuid:vpc", About: "List networks by VPC"}),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				var out []obj
				for _, r := range mgr.push.Balancers {
					if !c.Has("networkid") || c.Str("networkid") == r.Network.UUID {
						out = append(out, obj{"id": r.UUID, "name": r.Name, "state": r.State,
							"role": "INTERNAL_LB_VM", "guestipaddress": r.GuestIP.String(),
							"guestnetworkid": r.Network.UUID, "vpcid": r.VPC.UUID, "linklocalip": r.LinkIP.String()})
					}
				}
				return c.Page("internalloadbalancervm", out), nil
			},
		},
	}
}

// createInternal is the create phase: the rule and its address in the tier are there before the job ends.
func createInternal(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	n, err := net.NetworkParam(mgr.net, c, "networkid")
	if err != nil {
		return kernel.Created{}, err
	}
	from, err := net.NetworkParam(mgr.net, c, "sourceipaddressnetworkid")
	if err != nil {
		return kernel.Created{}, err
	}
	port, instance := c.Integer("sourceport", 0), c.Integer("instanceport", 0)
	switch {
	case c.Str("scheme") != "Internal":
		return kernel.Created{}, api.Invalid("Invalid value for scheme: %s", c.Str("scheme"))
	case from != n || n.VPC == nil || n.Offering.LBProvider() != push.InternalProvider:
		return kernel.Created{}, api.Invalid("Scheme Internal is not supported by the network offering of "+
			"network %s", n.Name)
	case !validAlgorithm(c.Str("algorithm")):
		return kernel.Created{}, api.BadParameter("Invalid algorithm: %s", c.Str("algorithm"))
	case port < 1 || port > 65535 || instance < 1 || instance > 65535:
		return kernel.Created{}, api.BadParameter("Invalid value for port: %d, %d", port, instance)
	}
	if err := tenancy.MayUse(mgr.tenancy, c, n.Account, "network"); err != nil {
		return kernel.Created{}, err
	}
	a, err := internalAddress(mgr, c, n)
	if err != nil {
		return kernel.Created{}, err
	}
	r := &push.Rule{
		Rule: firewall.Rule{Purpose: firewall.PurposeLB, Address: a, Network: n, Account: n.Account, StartPort: port,
			EndPort: port, Protocol: "tcp"},
		Name: c.Str("name"), Text: c.Str("description"), Algorithm: c.Str("algorithm"), PrivateStart: instance,
		PrivateEnd: instance,
		Display:    true, Internal: true,
	}
	if err := storeRule(mgr, c, r, false); err != nil {
		return kernel.Created{}, err
	}
	c.Concerns(kernel.Named("FirewallRule", r.ID, r.UUID, r.Account))
	return kernel.Created{UUID: r.UUID, ID: r.ID}, nil
}

// internalAddress is the tier's address that the caller named, of the rules that are on it already or a new one;
// without a name it is a free one.
func internalAddress(mgr *Manager, c *kernel.Call, n *net.Network) (*net.Address, error) {
	var wanted netip.Addr
	if c.Has("sourceipaddress") {
		var err error
		if wanted, err = netip.ParseAddr(c.Str("sourceipaddress")); err != nil {
			return nil, c.BadValue("sourceipaddress", c.Str("sourceipaddress"))
		}
	}
	for _, r := range mgr.push.LBRules.All() {
		if r.Internal && r.Network == n && r.Address.IP == wanted {
			return r.Address, nil
		}
	}
	ip, err := mgr.compute.GuestAddress(n, wanted)
	if err != nil {
		return nil, err
	}
	return &net.Address{IP: ip, Account: n.Account, Network: n, State: "Allocated"}, nil
}

// internalAnswer is a rule as createLoadBalancer and listLoadBalancers answer it: one rule and its instances.
func internalAnswer(mgr *Manager, r *push.Rule) obj {
	if r == nil {
		return obj{}
	}
	instances := []obj{}
	for _, vm := range mappedVMs(r) {
		instances = append(instances, obj{"id": vm.UUID, "name": vm.Name, "state": vm.State,
			"ipaddress": compute.NICIn(vm, r.Network).IP.String()})
	}
	out := obj{
		"id": r.UUID, "name": r.Name, "algorithm": r.Algorithm, "networkid": r.Network.UUID,
		"sourceipaddress":          r.Address.IP.String(),
		"sourceipaddressnetworkid": r.Network.UUID, "fordisplay": r.Display, "tags": []any{},
		"loadbalancerinstance": instances,
		"loadbalancerrule": []obj{{"sourceport": r.StartPort, "instanceport": r.PrivateStart,
			"state": firewall.ShownState(r.State)}},
	}
	if r.Text != "" {
		out["description"] = r.Text
	}
	mgr.tenancy.Owned(out, r.Account)
	return out
}
