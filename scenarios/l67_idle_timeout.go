package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// idleTimeout: the controls are the timeouts before and after. A change of the setting reaches a router with its next
// push.
func idleTimeout() harness.Scenario {
	return harness.Scenario{
		ID: "L-67", Title: "a router's timeouts are those of the setting, whatever it was before",
		Group: result.GroupLB, Priority: 2, Guards: []string{"#12586"}, Needs: routerNeeds(),
		KnownBad: known(release.IdleTimeoutKept, "an idle timeout below 0 leaves the timeouts that the management "+
			"server wrote last: none after 0 (docs/findings/idle-timeout-kept.md)", result.WrongTimeout),
		Cures: []release.Knob{release.IdleTimeoutKept.Off()},
		About: []release.Knob{release.IdleTimeout},
		Twins: []release.Knob{release.IdleTimeoutKept, fault.IdleTimeoutUnread, fault.RouterFileStale},
		Run: story.Of(func(t *story.T) {
			t.RequireIdleSetting()
			tier := t.NewAccount().VPC().Tier()
			a := tier.LoadBalancer("A").Assign(tier.VMs(1)...)
			t.ExpectIdleTimeout(tier, 50000)
			t.Foreshow(release.IdleTimeoutKept, story.Billed{}, story.Shows{Class: result.WrongTimeout,
				What: story.SeenTimeouts, Holds: story.Says(""), Most: 1})
			for _, milliseconds := range []int64{20000, 0, -1, 50000} {
				t.SetIdleTimeout(milliseconds)
				a.Toggle()
				t.ExpectIdleTimeout(tier, milliseconds)
			}
			t.ExpectAgreement(tier)
		}),
	}
}
