package zone

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/faults"
)

func TestRuleCreateWritesItsRowsBeforeTheJob(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(0)
	a := b.address(site.vpc)
	rule := b.rule(a, site.tier, "A", 80)
	internal := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", rule)
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.load_balancing_rules WHERE id=?", internal))
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.usage_event WHERE type='LB.CREATE' AND resource_id=?",
		internal))
	rows, err := b.z.kernel.DB().Query("SELECT state, description FROM cloud.event WHERE type='LB.CREATE' ORDER BY id")
	require.NoError(t, err)
	defer func() { assert.NoError(t, rows.Close()) }()
	var states []string
	for rows.Next() {
		var state, text string
		require.NoError(t, rows.Scan(&state, &text))
		states = append(states, state+": "+text)
	}
	require.NoError(t, rows.Err())
	assert.Equal(t, []string{
		fmt.Sprintf("Completed: Successfully completed creating load balancer. Load balancer Id: %d", internal),
		"Scheduled: creating load balancer: A account: null",
	}, states)
	assert.Equal(t, "Add", b.ruleState(rule))
}

// A conflicting rule uses its id up, as an id that the database once gave is not given again.
func TestRuleRefusals(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	a, free := b.address(site.vpc), b.address(site.vpc)
	first := b.rule(a, site.tier, "A", 80)
	number := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", first)
	base := func(words ...string) []string {
		return append([]string{"publicipid=" + free, "networkid=" + site.tier, "name=x", "algorithm=source",
			"publicport=81", "privateport=81"}, words...)
	}
	for _, one := range []struct {
		words []string
		code  int
		cs    int
		text  string
	}{
		{[]string{"name=x"}, 431, 9999, "Unable to execute API command createloadbalancerrule due to missing " +
			"parameter algorithm"},
		{base("algorithm=foo"), 431, 9999, "Invalid algorithm: foo"},
		{base("privateport=70000"), 431, 9999, "privatePort is an invalid value: 70000"},
		{base("publicport=70000"), 431, 9999, "publicPort is an invalid value: 70000"},
		{base("publicport=8081"), 431, 9999, "LB service provider cannot support this rule"},
		{base("protocol=udp"), 431, 9999, "LB service provider cannot support this rule"},
		{base("cidrlist=10.0.0.0/40"), 431, 9999, "CIDR [10.0.0.0/40] is invalid."},
		{base("openfirewall=true"), 431, 9999, "Can't have openFirewall=true when IP address belongs to VPC"},
		{base("publicipid="+a, "publicport=80"), 537, 9999, fmt.Sprintf("The range specified, 80-80, conflicts "+
			"with rule %d which has 80-80", number)},
	} {
		e := b.refused("createLoadBalancerRule", one.words...)
		assert.Equal(t, one.code, e.Code, one.text)
		assert.Equal(t, one.cs, e.CSCode, one.text)
		assert.Equal(t, one.text, e.Text)
	}
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.user_ip_address WHERE uuid=? AND network_id IS NOT NULL",
		free), "a refused rule unties its address again")
	next := b.rule(free, site.tier, "B", 80)
	assert.Equal(t, number+2, b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", next))
	health := b.refused("createLBHealthCheckPolicy", "lbruleid="+first)
	assert.Equal(t, 430, health.Code)
	assert.Contains(t, health.Text, "not supported by LB Provider")
	const nobody = "id=00000000-0000-0000-0000-000000000000"
	for _, command := range []string{"updateLBHealthCheckPolicy", "deleteLBHealthCheckPolicy"} {
		policy := b.refused(command, nobody)
		assert.Equal(t, 431, policy.Code, command)
		assert.Contains(t, policy.Text, "Invalid parameter id value=00000000-", command)
		assert.Contains(t, b.refused(command).Text, "missing parameter id", command)
	}
	gone := b.refused("listLoadBalancerRules", "id=00000000-0000-0000-0000-000000000000")
	assert.Equal(t, 431, gone.Code)
	assert.Contains(t, gone.Text, "entity does not exist")
}

