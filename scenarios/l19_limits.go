package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// unchecked is a defect of every server seen, until the router's code checks a file before it takes it: then the call
// fails with 530 and the policy is gone.
func unchecked() harness.Known {
	k := always(
		release.StickyValuesUnchecked,
		"createLBStickinessPolicy checks the form of values only, HAProxy refuses the file "+
			"(NetworkHelperImpl.java@4.20.0.0)",
		result.RouterFrozen,
	)
	k.Shows = release.Without(release.RouterVerifies)
	return k
}

func policyLimits() harness.Scenario {
	return harness.Scenario{
		ID: "L-19", Title: "policy values that HAProxy refuses are refused", Group: result.GroupLB,
		Priority: 1,
		Guards:   []string{"#3253"}, Needs: routerNeeds(),
		KnownBad: unchecked(),
		Cures:    []release.Knob{release.StickyValuesUnchecked.Off()},
		Twins: []release.Knob{fault.SecondPolicyKept, fault.StickyListEmpty, fault.PolicyNotRemoved,
			fault.RouterFileStale},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, a)
			rewrite := story.Policy{Method: "LbCookie", Params: map[string]string{"cookie-name": "SRV",
				"mode": "rewrite", "indirect": "true"}}
			unknown := story.Policy{Method: "LbCookie", Params: map[string]string{"cookie-name": "SRV",
				"mode": "sideways"}}
			for _, word := range []string{"size", "expire", "rewrite", "'cookie'"} {
				t.Foreshow(release.StickyValuesUnchecked, story.Billed{}, story.Shows{Class: result.RouterFrozen,
					What: story.SeenFrozen, Holds: story.Both(story.Mentions(word), story.Count(0)), Most: 1})
			}
			for _, bad := range []story.Policy{story.SourcePolicy("0k", "30m"), story.SourcePolicy("200k", "30d"),
				rewrite, unknown} {
				if a.TryGive(bad) == nil {
					t.ExpectValidFile(tier)
					a.Unstick()
				}
			}
			a.Stick()
			a.Give(story.SourcePolicy("100k", "10m"))
			t.ExpectPolicies(a, "SourceBased")
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			a.Unstick()
			t.ExpectAgreement(tier)
			t.ExpectFree(control, a)
		}),
	}
}
