package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func failingTemplate() harness.Scenario {
	return harness.Scenario{
		ID: "A-03", Title: "a group whose members cannot start stops trying", Group: result.GroupAutoscale, Priority: 1,
		Guards: []string{"#9318", "#9503", "#10223", "#11244"}, Needs: []harness.Capability{harness.API,
			harness.PushFault, harness.TimeTravel},
		KnownBad: harness.Known{Releases: release.Where(release.AutoscaleUnboundedRetries),
			Knob:    release.AutoscaleUnboundedRetries,
			Why:     "#11244: members are created without end; bounded from 4.20.2 and 4.21",
			Classes: []result.Class{result.Attempts}},
		Cures: []release.Knob{release.AutoscaleUnboundedRetries.Off()},
		Twins: []release.Knob{release.AutoscaleUnboundedRetries, fault.MonitorBlind},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			tier.LoadBalancer("sibling").Assign(tier.VMs(1)...)
			fault := t.FailStarts(1000)
			tier.Group("group", 2)
			t.PassSeconds(20 * 60)
			early := fault.Met()
			t.ExpectAttempts("starts of members that fail, in twenty minutes", early, 1, 25)
			t.PassSeconds(20 * 60)
			t.ExpectAttempts("more of them in the next twenty", fault.Met()-early, 0, 0)
		}),
	}
}
