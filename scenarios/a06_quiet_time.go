package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func quietTime() harness.Scenario {
	return harness.Scenario{
		ID: "A-06", Title: "a scale-down policy keeps its quiet time", Group: result.GroupAutoscale, Priority: 2,
		Guards: []string{"#9587"}, Needs: []harness.Capability{harness.API, harness.TimeTravel},
		KnownBad: always(release.QuietTimeOfScaleUp, "scaling down starts the quiet time of the scale-up policy "+
			"(AutoScaleManagerImpl.java@4.20.0.0)", result.QuietTime),
		Cures: []release.Knob{release.QuietTimeOfScaleUp.Off()},
		Twins: []release.Knob{fault.QuietTimeIgnored},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			tier.Shrink(10 * time.Minute)
			g := tier.Group("group", 4)
			t.AwaitMembers(g)
			g.Disable()
			t.ExpectMembers(g)
			g.Resize(1, 4)
			g.Enable()
			t.Foreshow(release.QuietTimeOfScaleUp, story.Billed{}, story.Shows{Class: result.QuietTime,
				What: story.SeenGap, Holds: story.AtMost(5), Most: 1})
			t.ExpectShrink(g, 4, 10*time.Minute)
		}),
	}
}
