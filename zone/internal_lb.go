package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
)

// Internal load balancing: rules on an address of a tier whose offering has InternalLbVm as its provider, carried out by a
// balancer VM for each such address (ApplicationLoadBalancerManagerImpl, InternalLoadBalancerVMManagerImpl@4.20.0.0). No
// release up to 4.20 takes a source list for them.

const internalProvider = "InternalLbVm"

func (z *Zone) internalCommands() []command {
	return []command{
		{
			name: "createLoadBalancer", about: "Creates an internal load balancer", class: lbClasses + "CreateApplicationLoadBalancerCmd",
			kind: asyncCreate, instance: "FirewallRule", event: "LB.CREATE", eventful: eventCreatePlain, action: "creating load balancer",
			params: []param{
				{"name", "string", true, "name of the load balancer"}, {"description", "string", false, "the description of the load balancer"},
				{"networkid", "uuid:network", true, "The guest network the load balancer will be created for"},
				{"sourceport", "integer", true, "the source port the network traffic will be load balanced from"},
				{"algorithm", "string", true, "load balancer algorithm (source, roundrobin, leastconn)"},
				{"instanceport", "integer", true, "the TCP port of the virtual machine where the network traffic will be load balanced to"},
				{"sourceipaddress", "string", false, "the source IP address the network traffic will be load balanced from"},
				{"sourceipaddressnetworkid", "uuid:network", true, "the network id of the source ip address"},
				{"scheme", "string", true, "the load balancer scheme. Supported value in this release is Internal"},
				{"fordisplay", "boolean", false, "an optional field, whether to the display the rule to the end user or not"},
			},
			create: createInternal,
			run: func(z *Zone, c *call) (obj, error) {
				return obj{"loadbalancer": z.internalAnswer(z.lbRuleByUUID(c.target.uuid))}, nil
			},
			sync:     func(z *Zone, c *call) string { return ruleSync(z, c, "") },
			describe: func(z *Zone, c *call) string { return "creating load balancer: " + c.str("name") + " account: null" },
			detail:   func(z *Zone, c *call) string { return "" },
		},
		{
			name: "deleteLoadBalancer", about: "Deletes an internal load balancer", class: lbClasses + "DeleteApplicationLoadBalancerCmd",
			kind: asyncCommand, event: "LB.DELETE", eventful: eventAsync, action: "deleting load balancer",
			params: []param{{"id", "uuid:lbrule", true, "the ID of the load balancer"}},
			check:  ownRule, run: deleteRule,
			sync: func(z *Zone, c *call) string { return ruleSync(z, c, "id") },
			describe: func(z *Zone, c *call) string {
				concernsRule(z, c, "id")
				return fmt.Sprintf("deleting load balancer: %d", c.target.id)
			},
			detail: func(z *Zone, c *call) string { c.owner = nil; return fmt.Sprintf("Load balancer ID: %d", c.target.id) },
		},
		{
			name: "listLoadBalancers", about: "Lists internal load balancers",
			params: listParams(param{"id", "uuid:lbrule", false, "the ID of the load balancer"}, param{"networkid", "uuid:network", false, "the network ID of the load balancer"}),
			run: func(z *Zone, c *call) (obj, error) {
				var out []obj
				for _, r := range z.lbRules {
					if r.Internal && visible(z, c, r.Account) && (!c.has("id") || c.str("id") == r.UUID) && (!c.has("networkid") || c.str("networkid") == r.Network.UUID) {
						out = append(out, z.internalAnswer(r))
					}
				}
				return c.page("loadbalancer", out), nil
			},
		},
		{
			name: "listInternalLoadBalancerVMs", about: "List internal LB VMs.", admin: true,
			params: listParams(param{"networkid", "uuid:network", false, "list by network id"}, param{"vpcid", "uuid:vpc", false, "List networks by VPC"}),
			run: func(z *Zone, c *call) (obj, error) {
				var out []obj
				for _, r := range z.balancers {
					if !c.has("networkid") || c.str("networkid") == r.Network.UUID {
						out = append(out, obj{"id": r.UUID, "name": r.Name, "state": r.State, "role": "INTERNAL_LB_VM", "guestipaddress": r.GuestIP.String(),
							"guestnetworkid": r.Network.UUID, "vpcid": r.VPC.UUID, "linklocalip": r.LinkIP.String()})
					}
				}
				return c.page("internalloadbalancervm", out), nil
			},
		},
	}
}

// createInternal is the create phase: the rule and its address in the tier are there before the job ends.
func createInternal(z *Zone, c *call) (created, error) {
	n, err := networkParam(z, c, "networkid")
	if err != nil {
		return created{}, err
	}
	from, err := networkParam(z, c, "sourceipaddressnetworkid")
	if err != nil {
		return created{}, err
	}
	port, instance := c.integer("sourceport", 0), c.integer("instanceport", 0)
	switch {
	case c.str("scheme") != "Internal":
		return created{}, api.Invalid("Invalid value for scheme: %s", c.str("scheme"))
	case from != n || n.VPC == nil || n.Offering.lbProvider() != internalProvider:
		return created{}, api.Invalid("Scheme Internal is not supported by the network offering of network %s", n.Name)
	case !validAlgorithm(c.str("algorithm")):
		return created{}, api.BadParameter("Invalid algorithm: %s", c.str("algorithm"))
	case port < 1 || port > 65535 || instance < 1 || instance > 65535:
		return created{}, api.BadParameter("Invalid value for port: %d, %d", port, instance)
	}
	if err := mayUse(z, c, n.Account, "network"); err != nil {
		return created{}, err
	}
	a, err := internalAddress(z, c, n)
	if err != nil {
		return created{}, err
	}
	r := &LBRule{
		rule: rule{Purpose: purposeLB, Address: a, Network: n, Account: n.Account, StartPort: port, EndPort: port, Protocol: "tcp"},
		Name: c.str("name"), Text: c.str("description"), Algorithm: c.str("algorithm"), PrivateStart: instance, PrivateEnd: instance,
		Display: true, Internal: true,
	}
	if err := storeRule(z, c, r, false); err != nil {
		return created{}, err
	}
	c.concerns("FirewallRule", r.ID, r.UUID, r.Account)
	return created{uuid: r.UUID, id: r.ID}, nil
}

