package zone

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/net"
)

// gate holds pushes back until it is opened.
type gate struct {
	entered chan net.Push
	open    chan struct{}
}

func (g *gate) Push(ctx context.Context, p net.Push) error {
	select {
	case g.entered <- p:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) RouterState(context.Context, string, string) error { return nil }

// While a push is on its way the zone answers other calls, and what changes meanwhile goes with the next push.
func TestZoneAnswersDuringAPush(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	a := b.address(site.vpc)
	rule := b.rule(a, site.tier, "A", 80)
	g := &gate{entered: make(chan net.Push), open: make(chan struct{})}
	b.z.kernel.Lock()
	b.z.net.Pushes = g
	b.z.kernel.Unlock()
	job := b.call("createLBStickinessPolicy", "lbruleid="+rule, "name=s", "methodname=SourceBased")["jobid"].(string)
	first := <-g.entered
	assert.NotNil(t, balancer(t, first, rule))
	assert.EqualValues(t, 0, b.call("queryAsyncJobResult", "jobid="+job)["jobstatus"])
	assert.Len(t, b.one("listLBStickinessPolicies", "stickinesspolicies", "lbruleid="+rule)["stickinesspolicy"], 1,
		"listed before it is applied")
	other := b.call("createLoadBalancerRule", "publicipid="+a, "networkid="+site.tier, "name=B", "algorithm=source",
		"publicport=81", "privateport=81")["id"].(string)
	close(g.open)
	require.NoError(t, b.z.Jobs(t.Context()))
	assert.EqualValues(t, 1, b.call("queryAsyncJobResult", "jobid="+job)["jobstatus"])
	go func() { <-g.entered }()
	b.job("updateLoadBalancerRule", "id="+rule, "algorithm=source")
	assert.Equal(t, "Add", b.ruleState(other))
}

// Jobs of several networks, group monitors and time at once: every push to a router arrives in the order of its
// sequence.
func TestConcurrentPushesKeepTheirOrder(t *testing.T) {
	b := newBench(t, "4.19.1.0")
	var rules []string
	for range 2 {
		site := b.vpcSite(1)
		a := b.address(site.vpc)
		for n := range 2 {
			rules = append(rules, b.rule(a, site.tier, fmt.Sprint("r", n), 80+n))
		}
		b.group(b.rule(a, site.tier, "g", 90), 2)
	}
	b.taken()
	var calls sync.WaitGroup
	for _, rule := range rules {
		calls.Go(func() {
			for i := range 6 {
				_, err := b.z.Call(context.Background(), b.z.tenancy.Admin, "updateLoadBalancerRule",
					map[string]string{"id": rule, "algorithm": []string{"source", "leastconn"}[i%2]})
				assert.NoError(t, err)
			}
		})
	}
	b.advance(12 * time.Second)
	calls.Wait()
	require.NoError(t, b.z.Jobs(t.Context()))
	last := map[string]int64{}
	pushes := b.taken()
	for _, p := range pushes {
		assert.Greater(t, p.Seq, last[p.Router])
		last[p.Router] = p.Seq
	}
	assert.Len(t, last, 2)
	assert.Equal(t, 4*6+2*2, len(pushes))
}

// A panic of whoever takes the pushes ends the job, not the zone.
func TestPushThatPanics(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "A", 80)
	b.z.kernel.Lock()
	b.z.net.Pushes = panicking{}
	b.z.kernel.Unlock()
	assert.Contains(t, b.broken("updateLoadBalancerRule", "id="+rule, "algorithm=source"), "530")
	assert.Equal(t, "Add", b.ruleState(rule))
}

type panicking struct{}

func (panicking) Push(context.Context, net.Push) error { panic("no router here") }

func (panicking) RouterState(context.Context, string, string) error { return nil }
