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
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

const firewallClasses = "org.apache.cloudstack.api.command.user.firewall."

func pfCommands() []command {
	return []command{
		{
			Name: "createPortForwardingRule", About: "Creates a port forwarding rule",
			Class: firewallClasses + "CreatePortForwardingRuleCmd",
			Kind:  kernel.AsyncCreate, Instance: "FirewallRule", Event: "NET.RULEADD",
			Eventful: kernel.EventCreateAsync,
			Creating: "creating forwarding rule", Action: "applying port forwarding rule",
			Params: []param{
				{Name: "ipaddressid", Type: "uuid:address", Required: true, About: "the IP address id of the " +
					"port forwarding rule"},
				{Name: "privateport", Type: "integer", Required: true, About: "the starting port of port " +
					"forwarding rule's private port range"},
				{Name: "protocol", Type: "string", Required: true, About: "the protocol for the port forwarding " +
					"rule. Valid values are TCP or UDP."},
				{Name: "privateendport", Type: "integer", About: "the ending port of port forwarding rule's " +
					"private port range"},
				{Name: "publicport", Type: "integer", Required: true, About: "the starting port of port " +
					"forwarding rule's public port range"},
				{Name: "publicendport", Type: "integer", About: "the ending port of port forwarding rule's " +
					"public port range"},
				{Name: "virtualmachineid", Type: "uuid:vm", Required: true, About: "the ID of the virtual " +
					"machine for the port forwarding rule"},
				{Name: "cidrlist", Type: "list", About: "the cidr list to forward traffic from. Multiple entries " +
					"must be separated by a single comma character (,). This parameter is deprecated. Do not use."},
				{Name: "openfirewall", Type: "boolean", About: "if true, firewall rule for source/end public " +
					"port is automatically created; if false - firewall rule has to be created explicitly."},
				{Name: "networkid", Type: "uuid:network", About: "the network of the virtual machine the port " +
					"forwarding rule will be created for. Required when public IP address is not associated with " +
					"any guest network yet (VPC case)."},
				{Name: "vmguestip", Type: "string", About: "VM guest nic secondary IP address for the port " +
					"forwarding rule"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the rule " +
					"to the end user or not"},
			},
			Create: createPF, Run: finishPF,
			Sync: func(mgr *Manager, c *kernel.Call) string {
				if pf := mgr.PFRuleByUUID(c.Target.UUID); pf != nil {
					return fmt.Sprintf("network:%d", pf.Network.ID)
				}
				return ""
			},
			Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
				return forwardingSubject(mgr.PFRuleByUUID(c.Target.UUID))
			},
			Describe: func(mgr *Manager, c *kernel.Call) string {
				pf := mgr.PFRuleByUUID(c.Target.UUID)
				if pf == nil {
					return "Applying port forwarding  rule"
				}
				return fmt.Sprintf("Applying port forwarding  rule for Ip: %s with virtual machine:%d", pf.Address.IP,
					pf.VM.ID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				if c.Target.ID == 0 {
					return ""
				}
				return fmt.Sprintf("Rule Id: %d", c.Target.ID)
			},
		},
	}
}

