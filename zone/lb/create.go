package lb

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

const (
	statsPort = 8081 // network.loadbalancer.haproxy.stats.port
	dnsPort   = 53
	// mostNetworks is what fits beside "acl network_allowed src" into the 64 words that HAProxy reads of a line
	// (measured on 2.6).
	mostNetworks = 61
)

// createRule is the create phase: the rule exists, and its LB.CREATE is written, before the job runs.
func createRule(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "LoadBalancer"
	ctx := c.Ctx
	a, n, err := ruleAddress(mgr, c)
	if err != nil {
		return kernel.Created{}, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, a.Account, "ip address"); err != nil {
		return kernel.Created{}, err
	}
	open := c.Boolean("openfirewall", a.VPC == nil)
	if open && a.VPC != nil {
		return kernel.Created{}, api.BadParameter("Can't have openFirewall=true when IP address belongs to VPC")
	}
	cidrs, err := sourceList(mgr, c)
	if err != nil {
		return kernel.Created{}, err
	}
	port := c.Integer("publicport", 0)
	if port == dnsPort && a.SourceNAT && slices.Contains(n.Offering.Services, "Dns") {
		return kernel.Created{}, api.BadParameter("Error adding load balancer rule, cannot add port 53 with " +
			"network service offering having DNS service and Source NAT.")
	}
	if a.StaticNAT {
		return kernel.Created{}, api.Conflict("Can't do load balance on %s address: %s", mgr.Worded("ip", "IP"), a.IP)
	}
	if a.Network != nil && a.Network != n && mgr.On(release.NetworkIDMustMatch) && !n.VPC.Conserves() {
		return kernel.Created{}, api.BadParameter("Cannot create Load Balancer rule %s as the IP address %s is not "+
			"associated with the network %s (ID=%s)", c.Str("name"), a.IP, n.Name, n.UUID)
	}
	if err := mgr.firewall.FreeFor(a, n, "Lb"); err != nil {
		return kernel.Created{}, err
	}
	tied := a.Network == nil
	if err := mgr.net.TieAddress(ctx, a, n); err != nil {
		return kernel.Created{}, err
	}
	r, err := persistRule(mgr, c, a, n, port, cidrs, open)
	if err != nil {
		if tied {
			if undo := mgr.net.UntieAddress(ctx, a); undo != nil {
				mgr.Log.Error("untying an address", "address", a.IP, "err", undo)
			}
		}
		return kernel.Created{}, err
	}
	return kernel.Created{UUID: r.UUID, ID: r.ID}, nil
}

// ruleAddress finds the address and the network that the rule is for.
func ruleAddress(mgr *Manager, c *kernel.Call) (*net.Address, *net.Network, error) {
	if !c.Has("publicipid") {
		if !c.Has("account") || !c.Has("domainid") {
			return nil, nil, api.Invalid("Can't define IP owner. Either specify %s/domainId or publicIpId",
				mgr.Worded("account", "Account"))
		}
		return nil, nil, api.BadParameter("Unable to create load balance rule; can't find/allocate source IP")
	}
	a, err := net.AddressParam(mgr.net, c, "publicipid")
	if err != nil {
		return nil, nil, err
	}
	if a.State != "Allocated" {
		return nil, nil, api.Invalid("Unable to create load balancer rule, invalid IP address ID %d", a.ID)
	}
	if c.Has("networkid") {
		n, err := net.NetworkParam(mgr.net, c, "networkid")
		return a, n, err
	}
	if a.Network == nil {
		return nil, nil, api.BadParameter("IP address ID=%d is not associated with any %s", a.ID,
			mgr.Worded("network", "Network"))
	}
	return a, a.Network, nil
}

// sourceList reads cidrlist: IPv4 and IPv6 networks or single addresses.
func sourceList(mgr *Manager, c *kernel.Call) ([]string, error) {
	var out []string
	if n := len(c.List("cidrlist")); n > mostNetworks && !mgr.On(release.SourceListUnbounded) {
		return nil, api.BadParameter("%d CIDRs are more than the %d that a load balancer reads", n, mostNetworks)
	}
	for _, one := range c.List("cidrlist") {
		_, errNet := netip.ParsePrefix(one)
		_, errAddr := netip.ParseAddr(one)
		if errNet != nil && errAddr != nil {
			return nil, api.BadParameter("CIDR [%s] is invalid.", one)
		}
		out = append(out, one)
	}
	return out, nil
}

// persistRule validates and writes the rule, in the order of the manager, so that the first fault is the one answered.
func persistRule(mgr *Manager, c *kernel.Call, a *net.Address, n *net.Network, port int, cidrs []string,
	open bool) (*push.Rule, error) {
	private := c.Integer("privateport", 0)
	if a.Network == nil {
		return nil, api.BadParameter("%s address %s is not assigned to the network %s", mgr.Worded("Ip", "IP"),
			mgr.net.AddressText(a, net.OldAddressText(a)), net.NetworkText(n))
	}
	least := 1
	if mgr.On(release.PortZeroAccepted) {
		least = 0
	}
	if private < least || private > 65535 {
		return nil, api.BadParameter("privatePort is an invalid value: %d", private)
	}
	algorithm := c.Str("algorithm")
	if !validAlgorithm(algorithm) {
		return nil, api.BadParameter("Invalid algorithm: %s", algorithm)
	}
	if !n.VPC.Conserves() { // an address that several tiers share is for the one that is named
		n = a.Network
	}
	if !slices.Contains(n.Offering.Services, "Lb") {
		return nil, api.BadParameter("LB service is not supported in specified network id")
	}
	if port < least || port > 65535 {
		return nil, api.BadParameter("publicPort is an invalid value: %d", port)
	}
	r := &push.Rule{
		Rule: firewall.Rule{Purpose: firewall.PurposeLB, Address: a, Network: n, Account: a.Account,
			StartPort: port, EndPort: port, Protocol: "tcp", CIDRs: cidrs},
		Name: c.Str("name"), Text: c.Str("description"), Algorithm: algorithm, PrivateStart: private,
		PrivateEnd: private,
		LBProtocol: c.Str("protocol"), Display: c.Boolean("fordisplay", true),
	}
	if mgr.On(release.ProtocolCheckedExactly) {
		r.LBProtocol = strings.ToLower(strings.TrimSpace(r.LBProtocol))
	}
	if err := mgr.supported(r); err != nil {
		return nil, err
	}
	return r, storeRule(mgr, c, r, open)
}

