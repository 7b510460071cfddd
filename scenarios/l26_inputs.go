package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func otherInputs() harness.Scenario {
	return harness.Scenario{
		ID: "L-26", Title: "a cookie without a name, a table of another size, tcp-proxy and another private port, on " +
			"several addresses of one tier", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#9587"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.RouterTableTiny, fault.PolicyWrongRule, fault.RouterLineChanged,
			fault.PushFieldChanged, fault.PolicyLostWithMembers},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			second := tier.Address()
			control := tier.LoadBalancer("control").Assign(vms...)
			cookie := tier.LoadBalancer("cookie").Assign(vms...)
			cookie.Give(story.Policy{Method: "LbCookie", Params: map[string]string{}})
			table := tier.LoadBalancerAs("table", story.Form{On: second}).Assign(vms...)
			table.Give(story.SourcePolicy("50k", "20m"))
			proxied := story.Form{On: second, Protocol: "tcp-proxy", Private: 9090}
			proxy, beside := tier.LoadBalancerAs("proxy", proxied).Assign(vms...),
				tier.LoadBalancerAs("beside", proxied).Assign(vms...)
			t.ExpectAgreement(tier)
			t.ExpectCookie(control, cookie)
			t.ExpectSticky(control, table)
			t.ExpectFree(beside, proxy)
			more := tier.NewVM() // what an address makes of a nameless cookie stays over other pushes
			table.Assign(more)
			t.ExpectAgreement(tier)
			t.ExpectCookie(control, cookie)
		}),
	}
}
