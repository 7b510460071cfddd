package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func healthChecks() harness.Scenario {
	return harness.Scenario{
		ID: "L-23", Title: "a router's own health check is green where rules are in force, but for an algorithm in " +
			"mixed case", Group: result.GroupLB, Priority: 2,
		Guards: []string{"#9698", "#12591"}, Needs: routerNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.AlgorithmVerbatim),
			Why:     "#9698: the algorithm is written as the user typed it; fixed in 4.19.2.0 and 4.20.0.0",
			Classes: []result.Class{result.RouterFrozen}},
		Twins: []release.Knob{fault.HealthCheckAlarms, release.AlgorithmVerbatim, fault.RouterReloadSkipped,
			fault.RouterFileStale},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			t.ExpectHealthy(tier)
			b := tier.LoadBalancerAs("B", story.Form{On: a.Address, Algorithm: "Source", Protocol: "tcp"})
			b.Assign(vms...)
			t.ExpectBySource(control, b)
			t.ReportFalseAlarm(tier, "haproxy_check.py alarms over an algorithm in mixed case that is in force",
				"haproxy_check.py@4.20.0.0 compares it letter by letter")
			b.SetAlgorithm("source")
			a.Stick()
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			t.ExpectHealthy(tier)
		}),
	}
}
