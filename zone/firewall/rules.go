package firewall

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// firewallCommands are port forwarding, firewall and static NAT: what shares the rules' id sequence with load
// balancing.
func firewallCommands() []command {
	return slices.Concat(pfCommands(), pfOtherCommands(), fwCommands(), fwOtherCommands(), egressCommands(),
		staticNATCommands())
}

func fwCommands() []command {
	return []command{
		{
			Name: "createFirewallRule", About: "Creates a firewall rule for a given IP address",
			Class: firewallClasses + "CreateFirewallRuleCmd",
			Kind:  kernel.AsyncCreate, Instance: "FirewallRule", Event: "FIREWALL.OPEN",
			Eventful: kernel.EventCreateAsync, Action: "creating firewall rule",
			Params: []param{
				{Name: "ipaddressid", Type: "uuid:address", Required: true, About: "the IP address id of the " +
					"port forwarding rule"},
				{Name: "protocol", Type: "string", Required: true, About: "the protocol for the firewall rule. " +
					"Valid values are TCP/UDP/ICMP."},
				{Name: "startport", Type: "integer", About: "the starting port of firewall rule"},
				{Name: "endport", Type: "integer", About: "the ending port of firewall rule"},
				{Name: "cidrlist", Type: "list", About: "the CIDR list to forward traffic from. Multiple entries " +
					"must be separated by a single comma character (,)."},
				{Name: "icmptype", Type: "integer", About: "type of the ICMP message being sent"},
				{Name: "icmpcode", Type: "integer", About: "error code for this icmp message"},
				{Name: "type", Type: "string", About: "type of firewallrule: system/user"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the rule " +
					"to the end user or not"},
			},
			Create: createFW, Run: finishFW,
			Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
				return ruleSubject(mgr.FWRuleByUUID(c.Target.UUID))
			},
			Describe: func(mgr *Manager, c *kernel.Call) string {
				if fw := mgr.FWRuleByUUID(c.Target.UUID); fw != nil {
					return fmt.Sprintf("Creating firewall rule for IP: %s for protocol:%s", fw.Address.IP,
						c.Str("protocol"))
				}
				return "Creating firewall rule"
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				switch {
				case c.Target.ID == 0:
					return ""
				case c.Job == nil:
					return fmt.Sprintf("Rule Id: %d", c.Target.ID)
				}
				return fmt.Sprintf("Rule ID: %d", c.Target.ID)
			},
		},
	}
}

func fwOtherCommands() []command {
	return []command{
		{
			Name: "deleteFirewallRule", About: "Deletes a firewall rule",
			Class: firewallClasses + "DeleteFirewallRuleCmd",
			Kind:  kernel.AsyncCommand, Event: "FIREWALL.CLOSE", Eventful: kernel.EventAsync,
			Action: "revoking firewall rule",
			Params: []param{
				{Name: "id", Type: "uuid:fwrule", Required: true, About: "the ID of the firewall rule"},
			},
			Run: deleteFW,
			Check: func(mgr *Manager, c *kernel.Call) error {
				fw, err := fwRuleParam(mgr, c, "id")
				if err != nil {
					return err
				}
				return tenancy.MayUse(mgr.tenancy, c, fw.Account, "firewall rule")
			},
			Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
				return ruleSubject(mgr.FWRuleByUUID(c.Str("id")))
			},
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Deleting firewall rule ID=%d", c.Target.ID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Rule Id: %d", c.Target.ID)
			},
		},
		{
			Name: "listFirewallRules", About: "Lists all firewall rules for an IP address.",
			Params: kernel.TaggedParams(
				param{Name: "id", Type: "uuid:fwrule", About: "Lists rule with the specified ID."},
				param{Name: "ipaddressid", Type: "uuid:address", About: "the ID of IP address of the firewall " +
					"services"},
				param{Name: "networkid", Type: "uuid:network", About: "list firewall rules for certain network"},
				param{Name: "fordisplay", Type: "boolean", About: "list resources by display flag; only ROOT " +
					"admin is eligible to pass this parameter"},
			),
			Run: listFW,
		},
	}
}

