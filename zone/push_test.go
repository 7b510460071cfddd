package zone

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/net"
)

// The numbers are those counted on a running 4.20.0.0 (facts: confirmed.md, pushes per call).
func TestPushesPerCall(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(3)
	a1, a2 := b.address(site.vpc), b.address(site.vpc)
	count := func(want int, what string, f func()) {
		t.Helper()
		b.taken()
		f()
		assert.Equal(t, want, len(b.taken()), what)
	}
	var a, g, group string
	var policy string
	count(0, "createLoadBalancerRule", func() {
		a = b.rule(a1, site.tier, "A", 80)
		g = b.rule(a2, site.tier, "G",
			80)
	})
	count(1, "assign two at once", func() {
		b.job("assignToLoadBalancerRule", "id="+a, "virtualmachineids="+site.vms[0]+","+site.vms[1])
	})
	count(1, "create policy", func() {
		b.job("createLBStickinessPolicy", "lbruleid="+a, "name=s",
			"methodname=SourceBased")
	})
	count(1, "replace policy", func() {
		done := b.job("createLBStickinessPolicy", "lbruleid="+a, "name=r", "methodname=LbCookie")
		policy = done["stickinesspolicies"].(obj)["stickinesspolicy"].([]any)[0].(obj)["id"].(string)
	})
	count(0, "update policy", func() { b.job("updateLBStickinessPolicy", "id="+policy, "fordisplay=true") })
	count(0, "update name, same algorithm, protocol", func() {
		b.job("updateLoadBalancerRule", "id="+a, "name=new")
		b.job("updateLoadBalancerRule", "id="+a, "algorithm=roundrobin")
		b.job("updateLoadBalancerRule", "id="+a, "protocol=tcp-proxy")
	})
	count(1, "update algorithm", func() { b.job("updateLoadBalancerRule", "id="+a, "algorithm=source") })
	count(1, "update algorithm's case", func() { b.job("updateLoadBalancerRule", "id="+a, "algorithm=Source") })
	count(1, "remove", func() { b.job("removeFromLoadBalancerRule", "id="+a, "virtualmachineids="+site.vms[1]) })
	count(0, "stop and destroy a member of A", func() {
		b.job("stopVirtualMachine", "id="+site.vms[0])
		b.job("destroyVirtualMachine", "id="+site.vms[0])
	})
	count(1, "createAutoScaleVmGroup", func() { group = b.group(g, 2) })
	count(2, "monitor brings two members", func() { b.advance(11 * time.Second) })
	count(1, "disable", func() { b.job("disableAutoScaleVmGroup", "id="+group) })
	count(0, "update while disabled", func() { b.job("updateAutoScaleVmGroup", "id="+group, "maxmembers=3") })
	count(1, "policy while disabled", func() {
		b.job("createLBStickinessPolicy", "lbruleid="+g, "name=s",
			"methodname=SourceBased")
	})
	count(1, "enable", func() { b.job("enableAutoScaleVmGroup", "id="+group) })
	count(0, "enable when enabled", func() { b.job("enableAutoScaleVmGroup", "id="+group) })
	count(3, "delete the group with cleanup", func() { b.job("deleteAutoScaleVmGroup", "id="+group, "cleanup=true") })
	assert.Equal(t, "Add", b.ruleState(g), "the rule outlives its group")
	count(1, "delete a rule that is only in Add", func() { b.job("deleteLoadBalancerRule", "id="+g) })
	count(1, "delete A", func() { b.job("deleteLoadBalancerRule", "id="+a) })
}

func TestPushCarriesAllTiers(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	tier2 := b.tier(site.vpc, 2)
	other := b.vm(tier2, "other")
	first := b.rule(b.address(site.vpc), site.tier, "first", 80)
	second := b.rule(b.address(site.vpc), tier2, "second", 81)
	b.job("assignToLoadBalancerRule", "id="+first, "virtualmachineids="+site.vms[0])
	b.taken()
	b.job("assignToLoadBalancerRule", "id="+second, "virtualmachineids="+other)
	pushes := b.taken()
	require.Equal(t, 1, len(pushes))
	cmd := sent(t, pushes[0])
	require.Len(t, cmd.LoadBalancers, 2)
	assert.Equal(t, []string{first, second}, []string{cmd.LoadBalancers[0].UUID, cmd.LoadBalancers[1].UUID})
	assert.Equal(t, "10.0.2.1", cmd.NIC.IP, "the NIC is that of the tier whose rule changed")
	assert.Equal(t, "10.0.2.1", cmd.Access.GuestIP)
	assert.Contains(t, pushes[0].Line, "Seq ")
	assert.Contains(t, b.log.String(), pushes[0].Line, "the log holds the push's line")
}

func TestRevokedThingsAreFlagged(t *testing.T) {
	b := newBench(t, "4.19.1.0")
	site := b.vpcSite(2)
	a := b.address(site.vpc)
	rule, sibling := b.rule(a, site.tier, "A", 80), b.rule(a, site.tier, "B", 81)
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0]+","+site.vms[1])
	b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=s", "methodname=SourceBased")
	b.taken()
	b.job("removeFromLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[1])
	p := b.taken()
	require.Equal(t, 1, len(p))
	members := balancer(t, p[0], rule).Destinations
	require.Len(t, members, 2)
	assert.Equal(t, []string{"false", "true"}, []string{members[0].Revoked, members[1].Revoked})
	b.job("deleteLoadBalancerRule", "id="+rule)
	p = b.taken()
	require.Equal(t, 1, len(p))
	dead := balancer(t, p[0], rule)
	assert.Equal(t, "true", dead.Revoked)
	assert.Equal(t, "true", dead.Destinations[0].Revoked)
	assert.Len(t, dead.Stickiness, 1, "a revoked rule still carries its policy")
	assert.Equal(t, "false", balancer(t, p[0], sibling).Revoked)
}

