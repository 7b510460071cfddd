package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

// firewallCommands are port forwarding, firewall and static NAT: what shares the rules' id sequence with load balancing.
func (z *Zone) firewallCommands() []command {
	return slices.Concat(pfCommands(), pfOtherCommands(), fwCommands(), fwOtherCommands(), staticNATCommands())
}

func fwCommands() []command {
	return []command{
		{
			name: "createFirewallRule", about: "Creates a firewall rule for a given IP address", class: firewallClasses + "CreateFirewallRuleCmd",
			kind: asyncCreate, instance: "FirewallRule", event: "FIREWALL.OPEN", eventful: eventCreateAsync, action: "creating firewall rule",
			params: []param{
				{"ipaddressid", "uuid:address", true, "the IP address id of the port forwarding rule"},
				{"protocol", "string", true, "the protocol for the firewall rule. Valid values are TCP/UDP/ICMP."},
				{"startport", "integer", false, "the starting port of firewall rule"},
				{"endport", "integer", false, "the ending port of firewall rule"},
				{"cidrlist", "list", false, "the CIDR list to forward traffic from. Multiple entries must be separated by a single comma character (,)."},
				{"icmptype", "integer", false, "type of the ICMP message being sent"},
				{"icmpcode", "integer", false, "error code for this icmp message"},
				{"type", "string", false, "type of firewallrule: system/user"},
				{"fordisplay", "boolean", false, "an optional field, whether to the display the rule to the end user or not"},
			},
			create: createFW, run: finishFW,
			describe: func(z *Zone, c *call) string {
				if fw := z.fwRuleByUUID(c.target.uuid); fw != nil {
					c.concerns("FirewallRule", fw.ID, fw.UUID, fw.Account)
					return fmt.Sprintf("Creating firewall rule for IP: %s for protocol:%s", fw.Address.IP, c.str("protocol"))
				}
				return "Creating firewall rule"
			},
			detail: func(z *Zone, c *call) string {
				switch {
				case c.target.id == 0:
					return ""
				case c.job == nil:
					return fmt.Sprintf("Rule Id: %d", c.target.id)
				}
				c.owner = nil
				return fmt.Sprintf("Rule ID: %d", c.target.id)
			},
		},
	}
}

func fwOtherCommands() []command {
	return []command{
		{
			name: "deleteFirewallRule", about: "Deletes a firewall rule", class: firewallClasses + "DeleteFirewallRuleCmd",
			kind: asyncCommand, event: "FIREWALL.CLOSE", eventful: eventAsync, action: "revoking firewall rule",
			params: []param{{"id", "uuid:fwrule", true, "the ID of the firewall rule"}},
			run:    deleteFW,
			check: func(z *Zone, c *call) error {
				fw, err := fwRuleParam(z, c, "id")
				if err != nil {
					return err
				}
				return mayUse(z, c, fw.Account, "firewall rule")
			},
			describe: func(z *Zone, c *call) string {
				if fw := z.fwRuleByUUID(c.str("id")); fw != nil {
					c.concerns("FirewallRule", fw.ID, fw.UUID, fw.Account)
				}
				return fmt.Sprintf("Deleting firewall rule ID=%d", c.target.id)
			},
			detail: func(z *Zone, c *call) string { c.owner = nil; return fmt.Sprintf("Rule Id: %d", c.target.id) },
		},
		{
			name: "listFirewallRules", about: "Lists all firewall rules for an IP address.",
			params: listParams(
				param{"id", "uuid:fwrule", false, "Lists rule with the specified ID."},
				param{"ipaddressid", "uuid:address", false, "the ID of IP address of the firewall services"},
				param{"networkid", "uuid:network", false, "list firewall rules for certain network"},
				param{"fordisplay", "boolean", false, "list resources by display flag; only ROOT admin is eligible to pass this parameter"},
			),
			run: listFW,
		},
	}
}

func createFW(z *Zone, c *call) (created, error) {
	c.eventResourceType = "FirewallRule"
	a, err := addressParam(z, c, "ipaddressid")
	if err != nil {
		return created{}, err
	}
	if err := mayUse(z, c, a.Account, "ip address"); err != nil {
		return created{}, err
	}
	cidrs := c.list("cidrlist")
	for _, one := range cidrs {
		if _, err := netip.ParsePrefix(one); err != nil {
			return created{}, api.BadParameter("Source CIDRs formatting error %s", one)
		}
	}
	if len(cidrs) == 0 {
		cidrs = []string{"0.0.0.0/0"}
	}
	start := c.integer("startport", 0)
	fw := &rule{
		Purpose: purposeFirewall, Address: a, Network: a.Network, Account: a.Account, StartPort: start, EndPort: c.integer("endport", start),
		Protocol: strings.ToLower(c.str("protocol")), CIDRs: cidrs,
	}
	if err := checkFW(z, c, fw); err != nil {
		return created{}, err
	}
	if err := storeFW(z, c, fw); err != nil {
		return created{}, err
	}
	c.eventResource = fw.ID
	return created{fw.UUID, fw.ID}, nil
}