// internalAddress is the tier's address that the caller named, of the rules that are on it already or a new one; without a
// name it is a free one.
func internalAddress(z *Zone, c *call, n *Network) (*Address, error) {
	var wanted netip.Addr
	if c.has("sourceipaddress") {
		var err error
		if wanted, err = netip.ParseAddr(c.str("sourceipaddress")); err != nil {
			return nil, c.badValue("sourceipaddress", c.str("sourceipaddress"))
		}
	}
	for _, r := range z.lbRules {
		if r.Internal && r.Network == n && r.Address.IP == wanted {
			return r.Address, nil
		}
	}
	ip, err := z.guestAddress(n, wanted)
	if err != nil {
		return nil, err
	}
	return &Address{IP: ip, Account: n.Account, Network: n, State: "Allocated"}, nil
}

// internalAnswer is a rule as createLoadBalancer and listLoadBalancers answer it: one rule and its instances.
func (z *Zone) internalAnswer(r *LBRule) obj {
	if r == nil {
		return obj{}
	}
	instances := []obj{}
	for _, vm := range mappedVMs(r) {
		instances = append(instances, obj{"id": vm.UUID, "name": vm.Name, "state": vm.State, "ipaddress": nicIn(vm, r.Network).IP.String()})
	}
	out := obj{
		"id": r.UUID, "name": r.Name, "algorithm": r.Algorithm, "networkid": r.Network.UUID, "sourceipaddress": r.Address.IP.String(),
		"sourceipaddressnetworkid": r.Network.UUID, "fordisplay": r.Display, "tags": []any{}, "loadbalancerinstance": instances,
		"loadbalancerrule": []obj{{"sourceport": r.StartPort, "instanceport": r.PrivateStart, "state": shownState(r.State)}},
	}
	if r.Text != "" {
		out["description"] = r.Text
	}
	z.owned(out, r.Account)
	return out
}

// pushTargets are the machines that carry out the rules of a network: its routers, or the balancer VMs of its internal
// addresses, which are made when their first member comes.
func (z *Zone) pushTargets(ctx context.Context, n *Network) ([]*Router, error) {
	if n == nil || n.Offering.lbProvider() != internalProvider {
		return z.routersOf(n), nil
	}
	var all []*Router
	for _, r := range z.lbRules {
		if !r.Internal || r.Network != n || n.State != "Implemented" {
			continue
		}
		b, err := z.balancerVM(ctx, n, r.Address.IP)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, b) {
			all = append(all, b)
		}
	}
	return all, nil
}

func (z *Zone) balancerVM(ctx context.Context, n *Network, ip netip.Addr) (*Router, error) {
	for _, b := range z.balancers {
		if b.Network == n && b.GuestIP == ip {
			return b, nil
		}
	}
	b := &Router{UUID: z.uuid(), VPC: n.VPC, Network: n, Internal: true, PublicIP: ip, GuestIP: ip, State: "Stopped",
		Host: z.hosts[z.number(len(z.hosts))], NICUUID: z.uuid(), Created: z.now()}
	id, err := z.insert(ctx, "cloud.vm_instance", obj{
		"name": "", "uuid": b.UUID, "instance_name": "", "state": b.State, "guest_os_id": 15, "data_center_id": zoneID,
		"vm_template_id": z.site.RouterTemplate.ID, "vnc_password": "", "created": b.Created, "type": "InternalLoadBalancerVm", "vm_type": "InternalLoadBalancerVm",
		"account_id": n.Account.ID, "domain_id": n.Account.Domain.ID, "service_offering_id": z.site.RouterOffering.ID, "hypervisor_type": "Simulator",
	})
	if err != nil {
		return nil, err
	}
	z.ids["cloud.volumes"]++ // its root disk
	z.ids["link addresses"]++
	link := z.ids["link addresses"]
	b.LinkIP = netip.AddrFrom4([4]byte{169, 254, byte(1 + link/200), byte(2 + link%200)})
	b.ID, b.Name = id, fmt.Sprintf("b-%d-VM", id)
	z.balancers = append(z.balancers, b)
	if err := z.update(ctx, "cloud.vm_instance", id, obj{"name": b.Name, "instance_name": b.Name}); err != nil {
		return nil, err
	}
	return b, z.setRouter(ctx, b, "Running")
}

// destroyBalancers ends the balancer VMs of a network that goes.
func (z *Zone) destroyBalancers(ctx context.Context, n *Network) error {
	for _, b := range slices.Clone(z.balancers) {
		if b.Network != n {
			continue
		}
		if err := z.setRouter(ctx, b, "Destroyed"); err != nil {
			return err
		}
		z.balancers = slices.DeleteFunc(z.balancers, func(o *Router) bool { return o == b })
		if err := z.update(ctx, "cloud.vm_instance", b.ID, obj{"state": "Expunging", "removed": z.now()}); err != nil {
			return err
		}
	}
	return nil
}