func pfOtherCommands() []command {
	return []command{
		{
			Name: "deletePortForwardingRule", About: "Deletes a port forwarding rule",
			Class: firewallClasses + "DeletePortForwardingRuleCmd",
			Kind:  kernel.AsyncCommand, Event: "NET.RULEDELETE", Eventful: kernel.EventAsync,
			Action: "revoking forwarding rule",
			Params: []param{
				{Name: "id", Type: "uuid:pfrule", Required: true, About: "the ID of the port forwarding rule"},
			},
			Run: deletePF,
			Check: func(mgr *Manager, c *kernel.Call) error {
				pf, err := pfRuleParam(mgr, c, "id")
				if err != nil {
					return err
				}
				return tenancy.MayUse(mgr.tenancy, c, pf.Account, "port forwarding rule")
			},
			Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
				return forwardingSubject(mgr.PFRuleByUUID(c.Str("id")))
			},
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Deleting port forwarding rule for ID=%d", c.Target.ID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Rule ID: %d", c.Target.ID)
			},
		},
		{
			Name: "listPortForwardingRules", About: "Lists all port forwarding rules for an IP address.",
			Params: kernel.TaggedParams(
				param{Name: "id", Type: "uuid:pfrule", About: "Lists rule with the specified ID."},
				param{Name: "ipaddressid", Type: "uuid:address", About: "the ID of IP address of the port " +
					"forwarding services"},
				param{Name: "networkid", Type: "uuid:network", About: "list port forwarding rules for certain network"},
				param{Name: "fordisplay", Type: "boolean", About: "list resources by display flag; only ROOT " +
					"admin is eligible to pass this parameter"},
			),
			Run: listPF,
		},
	}
}

// createPF is the create phase of createPortForwardingRule, NET.RULEADD included.
func createPF(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "FirewallRule"
	if c.Has("cidrlist") {
		return kernel.Created{}, api.Invalid("Parameter cidrList is deprecated; if you need to open firewall " +
			"rule for the specific cidr, please refer to createFirewallRule command")
	}
	a, err := net.AddressParam(mgr.net, c, "ipaddressid")
	if err != nil {
		return kernel.Created{}, err
	}
	vm, err := compute.VMParam(mgr.compute, c, "virtualmachineid")
	if err != nil {
		return kernel.Created{}, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, a.Account, "ip address"); err != nil {
		return kernel.Created{}, err
	}
	n, err := pfNetwork(mgr, c, a)
	if err != nil {
		return kernel.Created{}, err
	}
	if err := mgr.FreeFor(a, n, "PortForwarding"); err != nil {
		return kernel.Created{}, err
	}
	tied := a.Network == nil
	if err := mgr.net.TieAddress(c.Ctx, a, n); err != nil {
		return kernel.Created{}, err
	}
	pf, err := persistPF(mgr, c, a, n, vm)
	if err != nil {
		if tied {
			if undo := mgr.net.UntieAddress(c.Ctx, a); undo != nil {
				mgr.Log.Error("untying an address", "address", a.IP, "err", undo)
			}
		}
		return kernel.Created{}, err
	}
	return kernel.Created{UUID: pf.UUID, ID: pf.ID}, nil
}

func pfNetwork(mgr *Manager, c *kernel.Call, a *net.Address) (*net.Network, error) {
	open := c.Boolean("openfirewall", a.VPC == nil)
	switch {
	case a.State != "Allocated":
		return nil, api.Invalid("Unable to create PF rule, invalid IP address id %d", a.ID)
	case open && a.VPC != nil:
		return nil, api.Invalid("Can't have openFirewall=true when IP address belongs to VPC")
	case a.StaticNAT:
		return nil, api.Invalid("Unable to create port forwarding rule; ip %s has static nat enabled",
			mgr.net.AddressText(a, fmt.Sprintf("id=%d", a.ID)))
	case a.Network != nil && !(a.VPC.Conserves() && c.Has("networkid")):
		return a.Network, nil
	case c.Has("networkid"):
		return net.NetworkParam(mgr.net, c, "networkid")
	}
	return nil, api.Invalid("Unable to create port forwarding rule for the ipAddress id=%d as ip is not "+
		"associated with any network and no networkId is passed in", a.ID)
}