func validAlgorithm(s string) bool {
	return slices.Contains([]string{"roundrobin", "leastconn", "source"}, strings.ToLower(s))
}

// supported is the provider's check, which is made only where a router exists
// (NetworkHelperImpl.validateHAProxyLBRule@4.20.0.0, @4.22.0.0). From 4.22 on it compares the stored protocol letter by
// letter; up to 4.21 any name is taken.
func (mgr *Manager) supported(r *push.Rule) error {
	udp, routed := strings.EqualFold(r.LBProtocol, "udp"), len(mgr.net.RoutersOf(r.Network)) > 0
	if routed && (r.StartPort == statsPort || udp) || udp && !mgr.On(release.UDPUncheckedEarly) {
		return api.BadParameter("LB service provider cannot support this rule")
	}
	valid := []string{"tcp", "udp", "tcp-proxy", "ssl"}
	if routed && mgr.On(release.ProtocolCheckedExactly) && r.LBProtocol != "" && !slices.Contains(valid, r.LBProtocol) {
		return api.BadParameter("protocol %s is not in valid protocols [%s]", r.LBProtocol, strings.Join(valid, ", "))
	}
	return nil
}

// storeRule writes the rows. A conflict is found after the rule has its id, as the release does: the id is used up.
func storeRule(mgr *Manager, c *kernel.Call, r *push.Rule, open bool) error {
	ctx := c.Ctx
	if err := mgr.firewall.InsertRule(ctx, &r.Rule); err != nil {
		return err
	}
	scheme, source, sourceNetwork := "Public", any(nil), any(nil)
	if r.Internal {
		scheme, source, sourceNetwork = "Internal", r.Address.IP.String(), r.Network.ID
	}
	row := obj{
		"id": r.ID, "name": r.Name, "description": kernel.NullText(r.Text), "default_port_start": r.PrivateStart,
		"default_port_end": r.PrivateEnd,
		"algorithm":        r.Algorithm, "scheme": scheme, "source_ip_address": source,
		"source_ip_address_network_id": sourceNetwork, "lb_protocol": kernel.NullText(r.LBProtocol),
		"cidr_list": kernel.NullText(r.SourceList()),
	}
	if _, err := mgr.Insert(ctx, "cloud.load_balancing_rules", row); err != nil {
		return err
	}
	mgr.push.LBRules.Add(r)
	if open {
		if err := firewall.OpenFor(mgr.firewall, c, &r.Rule); err != nil {
			return err
		}
	}
	if err := mgr.firewall.Conflict(&r.Rule); err != nil {
		if undo := mgr.removeLBRule(ctx, r); undo != nil {
			mgr.Log.Error("removing a conflicting rule", "rule", r.ID, "err", undo)
		}
		return err
	}
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
		return err
	}
	return mgr.LBUsage(ctx, "LB.CREATE", r, "")
}

// finishRule is the job: nothing is pushed, only the firewall is opened.
func finishRule(mgr *Manager, c *kernel.Call) (obj, error) {
	r := mgr.push.LBRuleByUUID(c.Target.UUID)
	if r == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create load " +
			"balancer rule"}
	}
	if firewallRefused(mgr, c, r) {
		return nil, failedRule(mgr, c, r)
	}
	for _, fw := range mgr.firewall.FWRules.All() {
		if fw.Related == &r.Rule {
			if err := mgr.firewall.SetRuleState(c.Ctx, fw, firewall.StateActive); err != nil {
				return nil, err
			}
		}
	}
	return obj{"loadbalancer": RuleAnswer(mgr, r)}, nil
}

// firewallRefused says whether the rule opened a firewall on a router that refuses it
// (CreateLoadBalancerRuleCmd@4.20.0.0).
func firewallRefused(mgr *Manager, c *kernel.Call, r *push.Rule) bool {
	if !slices.ContainsFunc(mgr.firewall.FWRules.All(), func(fw *firewall.Rule) bool { return fw.Related == &r.Rule }) {
		return false
	}
	return slices.ContainsFunc(mgr.net.RoutersOf(r.Network), func(v *net.Router) bool {
		if v.State != "Running" {
			return false
		}
		answer := mgr.compute.Simulated("SetFirewallRulesCommand", v.Host)
		answer.Answered()
		return answer.Fails
	})
}

// failedRule takes a rule back whose job failed: it leaves a pair of usage events.
func failedRule(mgr *Manager, c *kernel.Call, r *push.Rule) error {
	failed := &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create load " +
		"balancer rule"}
	return errors.Join(failed, mgr.firewall.RevokeRelated(c.Ctx, &r.Rule), mgr.deleteLB(c.Ctx, r, undone))
}
