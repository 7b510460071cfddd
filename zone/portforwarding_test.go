package zone

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/release"
)

func TestPortForwardingSharesTheIDs(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	a, other := b.address(site.vpc), b.address(site.vpc)
	pf := id(b.job("createPortForwardingRule", "ipaddressid="+a, "privateport=22", "publicport=2222", "protocol=tcp",
		"virtualmachineid="+site.vms[0], "networkid="+site.tier), "portforwardingrule")
	rule := b.rule(other, site.tier, "A", 80)
	first := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", pf)
	assert.Equal(t, first+1, b.count("SELECT id FROM cloud.load_balancing_rules WHERE id=(SELECT id FROM "+
		"cloud.firewall_rules WHERE uuid=?)", rule))
	assert.Equal(t, int(b.z.net.Site.ID), b.count("SELECT zone_id FROM cloud.usage_event WHERE "+
		"type='NET.RULEADD' AND resource_id=?", first))
	same := b.refused("createPortForwardingRule", "ipaddressid="+a, "privateport=22", "publicport=2222",
		"protocol=tcp", "virtualmachineid="+site.vms[0])
	assert.Equal(t, 537, same.Code)
	taken := b.refused("createLoadBalancerRule", "publicipid="+a, "networkid="+site.tier, "name=x",
		"algorithm=source", "publicport=2222", "privateport=1")
	assert.Equal(t, 431, taken.Code, "tiers of that release do not share addresses")
	assert.Contains(t, taken.Text, "is already used as PortForwarding rather than Lb.")
	listed := b.one("listPortForwardingRules", "portforwardingrule")
	assert.Equal(t, "2222", listed["publicport"], "ports are text")
	b.job("deletePortForwardingRule", "id="+pf)
	assert.Zero(t, b.count("SELECT zone_id FROM cloud.usage_event WHERE type='NET.RULEDELETE' AND resource_id=?",
		first), "the delete event has zone 0")
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.firewall_rules WHERE id=?", first))
}

// A VPC's address release with a group bound takes the port forwarding rules and refuses then, in every release.
func TestAddressReleaseIsRefusedTooLate(t *testing.T) {
	for _, late := range []bool{true, false} {
		word := release.AddressReleaseGuardLate.Off()
		if late {
			word = release.AddressReleaseGuardLate
		}
		b := newBench(t, "4.21.0.0", word)
		site := b.vpcSite(1)
		a := b.address(site.vpc)
		b.group(b.rule(a, site.tier, "G", 80), 1)
		b.job("createPortForwardingRule", "ipaddressid="+a, "privateport=22", "publicport=2222", "protocol=tcp",
			"virtualmachineid="+site.vms[0])
		assert.Contains(t, b.broken("disassociateIpAddress", "id="+a), "530 Cannot delete load balancer rule")
		want := 1
		if late {
			want = 0
		}
		assert.Equal(t, want, b.count("SELECT COUNT(*) FROM cloud.port_forwarding_rules"))
		assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.user_ip_address WHERE uuid=? AND state='Allocated'", a))
	}
}

func TestOpenFirewallTakesAnID(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	network := id(b.call("createNetwork", "zoneid="+b.z.net.Site.UUID, "name=iso", "displaytext=iso",
		"networkofferingid="+b.offering("listNetworkOfferings", "networkoffering",
			"DefaultIsolatedNetworkOfferingWithSourceNatService")), "network")
	vm := b.vm(network, "vm")
	a := id(b.job("associateIpAddress", "networkid="+network), "ipaddress")
	rule := id(b.job("createLoadBalancerRule", "publicipid="+a, "name=A", "algorithm=source", "publicport=80",
		"privateport=80"), "loadbalancer")
	internal := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", rule)
	fw := b.one("listFirewallRules", "firewallrule", "ipaddressid="+a)
	assert.EqualValues(t, 80, fw["startport"], "ports are numbers here")
	assert.Equal(t, internal+1, b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", fw["id"]))
	nat := b.refused("enableStaticNat", "ipaddressid="+a, "virtualmachineid="+vm)
	assert.Equal(t, 537, nat.Code)
	assert.Contains(t, nat.Text, "as it already has LoadBalancing rules assigned")
	b.job("deleteLoadBalancerRule", "id="+rule)
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.firewall_rules"), "the firewall rule goes with it")
	b.call("enableStaticNat", "ipaddressid="+a, "virtualmachineid="+vm)
	assert.Equal(t, 537, b.refused("createLoadBalancerRule", "publicipid="+a, "name=A", "algorithm=source",
		"publicport=80", "privateport=80").Code)
	b.job("disableStaticNat", "ipaddressid="+a)
}

// The address of an isolated network is answered as it was before it was marked as allocated, where the release reads
// it too early; lists say what is, and addresses of a VPC are read again.
func TestAssociatedAddressIsAnsweredAllocating(t *testing.T) {
	for name, want := range map[string]string{"4.20.0.0": "Allocated", "4.19.3.0": "Allocating",
		"4.20.1.0": "Allocating", "4.22.1.0": "Allocating"} {
		b := newBench(t, name)
		network := id(b.call("createNetwork", "zoneid="+b.z.net.Site.UUID, "name=iso", "displaytext=iso",
			"networkofferingid="+b.offering("listNetworkOfferings", "networkoffering",
				"DefaultIsolatedNetworkOfferingWithSourceNatService")), "network")
		first := b.job("associateIpAddress", "networkid="+network)["ipaddress"].(obj)
		assert.Equal(t, want, first["state"], name)
		assert.Equal(t, "Allocated", b.one("listPublicIpAddresses", "publicipaddress",
			"id="+first["id"].(string))["state"], name)
		s := b.vpcSite(0)
		assert.Equal(t, "Allocated", b.job("associateIpAddress", "vpcid="+s.vpc)["ipaddress"].(obj)["state"], name)
	}
}
