package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
)

const firewallClasses = "org.apache.cloudstack.api.command.user.firewall."

func pfCommands() []command {
	return []command{
		{
			name: "createPortForwardingRule", about: "Creates a port forwarding rule", class: firewallClasses + "CreatePortForwardingRuleCmd",
			kind: asyncCreate, instance: "FirewallRule", event: "NET.RULEADD", eventful: eventCreateAsync,
			creating: "creating forwarding rule", action: "applying port forwarding rule",
			params: []param{
				{"ipaddressid", "uuid:address", true, "the IP address id of the port forwarding rule"},
				{"privateport", "integer", true, "the starting port of port forwarding rule's private port range"},
				{"protocol", "string", true, "the protocol for the port forwarding rule. Valid values are TCP or UDP."},
				{"privateendport", "integer", false, "the ending port of port forwarding rule's private port range"},
				{"publicport", "integer", true, "the starting port of port forwarding rule's public port range"},
				{"publicendport", "integer", false, "the ending port of port forwarding rule's public port range"},
				{"virtualmachineid", "uuid:vm", true, "the ID of the virtual machine for the port forwarding rule"},
				{"cidrlist", "list", false, "the cidr list to forward traffic from. Multiple entries must be separated by a single comma character (,). This parameter is deprecated. Do not use."},
				{"openfirewall", "boolean", false, "if true, firewall rule for source/end public port is automatically created; if false - firewall rule has to be created explicitly."},
				{"networkid", "uuid:network", false, "the network of the virtual machine the port forwarding rule will be created for. Required when public IP address is not associated with any guest network yet (VPC case)."},
				{"vmguestip", "string", false, "VM guest nic secondary IP address for the port forwarding rule"},
				{"fordisplay", "boolean", false, "an optional field, whether to the display the rule to the end user or not"},
			},
			create: createPF, run: finishPF,
			sync: func(z *Zone, c *call) string {
				if pf := z.pfRuleByUUID(c.target.uuid); pf != nil {
					return fmt.Sprintf("network:%d", pf.Network.ID)
				}
				return ""
			},
			describe: func(z *Zone, c *call) string {
				pf := z.pfRuleByUUID(c.target.uuid)
				if pf == nil {
					return "Applying port forwarding  rule"
				}
				c.concerns("FirewallRule", pf.ID, pf.UUID, pf.Account)
				return fmt.Sprintf("Applying port forwarding  rule for Ip: %s with virtual machine:%d", pf.Address.IP, pf.VM.ID)
			},
			detail: func(z *Zone, c *call) string {
				if c.target.id == 0 {
					return ""
				}
				c.owner = nil
				return fmt.Sprintf("Rule Id: %d", c.target.id)
			},
		},
	}
}

func pfOtherCommands() []command {
	return []command{
		{
			name: "deletePortForwardingRule", about: "Deletes a port forwarding rule", class: firewallClasses + "DeletePortForwardingRuleCmd",
			kind: asyncCommand, event: "NET.RULEDELETE", eventful: eventAsync, action: "revoking forwarding rule",
			params: []param{{"id", "uuid:pfrule", true, "the ID of the port forwarding rule"}},
			run:    deletePF,
			check: func(z *Zone, c *call) error {
				pf, err := pfRuleParam(z, c, "id")
				if err != nil {
					return err
				}
				return mayUse(z, c, pf.Account, "port forwarding rule")
			},
			describe: func(z *Zone, c *call) string {
				if pf := z.pfRuleByUUID(c.str("id")); pf != nil {
					c.concerns("FirewallRule", pf.ID, pf.UUID, pf.Account)
				}
				return fmt.Sprintf("Deleting port forwarding rule for ID=%d", c.target.id)
			},
			detail: func(z *Zone, c *call) string { c.owner = nil; return fmt.Sprintf("Rule ID: %d", c.target.id) },
		},
		{
			name: "listPortForwardingRules", about: "Lists all port forwarding rules for an IP address.",
			params: listParams(
				param{"id", "uuid:pfrule", false, "Lists rule with the specified ID."},
				param{"ipaddressid", "uuid:address", false, "the ID of IP address of the port forwarding services"},
				param{"networkid", "uuid:network", false, "list port forwarding rules for certain network"},
				param{"fordisplay", "boolean", false, "list resources by display flag; only ROOT admin is eligible to pass this parameter"},
			),
			run: listPF,
		},
	}
}

