package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func keepAliveLeak() harness.Scenario {
	return harness.Scenario{
		ID: "L-21", Title: "keep-alive of one network does not leak into another", Group: result.GroupLB, Priority: 2,
		Guards: []string{"#14131"}, Needs: routerNeeds(),
		KnownBad: always(release.KeepAliveLeaks,
			"#14131: the server's defaults section is changed in place by the first keep-alive push",
			result.KeepAliveWrong),
		Cures: []release.Knob{release.KeepAliveLeaks.Off()},
		Twins: []release.Knob{fault.KeepAlivePushed, fault.PushLost, fault.RouterFileStale},
		Run: story.Of(func(t *story.T) {
			offering := t.KeepAliveOffering()
			account := t.NewAccount()
			plain := account.VPC().Tier()
			a, control := plain.LoadBalancer("A").Assign(plain.VMs(2)...),
				plain.LoadBalancer("control").Assign(plain.VMs(2)...)
			t.ExpectFree(control, a)
			t.ExpectKeepAlive(plain, false)
			t.Foreshow(release.KeepAliveLeaks, story.Billed{}, story.Shows{Class: result.KeepAliveWrong,
				What: story.SeenDefaults, Holds: story.Both(story.Way(false), story.OfOne(plain.Router())), Most: 1})
			lively := account.VPC().TierOf(offering)
			lively.LoadBalancer("lively").Assign(lively.VMs(1)...)
			t.ExpectKeepAlive(lively, true)
			a.Stick()
			t.ExpectKeepAlive(plain, false)
			t.ExpectSticky(control, a)
		}),
	}
}
