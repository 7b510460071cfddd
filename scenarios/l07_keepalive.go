package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func keepAliveCookie() harness.Scenario {
	return harness.Scenario{
		ID: "L-07", Title: "a cookie policy on a network with keep-alive works", Group: result.GroupLB,
		Guards: []string{"#14131", "#11468"}, Needs: routerNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.KeepAliveCookieInvalid),
			Why:     "#14131: keep-alive with cookies writes an option that HAProxy refuses",
			Classes: []result.Class{result.RouterFrozen, result.NotSticky, result.WrongRefusal}},
		Twins: []release.Knob{release.KeepAliveCookieInvalid, fault.PolicyDropped, fault.PushLost,
			fault.RouterReloadSkipped, fault.RouterPolicyOnWrongSection},
		Run: story.Of(func(t *story.T) {
			offering := t.KeepAliveOffering()
			tier := t.NewAccount().VPC().TierOf(offering)
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, a)
			t.ExpectKeepAlive(tier, true)
			if t.ExpectGiven(a, story.CookiePolicy("SRV")) {
				t.ExpectValidFile(tier)
				t.ExpectCookie(control, a)
			}
			b.Stick()
			t.ExpectSticky(control, b)
			t.ExpectAgreement(tier)
		}),
	}
}
