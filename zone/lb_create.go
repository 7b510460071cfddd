package zone

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
)

const (
	purposeLB       = "LoadBalancing"
	purposePF       = "PortForwarding"
	purposeFirewall = "Firewall"
	statsPort       = 8081 // network.loadbalancer.haproxy.stats.port
	dnsPort         = 53
)

// createRule is the create phase: the rule exists, and its LB.CREATE is written, before the job runs.
func createRule(z *Zone, c *call) (created, error) {
	c.eventResourceType = "LoadBalancer"
	ctx := c.ctx
	a, n, err := ruleAddress(z, c)
	if err != nil {
		return created{}, err
	}
	if err := mayUse(z, c, a.Account, "ip address"); err != nil {
		return created{}, err
	}
	open := c.boolean("openfirewall", a.VPC == nil)
	if open && a.VPC != nil {
		return created{}, api.BadParameter("Can't have openFirewall=true when IP address belongs to VPC")
	}
	cidrs, err := sourceList(z, c)
	if err != nil {
		return created{}, err
	}
	port := c.integer("publicport", 0)
	if port == dnsPort && a.SourceNAT && slices.Contains(n.Offering.Services, "Dns") {
		return created{}, api.BadParameter("Error adding load balancer rule, cannot add port 53 with network service offering having DNS service and Source NAT.")
	}
	if a.StaticNAT {
		return created{}, api.Conflict("Can't do load balance on ip address: %s", a.IP)
	}
	tied := a.Network == nil
	if err := z.tieAddress(ctx, a, n); err != nil {
		return created{}, err
	}
	r, err := persistRule(z, c, a, port, cidrs, open)
	if err != nil {
		if tied {
			if undo := z.untieAddress(ctx, a); undo != nil {
				z.log.Error("untying an address", "address", a.IP, "err", undo)
			}
		}
		return created{}, err
	}
	return created{uuid: r.UUID, id: r.ID}, nil
}

// ruleAddress finds the address and the network that the rule is for.
func ruleAddress(z *Zone, c *call) (*Address, *Network, error) {
	if !c.has("publicipid") {
		if !c.has("account") || !c.has("domainid") {
			return nil, nil, api.Invalid("Can't define IP owner. Either specify account/domainId or publicIpId")
		}
		return nil, nil, api.BadParameter("Unable to create load balance rule; can't find/allocate source IP")
	}
	a, err := addressParam(z, c, "publicipid")
	if err != nil {
		return nil, nil, err
	}
	if a.State != "Allocated" {
		return nil, nil, api.Invalid("Unable to create load balancer rule, invalid IP address ID %d", a.ID)
	}
	if c.has("networkid") {
		n, err := networkParam(z, c, "networkid")
		return a, n, err
	}
	if a.Network == nil {
		return nil, nil, api.BadParameter("IP address ID=%d is not associated with any network", a.ID)
	}
	return a, a.Network, nil
}

