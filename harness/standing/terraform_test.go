package standing

import (
	"testing"

	"github.com/apache/cloudstack-go/v2/cloudstack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// terraform does, with the provider's own client, what Terraform's CloudStack provider does for vpc, network_acl,
// network_acl_rule, network, ipaddress, instance, loadbalancer_rule, the autoscale resources and tags: create, read,
// update, and destroy until nothing is left (apache/cloudstack-terraform-provider,
// cloudstack/resource_cloudstack_*.go).
func terraform(t *testing.T, l *Lab) {
	c := goClient(t, l)
	p := provider{t: t, c: c}
	p.zone, _, p.err = c.Zone.GetZoneID("Sandbox-simulator")
	require.NoError(t, p.err)
	p.find()
	vpc := p.vpc()
	acl := p.acl(vpc)
	tier := p.network(vpc, acl)
	vm := p.instance(tier)
	address := p.ipaddress(vpc)
	rule := p.loadBalancerRule(address, tier, []string{vm}, "manual", 81)
	empty := p.loadBalancerRule(address, tier, nil, "scaled", 80)
	destroyGroup := p.autoscale(empty)
	p.usage()
	destroyGroup()
	p.destroy(vpc, acl, tier, vm, address, rule, empty)
}

// provider does what the provider does for each resource.
type provider struct {
	t                       *testing.T
	c                       *cloudstack.CloudStackClient
	zone, size, image, vpcs string
	tiers                   string
	err                     error
}

func (p *provider) find() {
	sizes := p.c.ServiceOffering.NewListServiceOfferingsParams()
	sizes.SetName("Small Instance")
	sizes.SetZoneid(p.zone)
	found, err := p.c.ServiceOffering.ListServiceOfferings(sizes)
	require.NoError(p.t, err)
	require.Equal(p.t, 1, found.Count)
	p.size = found.ServiceOfferings[0].Id
	p.image, _, err = p.c.Template.GetTemplateID("CentOS 5.6 (64-bit) no GUI (Simulator)", "executable", p.zone)
	require.NoError(p.t, err)
	p.vpcs, _, err = p.c.VPC.GetVPCOfferingID("Default VPC offering")
	require.NoError(p.t, err)
	p.tiers, _, err = p.c.NetworkOffering.GetNetworkOfferingID("DefaultIsolatedNetworkOfferingForVpcNetworks")
	require.NoError(p.t, err)
	_, count, err := p.c.NetworkOffering.GetNetworkOfferingByID(p.tiers)
	require.NoError(p.t, err)
	require.Equal(p.t, 1, count)
	projects, err := p.c.Project.ListProjects(p.c.Project.NewListProjectsParams())
	require.NoError(p.t, err)
	require.Zero(p.t, projects.Count)
}

// tagged sets tags, changes one as updateTags does, and gives what is left.
func (p *provider) tagged(id, kind string) map[string]string {
	p.t.Helper()
	_, err := p.c.Resourcetags.CreateTags(p.c.Resourcetags.NewCreateTagsParams([]string{id}, kind,
		map[string]string{"stage": "test", "owner": "ops"}))
	require.NoError(p.t, err, kind)
	again := p.c.Resourcetags.NewCreateTagsParams([]string{id}, kind, map[string]string{"stage": "other"})
	_, err = p.c.Resourcetags.CreateTags(again)
	require.ErrorContains(p.t, err, "already on", "a key that is there is not changed")
	remove := p.c.Resourcetags.NewDeleteTagsParams([]string{id}, kind)
	remove.SetTags(map[string]string{"stage": "test"})
	_, err = p.c.Resourcetags.DeleteTags(remove)
	require.NoError(p.t, err)
	_, err = p.c.Resourcetags.CreateTags(again)
	require.NoError(p.t, err)
	list := p.c.Resourcetags.NewListTagsParams()
	list.SetResourceid(id)
	found, err := p.c.Resourcetags.ListTags(list)
	require.NoError(p.t, err)
	tags := map[string]string{}
	for _, one := range found.Tags {
		tags[one.Key] = one.Value
	}
	require.Equal(p.t, map[string]string{"stage": "other", "owner": "ops"}, tags)
	return tags
}

func shown(tags []cloudstack.Tags) map[string]string {
	out := map[string]string{}
	for _, one := range tags {
		out[one.Key] = one.Value
	}
	return out
}

func (p *provider) vpc() string {
	made, err := p.c.VPC.CreateVPC(p.c.VPC.NewCreateVPCParams("10.2.0.1/16", "tf", "tf", p.vpcs, p.zone))
	require.NoError(p.t, err, "only the form of a CIDR is checked")
	tags := p.tagged(made.Id, "Vpc")
	read, count, err := p.c.VPC.GetVPCByID(made.Id, cloudstack.WithProject("-1"))
	require.NoError(p.t, err)
	require.Equal(p.t, 1, count)
	assert.Equal(p.t, tags, shown(read.Tags))
	other, err := p.c.VPC.CreateVPC(p.c.VPC.NewCreateVPCParams("10.3.0.0/16", "plain", "plain", p.vpcs, p.zone))
	require.NoError(p.t, err)
	by := p.c.VPC.NewListVPCsParams()
	by.SetTags(map[string]string{"stage": "other"})
	found, err := p.c.VPC.ListVPCs(by)
	require.NoError(p.t, err)
	assert.Equal(p.t, 1, found.Count, "only the one with the tag")
	_, err = p.c.VPC.DeleteVPC(p.c.VPC.NewDeleteVPCParams(other.Id))
	require.NoError(p.t, err)
	nat := p.c.Address.NewListPublicIpAddressesParams()
	nat.SetVpcid(made.Id)
	nat.SetIssourcenat(true)
	addresses, err := p.c.Address.ListPublicIpAddresses(nat)
	require.NoError(p.t, err)
	require.Equal(p.t, 1, addresses.Count)
	return made.Id
}

func (p *provider) acl(vpc string) string {
	create := p.c.NetworkACL.NewCreateNetworkACLListParams("web", vpc)
	create.SetDescription("web only")
	made, err := p.c.NetworkACL.CreateNetworkACLList(create)
	require.NoError(p.t, err)
	read, _, err := p.c.NetworkACL.GetNetworkACLListByID(made.Id)
	require.NoError(p.t, err)
	assert.Equal(p.t, []string{"web", "web only", vpc}, []string{read.Name, read.Description, read.Vpcid})
	var rules []string
	for number, port := range []int{80, 443} {
		r := p.c.NetworkACL.NewCreateNetworkACLParams("tcp")
		r.SetAclid(made.Id)
		r.SetNumber(10 * (number + 1))
		r.SetAction("allow")
		r.SetCidrlist([]string{"10.0.0.0/8", "192.168.0.0/16"})
		r.SetStartport(port)
		r.SetEndport(port)
		r.SetTraffictype("ingress")
		r.SetReason("people")
		rule, err := p.c.NetworkACL.CreateNetworkACL(r)
		require.NoError(p.t, err)
		rules = append(rules, rule.Id)
	}
	change := p.c.NetworkACL.NewUpdateNetworkACLItemParams(rules[0])
	change.SetAction("deny")
	_, err = p.c.NetworkACL.UpdateNetworkACLItem(change)
	require.NoError(p.t, err)
	change.SetNumber(20)
	_, err = p.c.NetworkACL.UpdateNetworkACLItem(change)
	require.ErrorContains(p.t, err, "already exists")
	list := p.c.NetworkACL.NewListNetworkACLsParams()
	list.SetAclid(made.Id)
	found, err := p.c.NetworkACL.ListNetworkACLs(list)
	require.NoError(p.t, err)
	require.Equal(p.t, 2, found.Count)
	first := found.NetworkACLs[0]
	assert.Equal(p.t, []any{"Deny", 10, "Ingress", "10.0.0.0/8,192.168.0.0/16", "80"}, []any{first.Action, first.Number,
		first.Traffictype, first.Cidrlist, first.Startport})
	_, err = p.c.NetworkACL.DeleteNetworkACL(p.c.NetworkACL.NewDeleteNetworkACLParams(rules[1]))
	require.NoError(p.t, err)
	return made.Id
}

func (p *provider) network(vpc, acl string) string {
	create := p.c.Network.NewCreateNetworkParams("tf-tier", p.tiers, p.zone)
	create.SetVpcid(vpc)
	create.SetGateway("10.2.1.1")
	create.SetNetmask("255.255.255.0")
	create.SetAclid("8d0ac52a-9f1f-4bd5-9f6e-000000000000")
	_, err := p.c.Network.CreateNetwork(create)
	require.ErrorContains(p.t, err, "aclid", "an ACL that does not exist")
	create.SetAclid(acl)
	made, err := p.c.Network.CreateNetwork(create)
	require.NoError(p.t, err)
	tags := p.tagged(made.Id, "network")
	read, _, err := p.c.Network.GetNetworkByID(made.Id, cloudstack.WithProject("-1"))
	require.NoError(p.t, err)
	assert.Equal(p.t, acl, read.Aclid)
	assert.Equal(p.t, tags, shown(read.Tags))
	lists := p.c.NetworkACL.NewListNetworkACLListsParams()
	lists.SetName("default_allow")
	all, err := p.c.NetworkACL.ListNetworkACLLists(lists)
	require.NoError(p.t, err)
	require.Equal(p.t, 1, all.Count)
	for _, id := range []string{all.NetworkACLLists[0].Id, acl} {
		replace := p.c.NetworkACL.NewReplaceNetworkACLListParams(id)
		replace.SetNetworkid(made.Id)
		_, err := p.c.NetworkACL.ReplaceNetworkACLList(replace)
		require.NoError(p.t, err)
		read, _, err = p.c.Network.GetNetworkByID(made.Id)
		require.NoError(p.t, err)
		assert.Equal(p.t, id, read.Aclid)
	}
	return made.Id
}

func (p *provider) instance(tier string) string {
	d := p.c.VirtualMachine.NewDeployVirtualMachineParams(p.size, p.image, p.zone)
	d.SetNetworkids([]string{tier})
	d.SetName("tf-vm")
	d.SetDetails(map[string]string{"cpu": "host"})
	d.SetGroup("web")
	made, err := p.c.VirtualMachine.DeployVirtualMachine(d)
	require.NoError(p.t, err)
	tags := p.tagged(made.Id, "userVm")
	u := p.c.VirtualMachine.NewUpdateVirtualMachineParams(made.Id)
	u.SetDisplayname("first")
	_, err = p.c.VirtualMachine.UpdateVirtualMachine(u)
	require.NoError(p.t, err)
	read, _, err := p.c.VirtualMachine.GetVirtualMachineByID(made.Id)
	require.NoError(p.t, err)
	assert.Equal(p.t, []string{"first", "web", "host"}, []string{read.Displayname, read.Group, read.Details["cpu"]})
	assert.Equal(p.t, tags, shown(read.Tags))
	disks := p.c.Volume.NewListVolumesParams()
	disks.SetType("ROOT")
	disks.SetVirtualmachineid(made.Id)
	found, err := p.c.Volume.ListVolumes(disks)
	require.NoError(p.t, err)
	require.Equal(p.t, 1, found.Count)
	nics, err := p.c.Nic.ListNics(p.c.Nic.NewListNicsParams(made.Id))
	require.NoError(p.t, err)
	require.Equal(p.t, 1, nics.Count)
	assert.Equal(p.t, read.Nic[0].Ipaddress, nics.Nics[0].Ipaddress)
	return made.Id
}

func (p *provider) ipaddress(vpc string) string {
	a := p.c.Address.NewAssociateIpAddressParams()
	a.SetVpcid(vpc)
	a.SetZoneid(p.zone)
	made, err := p.c.Address.AssociateIpAddress(a)
	require.NoError(p.t, err)
	tags := p.tagged(made.Id, "PublicIpAddress")
	read, _, err := p.c.Address.GetPublicIpAddressByID(made.Id)
	require.NoError(p.t, err)
	assert.Equal(p.t, tags, shown(read.Tags))
	return made.Id
}

func (p *provider) loadBalancerRule(address, tier string, members []string, name string, port int) string {
	create := p.c.LoadBalancer.NewCreateLoadBalancerRuleParams("roundrobin", name, 8080, port)
	create.SetOpenfirewall(false)
	create.SetDescription(name)
	create.SetNetworkid(tier)
	create.SetPublicipid(address)
	made, err := p.c.LoadBalancer.CreateLoadBalancerRule(create)
	require.NoError(p.t, err)
	assign := p.c.LoadBalancer.NewAssignToLoadBalancerRuleParams(made.Id)
	assign.SetVirtualmachineids(members)
	_, err = p.c.LoadBalancer.AssignToLoadBalancerRule(assign)
	require.NoError(p.t, err, "no members are no error")
	u := p.c.LoadBalancer.NewUpdateLoadBalancerRuleParams(made.Id)
	u.SetAlgorithm("source")
	_, err = p.c.LoadBalancer.UpdateLoadBalancerRule(u)
	require.NoError(p.t, err)
	found, err := p.c.LoadBalancer.ListLoadBalancerRuleInstances(
		p.c.LoadBalancer.NewListLoadBalancerRuleInstancesParams(made.Id))
	require.NoError(p.t, err)
	require.Len(p.t, found.LoadBalancerRuleInstances, len(members))
	p.tagged(made.Id, "LoadBalancer")
	return made.Id
}

// autoscale makes a group with all that it needs, and gives what destroys them.
func (p *provider) autoscale(rule string) func() {
	s := p.c.AutoScale
	counter, err := s.CreateCounter(s.NewCreateCounterParams("traffic", "VpcVirtualRouter",
		"virtualrouter", "public.network.received.average.mbps"))
	require.NoError(p.t, err)
	accounts, err := p.c.Account.ListAccounts(p.c.Account.NewListAccountsParams())
	require.NoError(p.t, err)
	condition := s.NewCreateConditionParams(counter.Id, "GT", 90)
	condition.SetAccount("admin")
	condition.SetDomainid(accounts.Accounts[0].Domainid)
	hot, err := s.CreateCondition(condition)
	require.NoError(p.t, err)
	var policies []string
	for _, action := range []string{"ScaleUp", "ScaleDown"} {
		made, err := s.CreateAutoScalePolicy(s.NewCreateAutoScalePolicyParams(action, []string{hot.Id}, 60))
		require.NoError(p.t, err)
		policies = append(policies, made.Id)
	}
	profile, err := s.CreateAutoScaleVmProfile(s.NewCreateAutoScaleVmProfileParams(p.size, p.image, p.zone))
	require.NoError(p.t, err)
	_, _, err = s.GetAutoScaleVmProfileByID(profile.Id)
	require.NoError(p.t, err)
	create := s.NewCreateAutoScaleVmGroupParams(rule, 2, 1, policies[1:], policies[:1], profile.Id)
	create.SetName("tf-group")
	group, err := s.CreateAutoScaleVmGroup(create)
	require.NoError(p.t, err)
	list := s.NewListAutoScaleVmGroupsParams()
	list.SetLbruleid(rule)
	found, err := s.ListAutoScaleVmGroups(list)
	require.NoError(p.t, err)
	require.Equal(p.t, 1, found.Count)
	return func() {
		_, err := s.DisableAutoScaleVmGroup(s.NewDisableAutoScaleVmGroupParams(group.Id))
		require.NoError(p.t, err)
		drop := s.NewDeleteAutoScaleVmGroupParams(group.Id)
		drop.SetCleanup(true)
		_, err = s.DeleteAutoScaleVmGroup(drop)
		require.NoError(p.t, err)
		_, err = s.DeleteAutoScaleVmProfile(s.NewDeleteAutoScaleVmProfileParams(profile.Id))
		require.NoError(p.t, err)
		for _, id := range policies {
			_, err = s.DeleteAutoScalePolicy(s.NewDeleteAutoScalePolicyParams(id))
			require.NoError(p.t, err)
		}
		_, err = s.DeleteCondition(s.NewDeleteConditionParams(hot.Id))
		require.NoError(p.t, err)
		_, err = s.DeleteCounter(s.NewDeleteCounterParams(counter.Id))
		require.NoError(p.t, err)
	}
}

// usage is what the Kubernetes provider asks before it starts, and a bill.
func (p *provider) usage() {
	servers, err := p.c.Management.ListManagementServersMetrics(p.c.Management.NewListManagementServersMetricsParams())
	require.NoError(p.t, err)
	require.Equal(p.t, 1, servers.Count)
	assert.Equal(p.t, "4.20.1.0", servers.ManagementServersMetrics[0].Version)
	able, err := p.c.Configuration.ListCapabilities(p.c.Configuration.NewListCapabilitiesParams())
	require.NoError(p.t, err)
	assert.Equal(p.t, "4.20.1.0", able.Capabilities.Cloudstackversion)
	_, err = p.c.Usage.ListUsageRecords(p.c.Usage.NewListUsageRecordsParams("2030-01-02", "2020-01-01"))
	require.NoError(p.t, err)
}

// destroy removes everything, in the order of dependencies; what is still used is refused first.
func (p *provider) destroy(vpc, acl, tier, vm, address string, rules ...string) {
	_, err := p.c.NetworkACL.DeleteNetworkACLList(p.c.NetworkACL.NewDeleteNetworkACLListParams(acl))
	require.ErrorContains(p.t, err, "still associated")
	for _, r := range rules {
		_, err := p.c.LoadBalancer.DeleteLoadBalancerRule(p.c.LoadBalancer.NewDeleteLoadBalancerRuleParams(r))
		require.NoError(p.t, err)
	}
	_, err = p.c.Address.DisassociateIpAddress(p.c.Address.NewDisassociateIpAddressParams(address))
	require.NoError(p.t, err)
	d := p.c.VirtualMachine.NewDestroyVirtualMachineParams(vm)
	d.SetExpunge(true)
	_, err = p.c.VirtualMachine.DestroyVirtualMachine(d)
	require.NoError(p.t, err)
	_, err = p.c.Network.DeleteNetwork(p.c.Network.NewDeleteNetworkParams(tier))
	require.NoError(p.t, err)
	_, err = p.c.NetworkACL.DeleteNetworkACLList(p.c.NetworkACL.NewDeleteNetworkACLListParams(acl))
	require.NoError(p.t, err)
	_, err = p.c.VPC.DeleteVPC(p.c.VPC.NewDeleteVPCParams(vpc))
	require.NoError(p.t, err)
	tags, err := p.c.Resourcetags.ListTags(p.c.Resourcetags.NewListTagsParams())
	require.NoError(p.t, err)
	for _, one := range tags.Tags {
		assert.Equal(p.t, "LoadBalancer", one.Resourcetype, "only these outlive their objects (tags-outlive-rule)")
	}
}