func TestFailedDelete(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(2)
	a := b.address(site.vpc)
	rule, sibling := b.rule(a, site.tier, "A", 80), b.rule(a, site.tier, "B", 81)
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0]+","+site.vms[1])
	internal := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", rule)
	events := func() int {
		return b.count("SELECT COUNT(*) FROM cloud.usage_event WHERE type='LB.DELETE' AND resource_id=?", internal)
	}
	b.failing(true)
	assert.Equal(t, fmt.Sprintf("530 Unable to remove load balancer rule %d", internal),
		b.broken("deleteLoadBalancerRule", "id="+rule))
	b.failing(false)
	assert.Equal(t, "Active", b.ruleState(rule), "the rule's state is restored")
	assert.Equal(t, 1, events(), "the usage event stays")
	revoked := "SELECT COUNT(*) FROM cloud.load_balancer_vm_map WHERE load_balancer_id=? AND `revoke`=1"
	assert.Equal(t, 2, b.count(revoked,
		internal), "the mappings stay revoked")
	b.taken()
	b.job("assignToLoadBalancerRule", "id="+sibling, "virtualmachineids="+site.vms[0])
	p := b.taken()
	require.Equal(t, 1, len(p))
	for _, d := range balancer(t, p[0], rule).Destinations {
		assert.Equal(t, "true", d.Revoked, "the next good push drops the living rule's backends")
	}
	b.job("deleteLoadBalancerRule", "id="+rule)
	assert.Equal(t, 2, events(), "a later delete writes a second event")
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.firewall_rules WHERE id=?", internal))
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.load_balancing_rules WHERE id=?", internal))
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.load_balancer_vm_map WHERE load_balancer_id=?", internal))
}

func TestFailedMemberChanges(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	site := b.vpcSite(2)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	rows := func(where string) int {
		return b.count("SELECT COUNT(*) FROM cloud.load_balancer_vm_map WHERE " + where)
	}
	b.failing(true)
	assert.Equal(t, "530 Failed to assign load balancer rule", b.broken("assignToLoadBalancerRule", "id="+rule,
		"virtualmachineids="+site.vms[0]))
	assert.Zero(t, rows("1=1"))
	assert.Equal(t, "Add", b.ruleState(rule))
	b.failing(false)
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0]+","+site.vms[1])
	b.failing(true)
	b.broken("removeFromLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0])
	assert.Zero(t, rows("`revoke`=1"), "a VM named by its id is restored")
	vm := b.z.compute.VMByUUID(site.vms[1])
	b.broken("removeFromLoadBalancerRule", "id="+rule, "vmidipmap[0].vmid="+vm.UUID,
		"vmidipmap[0].vmip="+vm.NICs[0].IP.String())
	assert.Equal(t, 1, rows("`revoke`=1"), "one named by its address stays revoked, the release's defect")
	b.failing(false)
	b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=s", "methodname=SourceBased")
	assert.Equal(t, 1, rows("1=1"), "and is gone after the next good push")
}

func TestFailedAlgorithmChange(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0])
	b.failing(true)
	b.broken("updateLoadBalancerRule", "id="+rule, "algorithm=source", "name=other")
	now := b.one("listLoadBalancerRules", "loadbalancerrule", "id="+rule)
	assert.Equal(t, "roundrobin", now["algorithm"])
	assert.Equal(t, "A", now["name"])
	assert.Equal(t, "Active", now["state"])
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.load_balancing_rules WHERE algorithm='roundrobin'"))
	b.failing(false)
	done := b.job("updateLoadBalancerRule", "id="+rule, "algorithm=source")["loadbalancer"].(obj)
	assert.Equal(t, "Add", done["state"], "the job answers the state before the push")
	assert.Equal(t, "Active", b.ruleState(rule))
	b.taken()
	b.job("updateLoadBalancerRule", "id="+rule, "algorithm=nonsense")
	p := b.taken()
	require.Equal(t, 1, len(p))
	assert.Equal(t, "nonsense", balancer(t, p[0], rule).Algorithm, "an update's algorithm is not looked at")
}