func checkFW(z *Zone, c *call, fw *rule) error {
	icmp := fw.Protocol == "icmp"
	switch {
	case fw.Network == nil:
		return api.Invalid("Unable to create firewall rule for the IP address ID=%d as IP is not associated with any network", fw.Address.ID)
	case !slices.Contains(fw.Network.Offering.Services, "Firewall"):
		return api.Invalid("Service Firewall is not supported in network id= %d", fw.Network.ID)
	case !validPort(fw.StartPort):
		return api.Invalid("publicPort is an invalid value: %d", fw.StartPort)
	case !validPort(fw.EndPort):
		return api.Invalid("Public port range is an invalid value: %d", fw.EndPort)
	case fw.StartPort > fw.EndPort:
		return api.Invalid("Start port can't be bigger than end port")
	case !slices.Contains([]string{"tcp", "udp", "icmp", "all"}, fw.Protocol):
		return api.Invalid("Protocol %s is not supported in zone %d", fw.Protocol, z.site.ID)
	case !icmp && (c.has("icmptype") || c.has("icmpcode")):
		return api.Invalid("Can specify icmpCode and icmpType for ICMP protocol only")
	case icmp && fw.StartPort != 0:
		return api.Invalid("Can't specify start/end port when protocol is ICMP")
	}
	return nil
}

// storeFW writes the row; a conflict takes it back and uses up its id.
func storeFW(z *Zone, c *call, fw *rule) error {
	if err := z.insertRule(c.ctx, fw); err != nil {
		return err
	}
	z.fwRules = append(z.fwRules, fw)
	if fw.Related == nil {
		if err := z.conflict(fw); err != nil {
			if undo := z.removeFWRule(c.ctx, fw); undo != nil {
				z.log.Error("removing a conflicting rule", "rule", fw.ID, "err", undo)
			}
			return err
		}
	}
	return z.setRuleState(c.ctx, fw, stateAdd)
}

// openFor makes the firewall rule of openfirewall=true: it takes an id of its own after the rule it is for.
func openFor(z *Zone, c *call, r *rule) error {
	fw := &rule{
		Purpose: purposeFirewall, Address: r.Address, Network: r.Network, Account: r.Account, StartPort: r.StartPort, EndPort: r.EndPort,
		Protocol: r.Protocol, CIDRs: []string{"0.0.0.0/0"}, Related: r,
	}
	return storeFW(z, c, fw)
}

func finishFW(z *Zone, c *call) (obj, error) {
	fw := z.fwRuleByUUID(c.target.uuid)
	if fw == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create firewall rule"}
	}
	for _, other := range z.fwRules {
		if other.Address == fw.Address && other.State == stateAdd {
			if err := z.setRuleState(c.ctx, other, stateActive); err != nil {
				return nil, err
			}
		}
	}
	return obj{"firewallrule": z.fwAnswer(fw)}, nil
}

func deleteFW(z *Zone, c *call) (obj, error) {
	fw, err := fwRuleParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	if err := z.removeFWRule(c.ctx, fw); err != nil {
		return nil, err
	}
	c.eventResource, c.target.uuid = 0, ""
	return obj{"success": true}, nil
}

// removeFWRule deletes a firewall rule for good.
func (z *Zone) removeFWRule(ctx context.Context, fw *rule) error {
	if err := z.remove(ctx, "cloud.firewall_rules", fw.ID); err != nil {
		return err
	}
	z.fwRules = slices.DeleteFunc(z.fwRules, func(o *rule) bool { return o == fw })
	return nil
}

// revokeRelated deletes the firewall rules that were opened with a rule.
func (z *Zone) revokeRelated(ctx context.Context, r *rule) error {
	for _, fw := range slices.Clone(z.fwRules) {
		if fw.Related == r {
			if err := z.removeFWRule(ctx, fw); err != nil {
				return err
			}
		}
	}
	return nil
}

func listFW(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, fw := range slices.Backward(z.fwRules) {
		switch {
		case !visible(z, c, fw.Account), c.has("id") && fw.UUID != c.str("id"), c.hasMap("tags"):
		case c.has("ipaddressid") && fw.Address.UUID != c.str("ipaddressid"):
		case c.has("networkid") && fw.Network.UUID != c.str("networkid"):
		case c.has("fordisplay") && !c.boolean("fordisplay", true):
		default:
			out = append(out, z.fwAnswer(fw))
		}
	}
	return c.page("firewallrule", out), nil
}

// fwAnswer has its ports as numbers, unlike the other rules.
func (z *Zone) fwAnswer(fw *rule) obj {
	out := obj{
		"id": fw.UUID, "protocol": fw.Protocol, "ipaddressid": fw.Address.UUID, "networkid": fw.Network.UUID,
		"ipaddress": fw.Address.IP.String(), "state": shownState(fw.State), "cidrlist": strings.Join(fw.CIDRs, ","), "tags": []any{}, "fordisplay": true,
	}
	if fw.StartPort != 0 {
		out["startport"], out["endport"] = fw.StartPort, fw.EndPort
	}
	z.newField(out, "destcidrlist", "")
	z.newField(out, "traffictype", "Ingress")
	return out
}