// persistPF validates in the manager's order and writes the rows.
func persistPF(mgr *Manager, c *kernel.Call, a *net.Address, n *net.Network, vm *compute.VM) (*PFRule, error) {
	if a.Network == nil {
		return nil, api.Invalid("Ip address %s is not assigned to the network %s",
			mgr.net.AddressText(a, net.OldAddressText(a)), net.NetworkText(n))
	}
	public, private := c.Integer("publicport", 0), c.Integer("privateport", 0)
	pf := &PFRule{
		Rule: Rule{
			Purpose: purposePF, Address: a, Network: n, Account: a.Account, StartPort: public,
			EndPort:  c.Integer("publicendport", public),
			Protocol: strings.ToLower(c.Str("protocol")),
		},
		VM: vm, PrivateStart: private, PrivateEnd: c.Integer("privateendport", private),
	}
	if err := checkPF(mgr, pf, c.Str("vmguestip")); err != nil {
		return nil, err
	}
	if err := mgr.InsertRule(c.Ctx, &pf.Rule); err != nil {
		return nil, err
	}
	if _, err := mgr.Insert(c.Ctx, "cloud.port_forwarding_rules", obj{
		"id": pf.ID, "instance_id": vm.ID, "dest_ip_address": pf.VMIP.String(), "dest_port_start": pf.PrivateStart,
		"dest_port_end": pf.PrivateEnd,
	}); err != nil {
		return nil, err
	}
	mgr.PFRules.Add(pf)
	if c.Boolean("openfirewall", a.VPC == nil) {
		if err := OpenFor(mgr, c, &pf.Rule); err != nil {
			return nil, err
		}
	}
	if err := mgr.Conflict(&pf.Rule); err != nil {
		if undo := mgr.erasePF(c.Ctx, pf); undo != nil {
			mgr.Log.Error("removing a conflicting rule", "rule", pf.ID, "err", undo)
		}
		return nil, err
	}
	if err := mgr.SetRuleState(c.Ctx, &pf.Rule, StateAdd); err != nil {
		return nil, err
	}
	return pf, mgr.UsageEvent(c.Ctx, "NET.RULEADD", pf.Account, mgr.net.Site.ID, pf.ID, nil)
}

func checkPF(mgr *Manager, pf *PFRule, guestIP string) error {
	nic := compute.NICIn(pf.VM, pf.Network)
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
		return api.Invalid("Protocol %s is not supported in zone %d", pf.Protocol, kernel.ZoneID)
	case private < 0:
		return api.Invalid("Start port can't be bigger than end port")
	case private != public:
		return api.Invalid("Source port and destination port ranges should be of equal sizes.")
	case pf.VM.State == "Destroyed" || pf.VM.State == "Expunging" || !pf.VM.Removed.IsZero():
		return api.Invalid("Invalid user vm: %s", mgr.compute.VMText(pf.VM))
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

func finishPF(mgr *Manager, c *kernel.Call) (obj, error) {
	pf := mgr.PFRuleByUUID(c.Target.UUID)
	if pf == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to apply port " +
			"forwarding rule"}
	}
	if mgr.refusesPF(c.Ctx, pf, nil) {
		return nil, errors.Join(api.Internal("Failed to apply port forwarding rule"), mgr.revokePF(c.Ctx, pf))
	}
	if err := errors.Join(mgr.SetRuleState(c.Ctx, &pf.Rule, StateActive), mgr.eraseRevoked(c.Ctx, pf)); err != nil {
		return nil, err
	}
	for _, fw := range mgr.FWRules.All() {
		if fw.Related == &pf.Rule {
			if err := mgr.SetRuleState(c.Ctx, fw, StateActive); err != nil {
				return nil, err
			}
		}
	}
	return obj{"portforwardingrule": mgr.pfAnswer(pf)}, nil
}

func deletePF(mgr *Manager, c *kernel.Call) (obj, error) {
	pf, err := pfRuleParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if err := mgr.RevokeRelated(c.Ctx, &pf.Rule); err != nil {
		return nil, err
	}
	if mgr.refusesPF(c.Ctx, pf, pf) {
		return nil, errors.Join(api.Internal("Failed to delete port forwarding rule"), mgr.revokePF(c.Ctx, pf))
	}
	if err := mgr.removePF(c.Ctx, pf); err != nil {
		return nil, err
	}
	c.EventResource, c.Target.UUID = 0, ""
	return obj{"success": true}, nil
}