func TestListFilters(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	a, other := b.address(site.vpc), b.address(site.vpc)
	one, two := b.rule(a, site.tier, "one", 80, "description=the first"), b.rule(other, site.tier, "two", 80)
	b.job("assignToLoadBalancerRule", "id="+two, "virtualmachineids="+site.vms[0])
	for _, c := range []struct {
		words []string
		want  []string
	}{
		{nil, []string{one, two}},
		{[]string{"listall=true", "name=two"}, []string{two}},
		{[]string{"keyword=FIRST"}, []string{one}},
		{[]string{"publicipid=" + other}, []string{two}},
		{[]string{"networkid=" + site.tier}, []string{one, two}},
		{[]string{"virtualmachineid=" + site.vms[0]}, []string{two}},
		{[]string{"tags[0].key=a", "tags[0].value=b"}, nil},
		{[]string{"fordisplay=false"}, nil},
		{[]string{"page=2", "pagesize=1"}, []string{two}},
		{[]string{"id=" + one, "name=two"}, nil},
	} {
		answer := b.call("listLoadBalancerRules", c.words...)
		var got []string
		list, _ := answer["loadbalancerrule"].([]any)
		for _, r := range list {
			got = append(got, r.(obj)["id"].(string))
		}
		assert.Equal(t, c.want, got, "%v", c.words)
		if c.want == nil {
			assert.Empty(t, answer, "an empty list has no count")
		}
	}
	members := b.call("listLoadBalancerRuleInstances", "id="+two, "lbvmips=true")["lbrulevmidip"].([]any)
	require.Len(t, members, 1)
	assert.Equal(t, []any{b.z.compute.VMByUUID(site.vms[0]).NICs[0].IP.String()}, members[0].(obj)["lbvmipaddresses"])
	assert.Empty(t, b.call("listLoadBalancerRuleInstances", "id="+two, "applied=false"))
}

func TestAddressIsTiedToItsTierByRules(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(0)
	a := b.address(site.vpc)
	tied := func() int {
		return b.count("SELECT COUNT(*) FROM cloud.user_ip_address WHERE uuid=? AND network_id IS NOT NULL", a)
	}
	assert.Zero(t, tied())
	rule := b.rule(a, site.tier, "A", 80)
	assert.Equal(t, 1, tied())
	b.job("deleteLoadBalancerRule", "id="+rule)
	assert.Zero(t, tied(), "the last rule's end unties it")
}

func TestUsageEventFaults(t *testing.T) {
	for knob, want := range map[release.Knob]struct{ mine, sibling int }{
		"": {1, 0}, fault.DeleteEventLost: {0, 0}, fault.DeleteEventTwice: {2, 0}, fault.DeleteEventWrongRule: {0, 1},
		fault.DeleteEventLate: {0, 0},
	} {
		t.Run(string(knob), func(t *testing.T) {
			var words []release.Knob
			if knob != "" {
				words = append(words, knob)
			}
			b := newBench(t, "4.20.1.0", words...)
			site := b.vpcSite(0)
			a := b.address(site.vpc)
			rule, sibling := b.rule(a, site.tier, "A", 80), b.rule(a, site.tier, "B", 81)
			id := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", rule)
			other := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", sibling)
			b.job("deleteLoadBalancerRule", "id="+rule)
			of := func(id int) int {
				return b.count("SELECT COUNT(*) FROM cloud.usage_event WHERE type='LB.DELETE' AND resource_id=?", id)
			}
			assert.Equal(t, want.mine, of(id))
			assert.Equal(t, want.sibling, of(other))
			if knob == fault.DeleteEventLate {
				b.advance(faults.EventShift)
				assert.Equal(t, 1, of(id))
			}
		})
	}
}

// An address release whose push fails leaves the rule in Revoke and the address Releasing; a second one ends both,
// without further usage events.
func TestFailedAddressRelease(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	a := b.address(site.vpc)
	rule := b.rule(a, site.tier, "A", 80)
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0])
	b.failing(true)
	assert.Equal(t, "530 Failed to disassociate IP address", b.broken("disassociateIpAddress", "id="+a))
	b.failing(false)
	assert.Equal(t, "Deleting", b.ruleState(rule))
	assert.Equal(t, "Releasing", b.one("listPublicIpAddresses", "publicipaddress", "id="+a)["state"])
	b.job("disassociateIpAddress", "id="+a)
	assert.Empty(t, b.call("listLoadBalancerRules"))
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.usage_event WHERE type='LB.DELETE'"))
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.usage_event e JOIN cloud.user_ip_address i ON "+
		"i.id=e.resource_id WHERE e.type='NET.IPRELEASE' AND i.uuid=?", a))
}
