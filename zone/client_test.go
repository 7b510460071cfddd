package zone

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/apache/cloudstack-go/v2/cloudstack"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/net"
)

// TestGoClient: the Go client that people use signs, calls, waits for jobs and decodes what the zone answers.
func TestGoClient(t *testing.T) {
	z, err := Open(t.Context(), Options{Release: "4.20.1.0", DB: testDatabase(t, "4.20.1.0")})
	require.NoError(t, err)
	defer func() { require.NoError(t, z.Close(context.Background())) }()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	cs := cloudstack.NewAsyncClient(z.APIURL(), z.APIKey(), z.SecretKey(), false,
		cloudstack.WithHTTPClient(&http.Client{Transport: transport}))
	cs.AsyncTimeout(int64(time.Minute / time.Second))

	zone, count, err := cs.Zone.GetZoneID(net.SiteName)
	require.NoError(t, err)
	require.Equal(t, 1, count)
	offering, _, err := cs.VPC.GetVPCOfferingID("Default VPC offering")
	require.NoError(t, err)
	vpc, err := cs.VPC.CreateVPC(cs.VPC.NewCreateVPCParams("10.0.0.0/16", "v", "v", offering, zone))
	require.NoError(t, err)
	require.Equal(t, "Enabled", vpc.State)
	tiers, _, err := cs.NetworkOffering.GetNetworkOfferingID("DefaultIsolatedNetworkOfferingForVpcNetworks")
	require.NoError(t, err)
	p := cs.Network.NewCreateNetworkParams("t", tiers, zone)
	p.SetVpcid(vpc.Id)
	p.SetGateway("10.0.1.1")
	p.SetNetmask("255.255.255.0")
	tier, err := cs.Network.CreateNetwork(p)
	require.NoError(t, err)
	require.Equal(t, vpc.Id, tier.Vpcid)
	size, _, err := cs.ServiceOffering.GetServiceOfferingID("Small Instance")
	require.NoError(t, err)
	image, _, err := cs.Template.GetTemplateID("CentOS 5.6 (64-bit) no GUI (Simulator)", "executable", zone)
	require.NoError(t, err)
	d := cs.VirtualMachine.NewDeployVirtualMachineParams(size, image, zone)
	d.SetNetworkids([]string{tier.Id})
	vm, err := cs.VirtualMachine.DeployVirtualMachine(d)
	require.NoError(t, err)
	require.Equal(t, "Running", vm.State)
	require.Equal(t, "10.0.1.2", vm.Nic[0].Ipaddress)
	a := cs.Address.NewAssociateIpAddressParams()
	a.SetVpcid(vpc.Id)
	address, err := cs.Address.AssociateIpAddress(a)
	require.NoError(t, err)
	l := cs.LoadBalancer.NewCreateLoadBalancerRuleParams("roundrobin", "web", 8080, 80)
	l.SetPublicipid(address.Id)
	l.SetNetworkid(tier.Id)
	rule, err := cs.LoadBalancer.CreateLoadBalancerRule(l)
	require.NoError(t, err)
	require.Equal(t, "80", rule.Publicport)
	assign := cs.LoadBalancer.NewAssignToLoadBalancerRuleParams(rule.Id)
	assign.SetVirtualmachineids([]string{vm.Id})
	done, err := cs.LoadBalancer.AssignToLoadBalancerRule(assign)
	require.NoError(t, err)
	require.True(t, done.Success)
	rules, err := cs.LoadBalancer.ListLoadBalancerRules(cs.LoadBalancer.NewListLoadBalancerRulesParams())
	require.NoError(t, err)
	require.Equal(t, 1, rules.Count)
	require.Equal(t, "Active", rules.LoadBalancerRules[0].State)
	types, err := cs.Usage.ListUsageTypes(cs.Usage.NewListUsageTypesParams())
	require.NoError(t, err)
	require.Equal(t, 25, types.Count)
	_, err = cs.VPC.DeleteVPC(cs.VPC.NewDeleteVPCParams(vpc.Id))
	require.ErrorContains(t, err, "used by 1 networks")
}