// deletedPF writes a rule's NET.RULEDELETE, which has zone 0 in every release (facts: cloudstack.md 1.2).
func (mgr *Manager) deletedPF(ctx context.Context, pf *PFRule) error {
	return mgr.UsageEvent(ctx, "NET.RULEDELETE", pf.Account, 0, pf.ID, nil)
}

// RemovePFRule revokes a rule. Where routers answer for themselves they are told; what they answer changes nothing.
func (mgr *Manager) RemovePFRule(ctx context.Context, pf *PFRule) error {
	if net.Answering(mgr.net) && mgr.PFRules.Has(pf) && pf.State == StateActive {
		mgr.refusesPF(ctx, pf, pf)
	}
	return mgr.removePF(ctx, pf)
}

func (mgr *Manager) removePF(ctx context.Context, pf *PFRule) error {
	if !mgr.PFRules.Has(pf) {
		return nil
	}
	if pf.State != StateRevoke {
		if err := mgr.deletedPF(ctx, pf); err != nil {
			return err
		}
	}
	if err := mgr.erasePF(ctx, pf); err != nil {
		return err
	}
	return mgr.net.UntieAddress(ctx, pf.Address)
}

// erasePF deletes the rows.
func (mgr *Manager) erasePF(ctx context.Context, pf *PFRule) error {
	if err := mgr.RevokeRelated(ctx, &pf.Rule); err != nil {
		return err
	}
	if err := mgr.Remove(ctx, "cloud.port_forwarding_rules", pf.ID); err != nil {
		return err
	}
	if err := mgr.Remove(ctx, "cloud.firewall_rules", pf.ID); err != nil {
		return err
	}
	mgr.PFRules.Remove(pf)
	if mgr.On(release.SoftDeleteRules) {
		mgr.GonePF = append(mgr.GonePF, pf)
	}
	return nil
}

// RemovePFOfVM revokes the rules that lead to a VM which is being expunged.
func (mgr *Manager) RemovePFOfVM(ctx context.Context, vm *compute.VM) error {
	for _, pf := range mgr.PFRules.All() {
		if pf.VM == vm {
			if err := mgr.RemovePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	return nil
}

func listPF(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, pf := range slices.Backward(mgr.PFRules.All()) {
		switch {
		case !tenancy.Visible(mgr.tenancy, c, pf.Account), c.Has("id") && pf.UUID != c.Str("id"):
		case c.Has("ipaddressid") && pf.Address.UUID != c.Str("ipaddressid"):
		case c.Has("networkid") && pf.Network.UUID != c.Str("networkid"):
		case c.Has("fordisplay") && !c.Boolean("fordisplay", true):
		default:
			out = append(out, mgr.pfAnswer(pf))
		}
	}
	return c.Page("portforwardingrule", out), nil
}

// pfAnswer has its ports as text and no owner.
func (mgr *Manager) pfAnswer(pf *PFRule) obj {
	return obj{
		"id": pf.UUID, "privateport": kernel.IntText(pf.PrivateStart),
		"privateendport": kernel.IntText(pf.PrivateEnd), "protocol": pf.Protocol,
		"publicport": kernel.IntText(pf.StartPort), "publicendport": kernel.IntText(pf.EndPort),
		"virtualmachineid":   pf.VM.UUID,
		"virtualmachinename": pf.VM.Name, "virtualmachinedisplayname": pf.VM.DisplayName,
		"ipaddressid": pf.Address.UUID,
		"ipaddress":   pf.Address.IP.String(), "state": ShownState(pf.State), "cidrlist": "",
		"tags":      mgr.tenancy.Tagged(pf.UUID),
		"vmguestip": pf.VMIP.String(), "networkid": pf.Network.UUID, "fordisplay": true,
	}
}
