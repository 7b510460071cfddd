package firewall

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// egressCommands are the firewall rules of what leaves an isolated network. They share the rules' id sequence.
func egressCommands() []command {
	return []command{
		{
			Name: "createEgressFirewallRule", About: "Creates a egress firewall rule for a given network",
			Class: firewallClasses + "CreateEgressFirewallRuleCmd",
			Kind:  kernel.AsyncCreate, Instance: "FirewallRule", Event: "FIREWALL.EGRESS.OPEN",
			Eventful: kernel.EventCreateAsync, Action: "creating egress firewall rule for network",
			Params: []param{
				{Name: "networkid", Type: "uuid:network", Required: true, About: "the network id of the port " +
					"forwarding " +
					"rule"},
				{Name: "protocol", Type: "string", Required: true, About: "the protocol for the firewall rule. Valid " +
					"values are TCP/UDP/ICMP."},
				{Name: "startport", Type: "integer", About: "the starting port of firewall rule"},
				{Name: "endport", Type: "integer", About: "the ending port of firewall rule"},
				{Name: "cidrlist", Type: "list", About: "the cidr list to forward traffic from"},
				{Name: "destcidrlist", Type: "list", About: "the cidr list to forward traffic to"},
				{Name: "icmptype", Type: "integer", About: "type of the ICMP message being sent"},
				{Name: "icmpcode", Type: "integer", About: "error code for this icmp message"},
			},
			Create: createEgress,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				r := mgr.egressByUUID(c.Target.UUID)
				if r == nil {
					return nil, api.Internal("Failed to create egress firewall rule")
				}
				return obj{"firewallrule": mgr.egressAnswer(r)}, mgr.SetRuleState(c.Ctx, r, StateActive)
			},
			Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
				return ruleSubject(mgr.egressByUUID(c.Target.UUID))
			},
		},
		{
			Name: "deleteEgressFirewallRule", About: "Deletes an egress firewall rule",
			Class: firewallClasses + "DeleteEgressFirewallRuleCmd",
			Kind:  kernel.AsyncCommand, Event: "FIREWALL.EGRESS.CLOSE", Eventful: kernel.EventAsync,
			Action: "revoking egress firewall rule",
			Params: []param{{Name: "id", Type: "uuid:egress", Required: true, About: "the ID of the firewall rule"}},
			Run:    deleteEgress,
			Check: func(mgr *Manager, c *kernel.Call) error {
				fw, err := kernel.Lookup(c, "id", mgr.egressByUUID)
				if err != nil {
					return err
				}
				return tenancy.MayUse(mgr.tenancy, c, fw.Account, "firewall rule")
			},
			Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
				return ruleSubject(mgr.egressByUUID(c.Str("id")))
			},
		},
		{
			Name: "listEgressFirewallRules", About: "Lists all egress firewall rules for network ID.",
			Params: kernel.TaggedParams(
				param{Name: "id", Type: "uuid:egress", About: "Lists rule with the specified ID."},
				param{Name: "networkid", Type: "uuid:network", About: "the network ID for the egress firewall " +
					"services"}),
			Run: listEgress,
		},
	}
}

func createEgress(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	n, err := net.NetworkParam(mgr.net, c, "networkid")
	if err != nil {
		return kernel.Created{}, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, n.Account, "network"); err != nil {
		return kernel.Created{}, err
	}
	start := c.Integer("startport", 0)
	r := &Rule{Purpose: purposeFirewall, Traffic: "Egress", Network: n, Account: n.Account, StartPort: start,
		EndPort: c.Integer("endport", start), Protocol: strings.ToLower(c.Str("protocol")), CIDRs: c.List("cidrlist"),
		Destinations: c.List("destcidrlist")}
	for _, one := range slices.Concat(r.CIDRs, r.Destinations) {
		if _, err := netip.ParsePrefix(one); err != nil {
			return kernel.Created{}, api.BadParameter("Source CIDRs formatting error %s", one)
		}
	}
	if len(r.CIDRs) == 0 {
		r.CIDRs = []string{n.CIDR.String()}
	}
	if err := checkEgress(mgr, r); err != nil {
		return kernel.Created{}, err
	}
	if err := mgr.InsertRule(c.Ctx, r); err != nil {
		return kernel.Created{}, err
	}
	mgr.Egress.Add(r)
	c.EventResource, c.EventResourceType = r.ID, "FirewallRule"
	return kernel.Created{UUID: r.UUID, ID: r.ID}, mgr.SetRuleState(c.Ctx, r, StateAdd)
}

