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
		Guards: []string{"#9318", "#9503", "#10223", "#11244", "#14185"}, Needs: []harness.Capability{harness.API,
			harness.PushFault, harness.TimeTravel},
		KnownBad: known(release.AutoscaleUnboundedRetries,
			"#14185: members that do not start are made without end; #11244 counts those in state "+
				"Error only",
			result.EndlessMembers),
		Cures: []release.Knob{release.AutoscaleUnboundedRetries.Off()},
		Twins: []release.Knob{release.AutoscaleUnboundedRetries, fault.MonitorBlind},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			tier.LoadBalancer("sibling").Assign(tier.VMs(1)...)
			failing := t.FailStarts(1000)
			t.ExpectGivesUp(tier.Group("failing", 2), failing)
		}),
	}
}