func createFW(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "FirewallRule"
	a, err := net.AddressParam(mgr.net, c, "ipaddressid")
	if err != nil {
		return kernel.Created{}, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, a.Account, "ip address"); err != nil {
		return kernel.Created{}, err
	}
	cidrs := c.List("cidrlist")
	for _, one := range cidrs {
		if _, err := netip.ParsePrefix(one); err != nil {
			return kernel.Created{}, api.BadParameter("Source CIDRs formatting error %s", one)
		}
	}
	if len(cidrs) == 0 {
		cidrs = []string{"0.0.0.0/0"}
	}
	start := c.Integer("startport", 0)
	fw := &Rule{
		Purpose: purposeFirewall, Address: a, Network: a.Network, Account: a.Account, StartPort: start,
		EndPort:  c.Integer("endport", start),
		Protocol: strings.ToLower(c.Str("protocol")), CIDRs: cidrs,
	}
	if a.VPC != nil && mgr.On(release.VPCFirewall) {
		fw.Network, fw.VPC = nil, a.VPC
	}
	if err := checkFW(mgr, c, fw); err != nil {
		return kernel.Created{}, err
	}
	if err := storeFW(mgr, c, fw); err != nil {
		return kernel.Created{}, err
	}
	c.EventResource = fw.ID
	return kernel.Created{UUID: fw.UUID, ID: fw.ID}, nil
}

func checkFW(mgr *Manager, c *kernel.Call, fw *Rule) error {
	icmp := fw.Protocol == "icmp"
	switch {
	case fw.ofVPC() && !fw.VPC.Offering.Has("Firewall"):
		return api.Invalid("Firewall service is not supported in VPC %s", mgr.ObjectText(fw.VPC.Name, "VPC", "id",
			fw.VPC.ID, "name", fw.VPC.Name, "uuid", fw.VPC.UUID))
	case fw.ofVPC(): // the rule is for all tiers
	case fw.Network == nil:
		return api.Invalid("Unable to create firewall rule for the IP address ID=%d as IP is not associated with "+
			"any network", fw.Address.ID)
	case !slices.Contains(fw.Network.Offering.Services, "Firewall"):
		return api.Invalid("Service Firewall is not supported in network id= %d", fw.Network.ID)
	}
	switch {
	case !validPort(fw.StartPort):
		return api.Invalid("publicPort is an invalid value: %d", fw.StartPort)
	case !validPort(fw.EndPort):
		return api.Invalid("Public port range is an invalid value: %d", fw.EndPort)
	case fw.StartPort > fw.EndPort:
		return api.Invalid("Start port can't be bigger than end port")
	case !slices.Contains([]string{"tcp", "udp", "icmp", "all"}, fw.Protocol):
		return api.Invalid("Protocol %s is not supported in zone %d", fw.Protocol, mgr.net.Site.ID)
	case !icmp && (c.Has("icmptype") || c.Has("icmpcode")):
		return api.Invalid("Can specify icmpCode and icmpType for ICMP protocol only")
	case icmp && fw.StartPort != 0:
		return api.Invalid("Can't specify start/end port when protocol is ICMP")
	}
	return nil
}

// storeFW writes the row; a conflict takes it back and uses up its id.
func storeFW(mgr *Manager, c *kernel.Call, fw *Rule) error {
	if err := mgr.InsertRule(c.Ctx, fw); err != nil {
		return err
	}
	mgr.FWRules.Add(fw)
	if fw.Related == nil {
		if err := mgr.Conflict(fw); err != nil {
			if undo := mgr.RemoveFWRule(c.Ctx, fw); undo != nil {
				mgr.Log.Error("removing a conflicting rule", "rule", fw.ID, "err", undo)
			}
			return err
		}
	}
	return mgr.SetRuleState(c.Ctx, fw, StateAdd)
}

// OpenFor makes the firewall rule of openfirewall=true: it takes an id of its own after the rule it is for.
func OpenFor(mgr *Manager, c *kernel.Call, r *Rule) error {
	fw := &Rule{
		Purpose: purposeFirewall, Address: r.Address, Network: r.Network, Account: r.Account, StartPort: r.StartPort,
		EndPort:  r.EndPort,
		Protocol: r.Protocol, CIDRs: []string{"0.0.0.0/0"}, Related: r,
	}
	return storeFW(mgr, c, fw)
}