func TestSequencesRise(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	for i := range 4 {
		b.job("updateLoadBalancerRule", "id="+rule, fmt.Sprintf("algorithm=%s", []string{"source", "leastconn"}[i%2]))
	}
	pushes := b.taken()
	require.Equal(t, 4, len(pushes))
	for i, p := range pushes[1:] {
		assert.Greater(t, p.Seq, pushes[i].Seq)
		assert.Equal(t, pushes[0].Router, p.Router)
	}
}

func TestStoppedRouterCountsAsDone(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	router := b.one("listRouters", "router", "listall=true", "vpcid="+site.vpc)["id"].(string)
	b.job("stopRouter", "id="+router)
	b.taken()
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0])
	assert.Empty(t, b.taken())
	assert.Equal(t, "Active", b.ruleState(rule))
	b.job("startRouter", "id="+router)
	pushes := b.taken()
	require.Equal(t, 1, len(pushes), "a starting router gets all in one push")
	assert.True(t, pushes[0].Aggregated)
	assert.Len(t, balancer(t, pushes[0], rule).Destinations, 1)
	assert.Contains(t, pushes[0].Line, "AggregationControlCommand")
}

func TestPushFaults(t *testing.T) {
	sticky := func(b *bench, p []net.Push, rule string) int {
		require.NotEmpty(b, p)
		return len(balancer(b, p[len(p)-1], rule).Stickiness)
	}
	for _, one := range []struct {
		knob  release.Knob
		check func(b *bench, p []net.Push, rule, sibling string)
	}{
		{fault.PushLost, func(b *bench, p []net.Push, _, _ string) { assert.Empty(b, p) }},
		{fault.PushStale, func(b *bench, p []net.Push, rule, _ string) { assert.Zero(b, sticky(b, p, rule)) }},
		{fault.PushPartial, func(b *bench, p []net.Push, rule, sibling string) {
			assert.NotNil(b, balancer(b, p[0], rule))
			assert.Nil(b, balancer(b, p[0], sibling))
		}},
		{fault.PolicyDropped, func(b *bench, p []net.Push, rule, _ string) { assert.Zero(b, sticky(b, p, rule)) }},
		{fault.PolicyWrongRule, func(b *bench, p []net.Push, rule, sibling string) {
			assert.Zero(b, sticky(b, p, rule))
			assert.Equal(b, 1, sticky(b, p, sibling))
		}},
		{fault.MemberMissing, func(b *bench, p []net.Push, rule, _ string) {
			assert.Len(b,
				balancer(b, p[0], rule).Destinations, 1)
		}},
		{"", func(b *bench, p []net.Push, rule, sibling string) {
			assert.Equal(b, 1, sticky(b, p, rule))
			assert.Zero(b, sticky(b, p, sibling))
			assert.Len(b, balancer(b, p[0], rule).Destinations, 2)
		}},
	} {
		t.Run(string(one.knob), func(t *testing.T) {
			var words []release.Knob
			if one.knob != "" {
				words = []release.Knob{one.knob}
			}
			b := newBench(t, "4.20.1.0", words...)
			site := b.vpcSite(2)
			a := b.address(site.vpc)
			rule, sibling := b.rule(a, site.tier, "A", 80), b.rule(a, site.tier, "B", 81)
			b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0]+","+site.vms[1])
			b.taken()
			b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=s", "methodname=SourceBased")
			one.check(b, b.taken(), rule, sibling)
		})
	}
}

// Two routers of a redundant VPC get each change one after the other; a first that fails stops.
func TestRedundantRouters(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	vpc := id(b.job("createVPC", "zoneid="+b.z.net.Site.UUID, "name=v", "displaytext=v", "cidr=10.0.0.0/16",
		"vpcofferingid="+b.offering("listVPCOfferings", "vpcoffering", "Redundant VPC offering")), "vpc")
	tier := b.tier(vpc, 1)
	vm := b.vm(tier, "vm")
	rule := b.rule(b.address(vpc), tier, "A", 80)
	b.taken()
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+vm)
	pushes := b.taken()
	require.Equal(t, 2, len(pushes))
	assert.NotEqual(t, pushes[0].Router, pushes[1].Router)
	first, second := sent(t, pushes[0]), sent(t, pushes[1])
	assert.Equal(t, first.LoadBalancers, second.LoadBalancers)
	assert.NotEqual(t, first.NIC.NICUUID, second.NIC.NICUUID)
	b.failing(true)
	b.broken("deleteLoadBalancerRule", "id="+rule)
	assert.Equal(t, 1, len(b.taken()))
}

// Every planted fault has words and a part, and none is on in a profile.
func TestKnobs(t *testing.T) {
	seen := map[release.Knob]bool{}
	for _, k := range fault.AllKnobs() {
		assert.NotEmpty(t, k.About, k.Name)
		assert.Contains(t, []string{"api", "usage", "router"}, k.Part, k.Name)
		assert.False(t, seen[k.Name], "%s twice", k.Name)
		seen[k.Name] = true
	}
	for _, name := range release.All() {
		on, err := release.ProfileKnobs(name)
		require.NoError(t, err)
		for _, k := range fault.All() {
			assert.False(t, on[k.Name], "%s in %s", k.Name, name)
		}
	}
}
