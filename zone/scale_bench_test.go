package zone

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/internal/testcpu"
	"github.com/stackproof/stackproof/zone/kernel"
)

// BenchmarkScaleGroups is one change to one of many autoscale groups on one router: its policy comes and goes, which is
// two pushes of all rules, and it is disabled and enabled, which is two more.
func BenchmarkScaleGroups(b *testing.B) {
	for _, n := range []int{125, 250, 500} {
		b.Run(fmt.Sprintf("change/n=%d", n), func(b *testing.B) {
			t := &bench{TB: b, clock: kernel.NewManual(time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC))}
			t.open("4.19.1.0", nil)
			defer t.shut()
			site := t.vpcSite(0)
			tier := id(t.call("createNetwork", "zoneid="+t.z.net.Site.UUID, "name=wide", "displaytext=t",
				"vpcid="+site.vpc, "gateway=10.0.16.1", "netmask=255.255.240.0", "networkofferingid="+
					t.offering("listNetworkOfferings", "networkoffering",
						"DefaultIsolatedNetworkOfferingForVpcNetworks")), "network")
			a := t.address(site.vpc)
			groups, rules := make([]string, n), make([]string, n)
			began := time.Now()
			for i := range n {
				rules[i] = t.rule(a, tier, fmt.Sprintf("r%d", i), 20000+i)
				groups[i] = t.group(rules[i], 1)
			}
			t.advance(11 * time.Second)
			made := time.Since(began)
			t.taken()
			testcpu.Loop(b, func() {
				t.job("disableAutoScaleVmGroup", "id="+groups[n/2])
				made := t.job("createLBStickinessPolicy", "lbruleid="+rules[n/2], "name=s", "methodname=SourceBased")
				policy := made["stickinesspolicies"].(obj)["stickinesspolicy"].([]any)[0].(obj)["id"].(string)
				t.job("deleteLBStickinessPolicy", "id="+policy)
				t.job("enableAutoScaleVmGroup", "id="+groups[n/2])
				require.Len(b, t.taken(), 4)
				t.log.Reset()
			})
			b.ReportMetric(made.Seconds()/float64(n)*1000, "ms-to-make-one")
		})
	}
}

// BenchmarkScaleRules is one more rule, and its end, on a router that has many.
func BenchmarkScaleRules(b *testing.B) {
	for _, n := range []int{500, 1000, 2000} {
		b.Run(fmt.Sprintf("change/n=%d", n), func(b *testing.B) {
			t := &bench{TB: b, clock: kernel.NewManual(time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC))}
			t.open("4.20.1.0", nil)
			defer t.shut()
			site := t.vpcSite(1)
			a := t.address(site.vpc)
			began := time.Now()
			for i := range n {
				t.job("assignToLoadBalancerRule", "id="+t.rule(a, site.tier, fmt.Sprintf("r%d", i), 20000+i),
					"virtualmachineids="+site.vms[0])
				t.taken()
				t.log.Reset()
			}
			made := time.Since(began)
			testcpu.Loop(b, func() {
				rule := t.rule(a, site.tier, "one more", 10000)
				t.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+site.vms[0])
				t.job("deleteLoadBalancerRule", "id="+rule)
				require.NotEmpty(b, t.taken())
				t.log.Reset()
			})
			b.ReportMetric(made.Seconds()/float64(n)*1000, "ms-to-make-one")
		})
	}
}