// createPF is the create phase of createPortForwardingRule, NET.RULEADD included.
func createPF(z *Zone, c *call) (created, error) {
	c.eventResourceType = "FirewallRule"
	if c.has("cidrlist") {
		return created{}, api.Invalid("Parameter cidrList is deprecated; if you need to open firewall rule for the specific cidr, please refer to createFirewallRule command")
	}
	a, err := addressParam(z, c, "ipaddressid")
	if err != nil {
		return created{}, err
	}
	vm, err := vmParam(z, c, "virtualmachineid")
	if err != nil {
		return created{}, err
	}
	if err := mayUse(z, c, a.Account, "ip address"); err != nil {
		return created{}, err
	}
	n, err := pfNetwork(z, c, a)
	if err != nil {
		return created{}, err
	}
	tied := a.Network == nil
	if err := z.tieAddress(c.ctx, a, n); err != nil {
		return created{}, err
	}
	pf, err := persistPF(z, c, a, vm)
	if err != nil {
		if tied {
			if undo := z.untieAddress(c.ctx, a); undo != nil {
				z.log.Error("untying an address", "address", a.IP, "err", undo)
			}
		}
		return created{}, err
	}
	return created{pf.UUID, pf.ID}, nil
}

func pfNetwork(z *Zone, c *call, a *Address) (*Network, error) {
	open := c.boolean("openfirewall", a.VPC == nil)
	switch {
	case a.State != "Allocated":
		return nil, api.Invalid("Unable to create PF rule, invalid IP address id %d", a.ID)
	case open && a.VPC != nil:
		return nil, api.Invalid("Can't have openFirewall=true when IP address belongs to VPC")
	case a.StaticNAT:
		return nil, api.Invalid("Unable to create port forwarding rule; ip id=%d has static nat enabled", a.ID)
	case a.Network != nil:
		return a.Network, nil
	case c.has("networkid"):
		return networkParam(z, c, "networkid")
	}
	return nil, api.Invalid("Unable to create port forwarding rule for the ipAddress id=%d as ip is not associated with any network and no networkId is passed in", a.ID)
}

// persistPF validates in the manager's order and writes the rows.
func persistPF(z *Zone, c *call, a *Address, vm *VM) (*PFRule, error) {
	if a.Network == nil {
		return nil, api.Invalid("Ip address %s is not assigned to the network %s", a.IP, c.str("networkid"))
	}
	public, private := c.integer("publicport", 0), c.integer("privateport", 0)
	pf := &PFRule{
		rule: rule{
			Purpose: purposePF, Address: a, Network: a.Network, Account: a.Account, StartPort: public, EndPort: c.integer("publicendport", public),
			Protocol: strings.ToLower(c.str("protocol")),
		},
		VM: vm, PrivateStart: private, PrivateEnd: c.integer("privateendport", private),
	}
	if err := checkPF(pf, c.str("vmguestip")); err != nil {
		return nil, err
	}
	if err := z.insertRule(c.ctx, &pf.rule); err != nil {
		return nil, err
	}
	if _, err := z.insert(c.ctx, "cloud.port_forwarding_rules", obj{
		"id": pf.ID, "instance_id": vm.ID, "dest_ip_address": pf.VMIP.String(), "dest_port_start": pf.PrivateStart, "dest_port_end": pf.PrivateEnd,
	}); err != nil {
		return nil, err
	}
	z.pfRules = append(z.pfRules, pf)
	if c.boolean("openfirewall", a.VPC == nil) {
		if err := openFor(z, c, &pf.rule); err != nil {
			return nil, err
		}
	}
	if err := z.conflict(&pf.rule); err != nil {
		if undo := z.erasePF(c.ctx, pf); undo != nil {
			z.log.Error("removing a conflicting rule", "rule", pf.ID, "err", undo)
		}
		return nil, err
	}
	if err := z.setRuleState(c.ctx, &pf.rule, stateAdd); err != nil {
		return nil, err
	}
	return pf, z.usageEvent(c.ctx, "NET.RULEADD", pf.Account, z.site.ID, pf.ID, nil)
}

func checkPF(pf *PFRule, guestIP string) error {
	nic := nicIn(pf.VM, pf.Network)
	private, public := pf.PrivateEnd-pf.PrivateStart, pf.EndPort-pf.StartPort
	switch {
	case !validPort(pf.StartPort):
		return api.Invalid("publicPort is an invalid value: %d", pf.StartPort)
	case !validPort(pf.EndPort):
		return api.Invalid("Public port range is an invalid value: %d", pf.EndPort)
	case public < 0:
		return api.Invalid("Start port can't be bigger than end port")
	case !slices.Contains(pf.Network.Offering.Services, "PortForwarding"):
		return api.Invalid("Service PortForwarding is not supported in network id= %d", pf.Network.ID)
	case pf.Protocol != "tcp" && pf.Protocol != "udp":
		return api.Invalid("Protocol %s is not supported in zone %d", pf.Protocol, zoneID)
	case private < 0:
		return api.Invalid("Start port can't be bigger than end port")
	case private != public:
		return api.Invalid("Source port and destination port ranges should be of equal sizes.")
	case pf.VM.State == "Destroyed" || pf.VM.State == "Expunging" || !pf.VM.Removed.IsZero():
		return api.Invalid("Invalid user vm: %d", pf.VM.ID)
	case nic == nil:
		return api.Invalid("Vm doesn't belong to network associated with ipAddress")
	case public != 0 && pf.StartPort != pf.PrivateStart:
		return api.Invalid("Private port start should be equal to public port start")
	}
	pf.VMIP = nic.IP
	if guestIP != "" {
		if ip, err := netip.ParseAddr(guestIP); err != nil {
			return api.Invalid("Invalid vm ip address")
		} else if ip != nic.IP {
			return api.Invalid("IP Address is not in the VM nic's network ")
		}
	}
	return nil
}

