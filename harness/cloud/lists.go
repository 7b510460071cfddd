package cloud

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/apache/cloudstack-go/v2/cloudstack"
)

// Objects as cloudstack-go decodes them; TestRecordedLists holds each against the recorded answers.
type (
	Zone               = cloudstack.Zone
	VPCOffering        = cloudstack.VPCOffering
	NetworkOffering    = cloudstack.NetworkOffering
	ServiceOffering    = cloudstack.ServiceOffering
	Domain             = cloudstack.Domain
	Account            = cloudstack.Account
	User               = cloudstack.User
	ResourceLimit      = cloudstack.ResourceLimit
	VPC                = cloudstack.VPC
	Network            = cloudstack.Network
	PublicIPAddress    = cloudstack.PublicIpAddress
	VirtualMachine     = cloudstack.VirtualMachine
	LoadBalancerRule   = cloudstack.LoadBalancerRule
	PortForwardingRule = cloudstack.PortForwardingRule
	FirewallRule       = cloudstack.FirewallRule
	Counter            = cloudstack.Counter
	Condition          = cloudstack.Condition
	AutoScalePolicy    = cloudstack.AutoScalePolicy
	AutoScaleVMProfile = cloudstack.AutoScaleVmProfile
	AutoScaleVMGroup   = cloudstack.AutoScaleVmGroup
	Configuration      = cloudstack.Configuration
	Event              = cloudstack.Event
	Router             = cloudstack.Router
	Template           = cloudstack.Template
)

// Lists take filters by the command's own parameter names; nil lists all. Owned objects are listed for all accounts
// that the caller may see, unless the filter says listall itself.

