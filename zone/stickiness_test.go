package zone

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/push"
)

func TestStickinessRefusals(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	internal := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", rule)
	for _, one := range []struct {
		words []string
		text  string
	}{
		{[]string{"methodname=Nope"}, fmt.Sprintf("Failed to match Stickiness method name for LB rule:%d", internal)},
		{[]string{"methodname=SourceBased", "param[0].name=zzz", "param[0].value=1"}, "Failed : Stickiness " +
			"policy does not support param name :zzz"},
		{[]string{"methodname=SourceBased", "param[0].key=tablesize", "param[0].value=1k"}, "Failed : Stickiness " +
			"policy does not support param name :null"},
		{[]string{"methodname=LbCookie", "param[0].name=mode"}, "Failed : Value expected for the Param :mode"},
		{[]string{"methodname=SourceBased", "param[0].name=tablesize", "param[0].value=abc"},
			fmt.Sprintf("Failed LB in validation rule id: %d Cause: tablesize is not in size format: abc", internal)},
		{[]string{"methodname=SourceBased", "param[0].name=expire", "param[0].value=10"},
			fmt.Sprintf("Failed LB in validation rule id: %d Cause: expire is not in timeformat: 10", internal)},
		{[]string{"methodname=AppCookie", "param[0].name=length", "param[0].value=x"},
			fmt.Sprintf("Failed LB in validation rule id: %d Cause: length is not a number: x", internal)},
	} {
		e := b.refused("createLBStickinessPolicy", append([]string{"lbruleid=" + rule, "name=p"}, one.words...)...)
		assert.Equal(t, 431, e.Code)
		assert.Equal(t, 4350, e.CSCode)
		assert.Equal(t, one.text, e.Text)
	}
	none := b.refused("listLBStickinessPolicies")
	assert.Equal(t, "load balancer rule ID and stickiness policy ID can't be null", none.Text)
	list := b.one("listLBStickinessPolicies", "stickinesspolicies", "lbruleid="+rule)
	assert.Empty(t, list["stickinesspolicy"], "one object even without policies")
	assert.NotContains(t, list, "domainpath")
}

func TestStickinessParametersAreStoredAndPushed(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	b.taken()
	b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=p", "methodname=lbcookie", "param[0].name=cookie-name",
		"param[0].value=SRV",
		"param[1].name=nocache", "param[2].name=domain", "param[2].value=a", "param[3].name=domain", "param[3].value=b")
	p := b.taken()
	require.Equal(t, 1, len(p))
	assert.Equal(t, []push.StickinessTO{{Method: "lbcookie", Params: []push.PairTO{{First: "cookie-name",
		Second: "SRV"}, {First: "nocache", Second: "null"}, {First: "domain", Second: "a"},
		{First: "domain", Second: "b"}}}},
		balancer(t, p[0], rule).Stickiness)
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.load_balancer_stickiness_policies WHERE "+
		"params='cookie-name=SRV&nocache=null&domain=a&domain=b&'"))
	policy := b.one("listLBStickinessPolicies", "stickinesspolicies",
		"lbruleid="+rule)["stickinesspolicy"].([]any)[0].(obj)
	assert.Equal(t, obj{"cookie-name": "SRV", "nocache": "null", "domain": "b:a"}, policy["params"])
	assert.NotContains(t, policy, "state")
}

func TestFailedReplacementLosesTheOldPolicyLater(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	policies := func() []any {
		return b.one("listLBStickinessPolicies", "stickinesspolicies", "lbruleid="+rule)["stickinesspolicy"].([]any)
	}
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0])
	b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=old", "methodname=SourceBased")
	b.failing(true)
	assert.Equal(t, "530 Failed to create stickiness policy", b.broken("createLBStickinessPolicy", "lbruleid="+rule,
		"name=new", "methodname=LbCookie"))
	b.failing(false)
	require.Len(t, policies(), 1)
	assert.Equal(t, "old", policies()[0].(obj)["name"])
	assert.Equal(t, "Revoked", policies()[0].(obj)["state"])
	assert.Equal(t, "Active", b.ruleState(rule))
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.load_balancer_stickiness_policies WHERE `revoke`=1"))
	b.taken()
	b.job("updateLoadBalancerRule", "id="+rule, "algorithm=source")
	p := b.taken()
	require.Equal(t, 1, len(p))
	assert.Empty(t, balancer(t, p[0], rule).Stickiness)
	assert.Empty(t, policies())
}

func TestFailedPolicyDeleteRestoresIt(t *testing.T) {
	b := newBench(t, "4.19.1.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0])
	done := b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=p", "methodname=AppCookie")
	policy := done["stickinesspolicies"].(obj)["stickinesspolicy"].([]any)[0].(obj)["id"].(string)
	b.failing(true)
	assert.Equal(t, "530 Failed to delete load balancer stickiness policy",
		b.broken("deleteLBStickinessPolicy", "id="+policy))
	b.failing(false)
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.load_balancer_stickiness_policies WHERE `revoke`=1"))
	assert.Equal(t, "Active", b.ruleState(rule))
	b.job("deleteLBStickinessPolicy", "id="+policy)
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.load_balancer_stickiness_policies"))
}
