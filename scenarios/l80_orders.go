package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// orders: each rule has something of its own, so that a file in which it is missing is another one. What a router makes
// of every push is held against the push after each step (story.Of).
func orders() harness.Scenario {
	return harness.Scenario{
		ID: "L-80", Title: "all that a rule can be given is in what its router makes of it, also after a restart and " +
			"what was deleted is not",
		Group: result.GroupLB, Guards: []string{"#9587", "#6460"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.GeneratorNoChecks, fault.GeneratorOneNetwork, fault.GeneratorUsualExpiry,
			fault.GeneratorCookieInsert, fault.GeneratorDoorsStayOpen, fault.StartWithoutPush},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().TierOf(t.OfferingFor(3000))
			vms := tier.VMs(2)
			other := tier.Address()
			listed := tier.LoadBalancerAs("listed", story.Form{Algorithm: "leastconn", Protocol: "tcp",
				CIDRs: []string{"10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"}}).Assign(vms...)
			short := tier.LoadBalancerAs("short", story.Form{Algorithm: "source"}).Assign(vms...)
			short.Give(story.SourcePolicy("70k", "25m"))
			web := tier.LoadBalancerAs("web", story.Form{On: other, Public: 80}).Assign(vms...)
			cookie := tier.LoadBalancerAs("cookie", story.Form{On: other, Private: 8181}).Assign(vms...)
			cookie.Give(story.Policy{Method: "LbCookie", Params: map[string]string{"cookie-name": "SP",
				"mode": "rewrite", "nocache": "true", "postonly": "true", "domain": ".example.org"}})
			proxied := tier.LoadBalancerAs("proxied", story.Form{Protocol: "tcp-proxy"}).Assign(vms[0])
			t.ExpectAgreement(tier)
			cookie.Give(story.CookiePolicy("SP"))
			short.Give(story.SourcePolicy("", "26m"))
			listed.Update(cloud.Params{"algorithm": "source", "protocol": "tcp"})
			web.Delete()
			t.ExpectAgreement(tier)
			name := tier.Router()
			pushes := tier.CountPushes()
			tier.StopRouter(name)
			proxied.Assign(vms[1])
			tier.StartRouter(name)
			pushes.ExpectSent("the start of a router", 1)
			t.ExpectAgreement(tier)
		}),
	}
}