func checkEgress(mgr *Manager, r *Rule) error {
	switch {
	case !slices.Contains(r.Network.Offering.Services, "Firewall"):
		return api.Invalid("Egress firewall rules are not supported for %s", "network "+r.Network.UUID)
	case !validPort(r.StartPort) || !validPort(r.EndPort) || r.StartPort > r.EndPort:
		return api.Invalid("Start port can't be bigger than end port, and ports are between 0 and 65535")
	case !slices.Contains([]string{"tcp", "udp", "icmp", "all"}, r.Protocol):
		return api.Invalid("Protocol %s is not supported in zone %d", r.Protocol, mgr.net.Site.ID)
	case r.StartPort != 0 && (r.Protocol == "icmp" || r.Protocol == "all"):
		return api.Invalid("Can't specify start/end port when protocol is %s", strings.ToUpper(r.Protocol))
	}
	for _, o := range mgr.Egress.All() {
		if o.Network == r.Network && o.Protocol == r.Protocol && slices.Equal(o.CIDRs, r.CIDRs) &&
			slices.Equal(o.Destinations, r.Destinations) && o.StartPort <= r.EndPort && r.StartPort <= o.EndPort {
			return api.Conflict("There is already a firewall rule with protocol %s and these ports", r.Protocol)
		}
	}
	return nil
}

func listEgress(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, r := range slices.Backward(mgr.Egress.All()) {
		if !tenancy.Visible(mgr.tenancy, c, r.Account) || c.Has("id") && r.UUID != c.Str("id") ||
			c.Has("networkid") && r.Network.UUID != c.Str("networkid") {
			continue
		}
		out = append(out, mgr.egressAnswer(r))
	}
	return c.Page("firewallrule", out), nil
}

func (mgr *Manager) egressAnswer(r *Rule) obj {
	out := obj{"id": r.UUID, "protocol": r.Protocol, "networkid": r.Network.UUID, "state": ShownState(r.State),
		"cidrlist": strings.Join(r.CIDRs, ","), "destcidrlist": strings.Join(r.Destinations, ","),
		"traffictype": "Egress", "tags": mgr.tenancy.Tagged(r.UUID), "fordisplay": true}
	if r.StartPort != 0 {
		out["startport"], out["endport"] = r.StartPort, r.EndPort
	}
	return out
}

// egressByUUID finds the egress rule with a uuid; nil for none.
func (mgr *Manager) egressByUUID(u string) *Rule {
	return mgr.Egress.ByUUID(u)
}

func deleteEgress(mgr *Manager, c *kernel.Call) (obj, error) {
	r, err := kernel.Lookup(c, "id", mgr.egressByUUID)
	if err != nil {
		return nil, err
	}
	return obj{"success": true}, mgr.removeEgress(c.Ctx, r)
}

func (mgr *Manager) removeEgress(ctx context.Context, r *Rule) error {
	if err := mgr.Remove(ctx, "cloud.firewall_rules", r.ID); err != nil {
		return err
	}
	mgr.Egress.Remove(r)
	return nil
}

// DropEgress deletes the egress rules of a network that goes.
func (mgr *Manager) DropEgress(ctx context.Context, n *net.Network) error {
	for _, r := range mgr.Egress.All() {
		if r.Network == n {
			if err := mgr.removeEgress(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}
