package zone

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/net"
)

func TestSimulatorMocks(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	mock := b.call("configureSimulator", "zoneid="+b.z.net.Site.UUID, "name=LoadBalancerConfigCommand",
		"value=wait:0", "count=1000")
	assert.Equal(t, obj{"null": obj{"id": 1., "zoneid": float64(b.z.net.Site.ID), "name": "LoadBalancerConfigCommand",
		"count": 1000.}}, mock)
	b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=s", "methodname=SourceBased")
	assert.EqualValues(t, 999, b.call("querySimulatorMock", "id=1")["null"].(obj)["count"], "one push counted")
	b.call("configureSimulator", "zoneid="+b.z.net.Site.UUID, "name=LoadBalancerConfigCommand", "value=result:fail",
		"count=1")
	b.broken("deleteLoadBalancerRule", "id="+rule)
	assert.EqualValues(t, 0, b.call("querySimulatorMock", "id=1")["null"].(obj)["count"])
	b.job("deleteLoadBalancerRule", "id="+rule)
	assert.Equal(t, obj{"success": true}, b.call("cleanupSimulatorMock", "id=1"))
	assert.Equal(t, "Failed to query mock", b.refused("querySimulatorMock", "id=1").Text)
	assert.Equal(t, 530, b.refused("cleanupSimulatorMock", "id=1").Code)
}

// TestMockLosesCounts sends two routers a push at the same time: the simulator counts one.
func TestMockLosesCounts(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	var rules []string
	for range 2 {
		site := b.vpcSite(1)
		rules = append(rules, b.rule(b.address(site.vpc), site.tier, "A", 80))
	}
	count := func() any { return b.call("querySimulatorMock", "id=1")["null"].(obj)["count"] }
	b.call("configureSimulator", "zoneid="+b.z.net.Site.UUID, "name=LoadBalancerConfigCommand", "value=wait:0",
		"count=1000")
	g := &gate{entered: make(chan net.Push), open: make(chan struct{})}
	b.z.kernel.Lock()
	b.z.net.Pushes = g
	b.z.kernel.Unlock()
	for _, rule := range rules {
		b.call("createLBStickinessPolicy", "lbruleid="+rule, "name=s", "methodname=SourceBased")
	}
	<-g.entered
	<-g.entered
	assert.EqualValues(t, 1000, count(), "counted when it is answered")
	close(g.open)
	require.NoError(t, b.z.Jobs(t.Context()))
	assert.EqualValues(t, 999, count())
}

// TestOldestMock: of several that apply the oldest is taken, also where its count is used up and another's is not.
func TestOldestMock(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	b.call("configureSimulator", "name=LoadBalancerConfigCommand", "value=wait:0", "count=1")
	b.call("configureSimulator", "zoneid="+b.z.net.Site.UUID, "name=LoadBalancerConfigCommand", "value=result:fail",
		"count=5")
	b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=s", "methodname=SourceBased")
	b.job("updateLoadBalancerRule", "id="+rule, "algorithm=source")
	assert.EqualValues(t, 0, b.call("querySimulatorMock", "id=1")["null"].(obj)["count"])
	assert.EqualValues(t, 5, b.call("querySimulatorMock", "id=2")["null"].(obj)["count"])
}

func TestMockWords(t *testing.T) {
	for text, want := range map[string]compute.MockAnswer{
		"wait:0": {}, "result:fail": {Fails: true}, "result:fault;wait:5": {Fails: true, Wait: 5e6},
		"timeout:3": {Fails: true}, "enabled:true": {},
		"wait:soon": {}, "result:ok": {}, "": {},
	} {
		assert.Equal(t, want, compute.ParseMock(text), text)
	}
}
