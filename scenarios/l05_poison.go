package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func poisonedRule() harness.Scenario {
	return harness.Scenario{
		ID: "L-05", Title: "an AppCookie policy is refused, or harms no sibling", Group: result.GroupLB,
		Guards: []string{"#3253", "#13315"}, Needs: routerNeeds(),
		KnownBad: poison(),
		Cures:    []release.Knob{release.AppCookieAccepted.Off()},
		Twins:    []release.Knob{fault.PolicyDropped, fault.PushLost, fault.RouterReloadSkipped, fault.RouterFileStale},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, a, b)
			t.Foreshow(release.AppCookieAccepted, story.Billed{}, story.Shows{Class: result.RouterFrozen,
				What: story.SeenFrozen, Holds: story.Both(story.Mentions("appsession"), story.Count(0)), Most: 1})
			t.Foreshow(release.AppCookieAccepted, b.Billed(), story.Shows{Class: result.NotSticky, What: story.SeenWay,
				Holds: story.Way(true, true, true, false), Most: 1})
			refusal := a.TryGive(story.AppCookiePolicy("SID"))
			t.ExpectValidFile(tier)
			b.Stick()
			t.ExpectSticky(control, b)
			if refusal == nil {
				a.Unstick()
				t.Diagnose("after the AppCookie policy was deleted", control, b)
			}
			t.ExpectAgreement(tier)
		}),
	}
}

// poison is a defect of every server seen, until the router's code checks a file before it takes it
// (CsLoadBalancer.py@4.22, #11468).
func poison() harness.Known {
	k := always(release.AppCookieAccepted,
		"#3253: AppCookie is accepted, HAProxy has refused it since 1.6: the router's configuration is "+
			"frozen until the policy goes", result.RouterFrozen, result.NotSticky)
	k.Shows = release.Without(release.RouterVerifies)
	return k
}