// ListZones calls listZones.
func (c *Client) ListZones(ctx context.Context, filter Params) ([]*Zone, error) {
	s := c.Library(ctx, filter).Zone
	r, err := s.ListZones(s.NewListZonesParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listZones", r.Count, r.Zones)
}

// ListVPCOfferings calls listVPCOfferings.
func (c *Client) ListVPCOfferings(ctx context.Context, filter Params) ([]*VPCOffering, error) {
	s := c.Library(ctx, filter).VPC
	r, err := s.ListVPCOfferings(s.NewListVPCOfferingsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listVPCOfferings", r.Count, r.VPCOfferings)
}

// ListNetworkOfferings calls listNetworkOfferings.
func (c *Client) ListNetworkOfferings(ctx context.Context, filter Params) ([]*NetworkOffering, error) {
	s := c.Library(ctx, filter).NetworkOffering
	r, err := s.ListNetworkOfferings(s.NewListNetworkOfferingsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listNetworkOfferings", r.Count, r.NetworkOfferings)
}

// ListServiceOfferings calls listServiceOfferings.
func (c *Client) ListServiceOfferings(ctx context.Context, filter Params) ([]*ServiceOffering, error) {
	s := c.Library(ctx, filter).ServiceOffering
	r, err := s.ListServiceOfferings(s.NewListServiceOfferingsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listServiceOfferings", r.Count, r.ServiceOfferings)
}

// ListDomains calls listDomains.
func (c *Client) ListDomains(ctx context.Context, filter Params) ([]*Domain, error) {
	s := c.Library(ctx, everywhere(filter)).Domain
	r, err := s.ListDomains(s.NewListDomainsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listDomains", r.Count, r.Domains)
}

// ListAccounts calls listAccounts.
func (c *Client) ListAccounts(ctx context.Context, filter Params) ([]*Account, error) {
	s := c.Library(ctx, everywhere(filter)).Account
	r, err := s.ListAccounts(s.NewListAccountsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listAccounts", r.Count, r.Accounts)
}

// ListUsers calls listUsers.
func (c *Client) ListUsers(ctx context.Context, filter Params) ([]*User, error) {
	s := c.Library(ctx, everywhere(filter)).User
	r, err := s.ListUsers(s.NewListUsersParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listUsers", r.Count, r.Users)
}

// ListResourceLimits calls listResourceLimits.
func (c *Client) ListResourceLimits(ctx context.Context, filter Params) ([]*ResourceLimit, error) {
	s := c.Library(ctx, filter).Limit
	r, err := s.ListResourceLimits(s.NewListResourceLimitsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listResourceLimits", r.Count, r.ResourceLimits)
}

// ListVPCs calls listVPCs.
func (c *Client) ListVPCs(ctx context.Context, filter Params) ([]*VPC, error) {
	s := c.Library(ctx, everywhere(filter)).VPC
	r, err := s.ListVPCs(s.NewListVPCsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listVPCs", r.Count, r.VPCs)
}

// ListNetworks calls listNetworks.
func (c *Client) ListNetworks(ctx context.Context, filter Params) ([]*Network, error) {
	s := c.Library(ctx, everywhere(filter)).Network
	r, err := s.ListNetworks(s.NewListNetworksParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listNetworks", r.Count, r.Networks)
}

// ListPublicIPAddresses calls listPublicIpAddresses.
func (c *Client) ListPublicIPAddresses(ctx context.Context, filter Params) ([]*PublicIPAddress, error) {
	s := c.Library(ctx, everywhere(filter)).Address
	r, err := s.ListPublicIpAddresses(s.NewListPublicIpAddressesParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listPublicIpAddresses", r.Count, r.PublicIpAddresses)
}

// ListVirtualMachines calls listVirtualMachines.
func (c *Client) ListVirtualMachines(ctx context.Context, filter Params) ([]*VirtualMachine, error) {
	s := c.Library(ctx, everywhere(filter)).VirtualMachine
	r, err := s.ListVirtualMachines(s.NewListVirtualMachinesParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listVirtualMachines", r.Count, r.VirtualMachines)
}

// ListLoadBalancerRules calls listLoadBalancerRules.
func (c *Client) ListLoadBalancerRules(ctx context.Context, filter Params) ([]*LoadBalancerRule, error) {
	s := c.Library(ctx, everywhere(filter)).LoadBalancer
	r, err := s.ListLoadBalancerRules(s.NewListLoadBalancerRulesParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listLoadBalancerRules", r.Count, r.LoadBalancerRules)
}

// ListPortForwardingRules calls listPortForwardingRules.
func (c *Client) ListPortForwardingRules(ctx context.Context, filter Params) ([]*PortForwardingRule, error) {
	s := c.Library(ctx, everywhere(filter)).Firewall
	r, err := s.ListPortForwardingRules(s.NewListPortForwardingRulesParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listPortForwardingRules", r.Count, r.PortForwardingRules)
}

// ListFirewallRules calls listFirewallRules.
func (c *Client) ListFirewallRules(ctx context.Context, filter Params) ([]*FirewallRule, error) {
	s := c.Library(ctx, everywhere(filter)).Firewall
	r, err := s.ListFirewallRules(s.NewListFirewallRulesParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listFirewallRules", r.Count, r.FirewallRules)
}

// ListCounters calls listCounters.
func (c *Client) ListCounters(ctx context.Context, filter Params) ([]*Counter, error) {
	s := c.Library(ctx, filter).AutoScale
	r, err := s.ListCounters(s.NewListCountersParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listCounters", r.Count, r.Counters)
}

// ListConditions calls listConditions.
func (c *Client) ListConditions(ctx context.Context, filter Params) ([]*Condition, error) {
	s := c.Library(ctx, everywhere(filter)).AutoScale
	r, err := s.ListConditions(s.NewListConditionsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listConditions", r.Count, r.Conditions)
}

// ListAutoScalePolicies calls listAutoScalePolicies.
func (c *Client) ListAutoScalePolicies(ctx context.Context, filter Params) ([]*AutoScalePolicy, error) {
	s := c.Library(ctx, everywhere(filter)).AutoScale
	r, err := s.ListAutoScalePolicies(s.NewListAutoScalePoliciesParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listAutoScalePolicies", r.Count, r.AutoScalePolicies)
}

// ListAutoScaleVMProfiles calls listAutoScaleVmProfiles.
func (c *Client) ListAutoScaleVMProfiles(ctx context.Context, filter Params) ([]*AutoScaleVMProfile, error) {
	s := c.Library(ctx, everywhere(filter)).AutoScale
	r, err := s.ListAutoScaleVmProfiles(s.NewListAutoScaleVmProfilesParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listAutoScaleVmProfiles", r.Count, r.AutoScaleVmProfiles)
}

// ListAutoScaleVMGroups calls listAutoScaleVmGroups.
func (c *Client) ListAutoScaleVMGroups(ctx context.Context, filter Params) ([]*AutoScaleVMGroup, error) {
	s := c.Library(ctx, everywhere(filter)).AutoScale
	r, err := s.ListAutoScaleVmGroups(s.NewListAutoScaleVmGroupsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listAutoScaleVmGroups", r.Count, r.AutoScaleVmGroups)
}

// ListConfigurations calls listConfigurations.
func (c *Client) ListConfigurations(ctx context.Context, filter Params) ([]*Configuration, error) {
	s := c.Library(ctx, filter).Configuration
	r, err := s.ListConfigurations(s.NewListConfigurationsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listConfigurations", r.Count, r.Configurations)
}

// ListEvents calls listEvents.
func (c *Client) ListEvents(ctx context.Context, filter Params) ([]*Event, error) {
	s := c.Library(ctx, everywhere(filter)).Event
	r, err := s.ListEvents(s.NewListEventsParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listEvents", r.Count, r.Events)
}

// ListRouters calls listRouters.
func (c *Client) ListRouters(ctx context.Context, filter Params) ([]*Router, error) {
	s := c.Library(ctx, everywhere(filter)).Router
	r, err := s.ListRouters(s.NewListRoutersParams())
	if err != nil {
		return nil, plain(err)
	}
	return listed("listRouters", r.Count, r.Routers)
}

// ListTemplates calls listTemplates; which is featured, self, executable, all (administrators only) ...
func (c *Client) ListTemplates(ctx context.Context, which string, filter Params) ([]*Template, error) {
	s := c.Library(ctx, filter).Template
	r, err := s.ListTemplates(s.NewListTemplatesParams(which))
	if err != nil {
		return nil, plain(err)
	}
	return listed("listTemplates", r.Count, r.Templates)
}

// ListLoadBalancerRuleInstances lists the VMs that are assigned to a rule.
func (c *Client) ListLoadBalancerRuleInstances(ctx context.Context, lbRuleID string) ([]*VirtualMachine, error) {
	s := c.Library(ctx, nil).LoadBalancer
	r, err := s.ListLoadBalancerRuleInstances(s.NewListLoadBalancerRuleInstancesParams(lbRuleID))
	if err != nil {
		return nil, plain(err)
	}
	return listed("listLoadBalancerRuleInstances", r.Count, r.LoadBalancerRuleInstances)
}

// All calls any list command and returns the entries of all its pages as they were answered, for callers that treat
// objects of many kinds alike.
func (c *Client) All(ctx context.Context, command string, filter Params) ([]json.RawMessage, error) {
	inner, err := c.whole(ctx, command, everywhere(filter))
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := decode(command, inner, &fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, nil
	}
	key, list, count := listOf(inner)
	if key == "" && count == 0 && len(fields) == 1 && fields["count"] != nil {
		return nil, nil
	}
	if key == "" {
		return nil, fmt.Errorf("%s: %w", command, unexpected(command, "a list", inner))
	}
	return list, nil
}
