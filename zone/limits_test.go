package zone

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/tenancy"
)

// TestLimitsOfDomainsAbove: what a domain may have binds the accounts in it and below it, each on its own and all
// together.
func TestLimitsOfDomainsAbove(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	root := b.z.tenancy.Domains.All()[0].UUID
	outer := id(b.call("createDomain", "name=outer"), "domain")
	inner := id(b.call("createDomain", "name=inner", "parentdomainid="+outer), "domain")
	for _, name := range []string{"u", "v"} {
		b.call("createAccount", "account="+name, "username="+name, "password=p", "email=e", "firstname=f",
			"lastname=l", "domainid="+inner)
	}
	listed := func(domain string, typ int) string {
		return fmt.Sprint(b.one("listResourceLimits", "resourcelimit", "domainid="+domain,
			fmt.Sprint("resourcetype=", typ))["max"])
	}
	set := func(domain string, typ, max int) []string {
		return []string{"domainid=" + domain, fmt.Sprint("resourcetype=", typ), fmt.Sprint("max=", max)}
	}
	require.Equal(t, "-1", listed(inner, tenancy.LimitVPC), "domains have no limit unless they are given one")
	require.Equal(t, "20", fmt.Sprint(b.one("listResourceLimits", "resourcelimit", "account=u", "domainid="+inner,
		fmt.Sprint("resourcetype=", tenancy.LimitVPC))["max"]))
	require.Equal(t, 531, b.refused("updateResourceLimit", set(root, tenancy.LimitVPC, 5)...).Code)
	b.call("updateResourceLimit", set(outer, tenancy.LimitVPC, 1)...)
	require.Equal(t, "1", listed(inner, tenancy.LimitVPC), "that of the domain above")
	require.Equal(t, 431, b.refused("updateResourceLimit", set(inner, tenancy.LimitVPC, 2)...).Code,
		"no more than the domain above")

	vpc := []string{"zoneid=" + b.z.net.Site.UUID, "name=v", "cidr=10.0.0.0/16",
		"vpcofferingid=" + b.offering("listVPCOfferings", "vpcoffering", "Default VPC offering"), "domainid=" + inner}
	b.job("createVPC", append(vpc, "account=u")...)
	refused := b.refused("createVPC", append(vpc, "account=v")...)
	require.Equal(t, 535, refused.Code)
	require.Contains(t, refused.Text, "Maximum domain resource limits of Type 'vpc' for Domain Id = "+inner)
	require.Equal(t, "1", b.one("listDomains", "domain", "id="+inner)["vpclimit"])
	require.Equal(t, "0", b.one("listDomains", "domain", "id="+inner)["vpcavailable"])
	b.call("updateResourceLimit", set(outer, tenancy.LimitVPC, -1)...)
	b.job("createVPC", append(vpc, "account=v")...)
}

// TestLimitSettings: new accounts and domains have the limits that the configuration had when the server started.
func TestLimitSettings(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	require.NoError(t, b.z.Close(t.Context()))
	z, err := Open(t.Context(), Options{Release: "4.20.1.0", DB: testDatabase(t, "4.20.1.0"), Clock: b.clock,
		Settings: map[string]string{"max.account.vpcs": "3", "max.domain.networks": "5"}})
	require.NoError(t, err)
	b.z = z
	domain := id(b.call("createDomain", "name=d"), "domain")
	b.call("createAccount", "account=u", "username=u", "password=p", "email=e", "firstname=f", "lastname=l",
		"domainid="+domain)
	require.Equal(t, "3", b.one("listAccounts", "account", "account=u", "domainid="+domain)["vpclimit"])
	require.Equal(t, "5", b.one("listDomains", "domain", "id="+domain)["networklimit"])
	b.call("updateConfiguration", "name=max.account.vpcs", "value=9")
	require.Equal(t, "3", b.one("listAccounts", "account", "account=u", "domainid="+domain)["vpclimit"],
		"a setting counts from the next start")
	_, err = Open(t.Context(), Options{Release: "4.20.1.0", DB: testDatabase(t, "4.20.1.0"),
		Settings: map[string]string{"max.account.vpc": "3"}})
	require.ErrorContains(t, err, "no setting max.account.vpc")
}

// TestGroupsKeepLimits: members count as instances of the group's account.
func TestGroupsKeepLimits(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	domain := id(b.call("createDomain", "name=d"), "domain")
	b.call("createAccount", "account=u", "username=u", "password=p", "email=e", "firstname=f", "lastname=l",
		"domainid="+domain)
	b.call("updateResourceLimit", "account=u", "domainid="+domain, fmt.Sprint("resourcetype=", tenancy.LimitVM),
		"max=0")
	vpc := id(b.job("createVPC", "zoneid="+b.z.net.Site.UUID, "name=v", "cidr=10.0.0.0/16", "account=u",
		"domainid="+domain,
		"vpcofferingid="+b.offering("listVPCOfferings", "vpcoffering", "Default VPC offering")), "vpc")
	b.groupOf("u", b.rule(b.address(vpc), b.tier(vpc, 1), "grouped", 81))
	members := func() int {
		n := 0
		for _, vm := range b.z.compute.VMs.All() {
			if vm.Group != nil && vm.Removed.IsZero() {
				n++
			}
		}
		return n
	}
	require.NoError(t, b.z.Advance(t.Context(), 5*time.Minute))
	require.Zero(t, members(), "the group wants one, and may not have it")
	b.call("updateResourceLimit", "account=u", "domainid="+domain, fmt.Sprint("resourcetype=", tenancy.LimitVM),
		"max=-1")
	require.NoError(t, b.z.Advance(t.Context(), time.Minute))
	require.Positive(t, members())
}