func finishFW(mgr *Manager, c *kernel.Call) (obj, error) {
	fw := mgr.FWRuleByUUID(c.Target.UUID)
	if fw == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create " +
			"firewall rule"}
	}
	if mgr.blocked(fw) {
		return nil, errors.Join(api.Internal("Failed to create firewall rule"),
			mgr.SetRuleState(c.Ctx, fw, StateRevoke))
	}
	for _, other := range mgr.FWRules.All() {
		if other.Address == fw.Address && other.State == StateRevoke {
			if err := mgr.RemoveFWRule(c.Ctx, other); err != nil {
				return nil, err
			}
		}
		if other.Address == fw.Address && other.State == StateAdd {
			if err := mgr.SetRuleState(c.Ctx, other, StateActive); err != nil {
				return nil, err
			}
		}
	}
	return obj{"firewallrule": mgr.fwAnswer(fw)}, nil
}

func deleteFW(mgr *Manager, c *kernel.Call) (obj, error) {
	fw, err := fwRuleParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if err := mgr.RemoveFWRule(c.Ctx, fw); err != nil {
		return nil, err
	}
	c.EventResource, c.Target.UUID = 0, ""
	return obj{"success": true}, nil
}

// RemoveFWRule deletes a firewall rule for good.
func (mgr *Manager) RemoveFWRule(ctx context.Context, fw *Rule) error {
	if err := mgr.Remove(ctx, "cloud.firewall_rules", fw.ID); err != nil {
		return err
	}
	mgr.FWRules.Remove(fw)
	return nil
}

// RevokeRelated deletes the firewall rules that were opened with a rule.
func (mgr *Manager) RevokeRelated(ctx context.Context, r *Rule) error {
	for _, fw := range mgr.FWRules.All() {
		if fw.Related == r {
			if err := mgr.RemoveFWRule(ctx, fw); err != nil {
				return err
			}
		}
	}
	return nil
}

func listFW(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, fw := range slices.Backward(mgr.FWRules.All()) {
		switch {
		case !tenancy.Visible(mgr.tenancy, c, fw.Account), c.Has("id") && fw.UUID != c.Str("id"):
		case c.Has("ipaddressid") && fw.Address.UUID != c.Str("ipaddressid"):
		case c.Has("networkid") && (fw.ofVPC() || fw.Network.UUID != c.Str("networkid")):
		case c.Has("fordisplay") && !c.Boolean("fordisplay", true):
		default:
			out = append(out, mgr.fwAnswer(fw))
		}
	}
	return c.Page("firewallrule", out), nil
}

// fwAnswer has its ports as numbers, unlike the other rules.
func (mgr *Manager) fwAnswer(fw *Rule) obj {
	out := obj{
		"id": fw.UUID, "protocol": fw.Protocol, "ipaddressid": fw.Address.UUID,
		"ipaddress": fw.Address.IP.String(), "state": ShownState(fw.State), "cidrlist": strings.Join(fw.CIDRs, ","),
		"tags": mgr.tenancy.Tagged(fw.UUID), "fordisplay": true,
	}
	if fw.ofVPC() {
		out["vpcid"] = fw.VPC.UUID
	} else {
		out["networkid"] = fw.Network.UUID
	}
	if fw.StartPort != 0 {
		out["startport"], out["endport"] = fw.StartPort, fw.EndPort
	}
	mgr.NewField(out, "destcidrlist", "")
	mgr.NewField(out, "traffictype", "Ingress")
	return out
}

// ruleSubject is what the events of a rule name; nothing for nil.
func ruleSubject(r *Rule) kernel.Subject {
	if r == nil {
		return kernel.Subject{}
	}
	return kernel.Named("FirewallRule", r.ID, r.UUID, r.Account)
}

// forwardingSubject is what the events of a port forwarding rule name; nothing for nil.
func forwardingSubject(pf *PFRule) kernel.Subject {
	if pf == nil {
		return kernel.Subject{}
	}
	return ruleSubject(&pf.Rule)
}