// sourceList reads cidrlist: IPv4 and IPv6 networks or single addresses.
func sourceList(z *Zone, c *call) ([]string, error) {
	var out []string
	for _, one := range c.list("cidrlist") {
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
func persistRule(z *Zone, c *call, a *Address, port int, cidrs []string, open bool) (*LBRule, error) {
	z, private := z, c.integer("privateport", 0)
	if a.Network == nil {
		return nil, api.BadParameter("Ip address %s is not assigned to the network %s", a.IP, c.str("networkid"))
	}
	if private < 0 || private > 65535 {
		return nil, api.BadParameter("privatePort is an invalid value: %d", private)
	}
	algorithm := c.str("algorithm")
	if !validAlgorithm(algorithm) {
		return nil, api.BadParameter("Invalid algorithm: %s", algorithm)
	}
	if !slices.Contains(a.Network.Offering.Services, "Lb") {
		return nil, api.BadParameter("LB service is not supported in specified network id")
	}
	if port < 0 || port > 65535 {
		return nil, api.BadParameter("publicPort is an invalid value: %d", port)
	}
	r := &LBRule{
		rule: rule{Purpose: purposeLB, Address: a, Network: a.Network, Account: a.Account, StartPort: port, EndPort: port, Protocol: "tcp", CIDRs: cidrs},
		Name: c.str("name"), Text: c.str("description"), Algorithm: algorithm, PrivateStart: private, PrivateEnd: private,
		LBProtocol: c.str("protocol"), Display: c.boolean("fordisplay", true),
	}
	if err := z.supported(r); err != nil {
		return nil, err
	}
	return r, storeRule(z, c, r, open)
}

func validAlgorithm(s string) bool {
	return slices.Contains([]string{"roundrobin", "leastconn", "source"}, strings.ToLower(s))
}

// supported is the provider's check, which is made only where a router exists
// (NetworkHelperImpl.validateHAProxyLBRule@4.20.0.0), but for the protocol's name.
func (z *Zone) supported(r *LBRule) error {
	protocol := strings.ToLower(r.LBProtocol)
	if !slices.Contains([]string{"", "tcp", "udp", "tcp-proxy"}, protocol) {
		return api.BadParameter("Protocol %s is not supported by the load balancer", r.LBProtocol)
	}
	if len(z.routersOf(r.Network)) > 0 && (r.StartPort == statsPort || protocol == "udp") {
		return api.BadParameter("LB service provider cannot support this rule")
	}
	return nil
}

// storeRule writes the rows. A conflict is found after the rule has its id, as the release does: the id is used up.
func storeRule(z *Zone, c *call, r *LBRule, open bool) error {
	ctx := c.ctx
	if err := z.insertRule(ctx, &r.rule); err != nil {
		return err
	}
	scheme, source, sourceNetwork := "Public", any(nil), any(nil)
	if r.Internal {
		scheme, source, sourceNetwork = "Internal", r.Address.IP.String(), r.Network.ID
	}
	row := obj{
		"id": r.ID, "name": r.Name, "description": nullText(r.Text), "default_port_start": r.PrivateStart, "default_port_end": r.PrivateEnd,
		"algorithm": r.Algorithm, "scheme": scheme, "source_ip_address": source, "source_ip_address_network_id": sourceNetwork, "lb_protocol": nullText(r.LBProtocol), "cidr_list": nullText(joinCIDRs(r.CIDRs)),
	}
	if _, err := z.insert(ctx, "cloud.load_balancing_rules", row); err != nil {
		return err
	}
	z.lbRules = append(z.lbRules, r)
	if open {
		if err := openFor(z, c, &r.rule); err != nil {
			return err
		}
	}
	if err := z.conflict(&r.rule); err != nil {
		if undo := z.removeLBRule(ctx, r); undo != nil {
			z.log.Error("removing a conflicting rule", "rule", r.ID, "err", undo)
		}
		return err
	}
	if err := z.setRuleState(ctx, &r.rule, stateAdd); err != nil {
		return err
	}
	return z.lbUsage(ctx, "LB.CREATE", r)
}

// finishRule is the job: nothing is pushed, only the firewall is opened.
func finishRule(z *Zone, c *call) (obj, error) {
	r := z.lbRuleByUUID(c.target.uuid)
	if r == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create load balancer rule"}
	}
	if firewallRefused(z, c, r) {
		return nil, failedRule(z, c, r)
	}
	for _, fw := range z.fwRules {
		if fw.Related == &r.rule {
			if err := z.setRuleState(c.ctx, fw, stateActive); err != nil {
				return nil, err
			}
		}
	}
	return obj{"loadbalancer": z.ruleAnswer(r)}, nil
}

// firewallRefused says whether the rule opened a firewall on a router that refuses it (CreateLoadBalancerRuleCmd@4.20.0.0).
func firewallRefused(z *Zone, c *call, r *LBRule) bool {
	if !slices.ContainsFunc(z.fwRules, func(fw *rule) bool { return fw.Related == &r.rule }) {
		return false
	}
	return slices.ContainsFunc(z.routersOf(r.Network), func(v *Router) bool {
		if v.State != "Running" {
			return false
		}
		answer := z.simulated("SetFirewallRulesCommand", v.Host)
		answer.answered()
		return answer.fails
	})
}

// failedRule takes a rule back whose job failed: it leaves a pair of usage events.
func failedRule(z *Zone, c *call, r *LBRule) error {
	failed := &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create load balancer rule"}
	if z.knobs[fault.FailedCreateEventLost] {
		return errors.Join(failed, z.removeLBRule(c.ctx, r))
	}
	return errors.Join(failed, z.revokeRelated(c.ctx, &r.rule), z.deleteLB(c.ctx, r, false))
}

func nullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// conflict compares a new rule with the live ones of its address (FirewallManagerImpl.detectRulesConflict@4.20.0.0).
func (z *Zone) conflict(r *rule) error {
	for _, o := range z.rulesOnAddress(r.Address) {
		if o == r || o.State == stateRevoke {
			continue
		}
		bothFirewall := o.Purpose == purposeFirewall && r.Purpose == purposeFirewall
		if o.Network != r.Network {
			return api.Conflict("New rule is for a different network than what's specified in rule %s", o.UUID)
		}
		oneFirewall := (o.Purpose == purposeFirewall || r.Purpose == purposeFirewall) &&
			(o.Purpose != r.Purpose || !strings.EqualFold(o.Protocol, r.Protocol))
		if oneFirewall || bothFirewall && !shareCIDR(o.CIDRs, r.CIDRs) {
			continue
		}
		if o.StartPort == 0 || r.StartPort == 0 || o.StartPort > r.EndPort || o.EndPort < r.StartPort {
			continue
		}
		if o.Purpose == purposePF && r.Purpose == purposePF && !strings.EqualFold(o.Protocol, r.Protocol) {
			continue
		}
		return api.Conflict("The range specified, %d-%d, conflicts with rule %d which has %d-%d", r.StartPort, r.EndPort, o.ID, o.StartPort, o.EndPort)
	}
	return nil
}

func shareCIDR(a, b []string) bool {
	return slices.ContainsFunc(a, func(one string) bool { return slices.Contains(b, one) })
}
