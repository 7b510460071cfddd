package zone

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/zone/kernel"
)

// BenchmarkFiftyGroups is story B's site: 50 rules with groups of two members on one router, a policy on each.
func BenchmarkFiftyGroups(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		t := &bench{TB: b, clock: kernel.NewManual(time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC))}
		t.open("4.19.1.0", nil)
		site := t.vpcSite(0)
		a := t.address(site.vpc)
		b.StartTimer()
		for i := range 50 {
			t.group(t.rule(a, site.tier, fmt.Sprintf("r%d", i), 20000+i), 2)
		}
		t.advance(11 * time.Second)
		for _, r := range t.call("listLoadBalancerRules")["loadbalancerrule"].([]any) {
			t.job("createLBStickinessPolicy", "lbruleid="+r.(obj)["id"].(string), "name=s", "methodname=SourceBased")
		}
		assert.Equal(b, 100+50, len(t.taken()), "members and policies; a group on a tier without a router pushes "+
			"nothing")
		b.StopTimer()
		t.shut()
		b.StartTimer()
	}
}