func validPort(p int) bool { return p >= 0 && p <= 65535 }

func finishPF(z *Zone, c *call) (obj, error) {
	pf := z.pfRuleByUUID(c.target.uuid)
	if pf == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to apply port forwarding rule"}
	}
	if err := z.setRuleState(c.ctx, &pf.rule, stateActive); err != nil {
		return nil, err
	}
	for _, fw := range z.fwRules {
		if fw.Related == &pf.rule {
			if err := z.setRuleState(c.ctx, fw, stateActive); err != nil {
				return nil, err
			}
		}
	}
	return obj{"portforwardingrule": z.pfAnswer(pf)}, nil
}

func deletePF(z *Zone, c *call) (obj, error) {
	pf, err := pfRuleParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	if err := z.revokeRelated(c.ctx, &pf.rule); err != nil {
		return nil, err
	}
	if err := z.removePFRule(c.ctx, pf); err != nil {
		return nil, err
	}
	c.eventResource, c.target.uuid = 0, ""
	return obj{"success": true}, nil
}

// removePFRule revokes a rule. Its NET.RULEDELETE has zone 0, in every release (facts: cloudstack.md 1.2).
func (z *Zone) removePFRule(ctx context.Context, pf *PFRule) error {
	if !slices.Contains(z.pfRules, pf) {
		return nil
	}
	if pf.State != stateRevoke && !z.knobs[fault.PFDeleteEventLost] {
		if err := z.usageEvent(ctx, "NET.RULEDELETE", pf.Account, 0, pf.ID, nil); err != nil {
			return err
		}
	}
	if err := z.erasePF(ctx, pf); err != nil {
		return err
	}
	return z.untieAddress(ctx, pf.Address)
}

// erasePF deletes the rows.
func (z *Zone) erasePF(ctx context.Context, pf *PFRule) error {
	if err := z.revokeRelated(ctx, &pf.rule); err != nil {
		return err
	}
	if err := z.remove(ctx, "cloud.port_forwarding_rules", pf.ID); err != nil {
		return err
	}
	if err := z.remove(ctx, "cloud.firewall_rules", pf.ID); err != nil {
		return err
	}
	z.pfRules = slices.DeleteFunc(z.pfRules, func(o *PFRule) bool { return o == pf })
	return nil
}

// removePFOfVM revokes the rules that lead to a VM which is being expunged.
func (z *Zone) removePFOfVM(ctx context.Context, vm *VM) error {
	for _, pf := range slices.Clone(z.pfRules) {
		if pf.VM == vm {
			if err := z.removePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	return nil
}

func listPF(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, pf := range slices.Backward(z.pfRules) {
		switch {
		case !visible(z, c, pf.Account), c.has("id") && pf.UUID != c.str("id"), c.hasMap("tags"):
		case c.has("ipaddressid") && pf.Address.UUID != c.str("ipaddressid"):
		case c.has("networkid") && pf.Network.UUID != c.str("networkid"):
		case c.has("fordisplay") && !c.boolean("fordisplay", true):
		default:
			out = append(out, z.pfAnswer(pf))
		}
	}
	return c.page("portforwardingrule", out), nil
}

// pfAnswer has its ports as text and no owner.
func (z *Zone) pfAnswer(pf *PFRule) obj {
	return obj{
		"id": pf.UUID, "privateport": intText(pf.PrivateStart), "privateendport": intText(pf.PrivateEnd), "protocol": pf.Protocol,
		"publicport": intText(pf.StartPort), "publicendport": intText(pf.EndPort), "virtualmachineid": pf.VM.UUID,
		"virtualmachinename": pf.VM.Name, "virtualmachinedisplayname": pf.VM.DisplayName, "ipaddressid": pf.Address.UUID,
		"ipaddress": pf.Address.IP.String(), "state": shownState(pf.State), "cidrlist": "", "tags": []any{},
		"vmguestip": pf.VMIP.String(), "networkid": pf.Network.UUID, "fordisplay": true,
	}
}
