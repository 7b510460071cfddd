package standing

import (
	"net"
	"testing"

	"github.com/apache/cloudstack-go/v2/cloudstack"
	"github.com/stretchr/testify/require"
)

// balanced is a rule of a tier, with two members.
type balanced struct {
	vpc, tier, rule string
	address         string // host:port
	members         []string
}

// balance makes a VPC with a tier, two instances and a rule in front of them.
func balance(t *testing.T, l *Lab, name, cidr, gateway string) balanced {
	t.Helper()
	c := goClient(t, l)
	zone, _, err := c.Zone.GetZoneID("Sandbox-simulator")
	require.NoError(t, err)
	offering, _, err := c.VPC.GetVPCOfferingID("Default VPC offering")
	require.NoError(t, err)
	vpc, err := c.VPC.CreateVPC(c.VPC.NewCreateVPCParams(cidr, name, name, offering, zone))
	require.NoError(t, err)
	tiers, _, err := c.NetworkOffering.GetNetworkOfferingID("DefaultIsolatedNetworkOfferingForVpcNetworks")
	require.NoError(t, err)
	p := c.Network.NewCreateNetworkParams(name, tiers, zone)
	p.SetVpcid(vpc.Id)
	p.SetGateway(gateway)
	p.SetNetmask("255.255.255.0")
	tier, err := c.Network.CreateNetwork(p)
	require.NoError(t, err)
	size, _, err := c.ServiceOffering.GetServiceOfferingID("Small Instance")
	require.NoError(t, err)
	image, _, err := c.Template.GetTemplateID("CentOS 5.6 (64-bit) no GUI (Simulator)", "executable", zone)
	require.NoError(t, err)
	b := balanced{vpc: vpc.Id, tier: tier.Id}
	for range 2 {
		d := c.VirtualMachine.NewDeployVirtualMachineParams(size, image, zone)
		d.SetNetworkids([]string{tier.Id})
		vm, err := c.VirtualMachine.DeployVirtualMachine(d)
		require.NoError(t, err)
		b.members = append(b.members, vm.Id)
	}
	a := c.Address.NewAssociateIpAddressParams()
	a.SetVpcid(vpc.Id)
	address, err := c.Address.AssociateIpAddress(a)
	require.NoError(t, err)
	b.rule = b.rules(t, c, address.Id, name)
	b.address = net.JoinHostPort(address.Ipaddress, "80")
	return b
}

// rules makes the rule and gives it its members.
func (b balanced) rules(t *testing.T, c *cloudstack.CloudStackClient, address, name string) string {
	t.Helper()
	r := c.LoadBalancer.NewCreateLoadBalancerRuleParams("roundrobin", name, 8080, 80)
	r.SetPublicipid(address)
	r.SetNetworkid(b.tier)
	rule, err := c.LoadBalancer.CreateLoadBalancerRule(r)
	require.NoError(t, err)
	assign := c.LoadBalancer.NewAssignToLoadBalancerRuleParams(rule.Id)
	assign.SetVirtualmachineids(b.members)
	_, err = c.LoadBalancer.AssignToLoadBalancerRule(assign)
	require.NoError(t, err)
	return rule.Id
}
