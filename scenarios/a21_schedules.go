package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// schedules: the controls are a group without a schedule, and the group itself before its time.
func schedules() harness.Scenario {
	return harness.Scenario{
		ID: "A-21", Title: "a group's schedule changes its members and what is billed of them, and goes with the group",
		Group: result.GroupAutoscale, Priority: 1, Guards: []string{"#13148"},
		Needs: append(usageNeeds(), harness.PushLog, harness.TimeTravel),
		About: []release.Knob{release.GroupSchedules},
		Twins: []release.Knob{fault.ScheduleNeverActs, fault.ScheduleForgetsMax, fault.SchedulesOutliveGroup,
			fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			g, control := tier.Group("group", 1), tier.Group("control", 1)
			t.AwaitMembers(g)
			t.AwaitMembers(control)
			up := g.ScheduleIn(10*time.Minute, 2, 2)
			t.PassUntil(up.Add(-time.Minute))
			t.ExpectMembers(g)
			t.PassUntil(up.Add(2 * time.Minute))
			g.Members = 2
			g.Settle()
			t.ExpectMembers(g)
			t.ExpectMembers(control)
			t.ExpectContent(tier)
			members := g.VMs()
			t.Drain()
			t.RequireRowOpen(members[0].Running())
			down := g.ScheduleIn(10*time.Minute, 1, 1)
			t.ExpectSchedules(g)
			t.PassUntil(down.Add(2 * time.Minute))
			g.Members = 1
			g.Settle()
			t.PassGrace()
			t.ExpectMembers(g)
			t.ExpectMembers(control)
			t.ExpectContent(tier)
			t.Drain()
			t.Drains(1)
			stays := g.VMs()
			for _, vm := range members {
				if vm.ID == stays[0].ID {
					t.ExpectRowOpen(vm.Running())
				} else {
					t.ExpectRowClosed(vm.Running())
					t.ExpectNotBilledNow(vm.Running())
				}
			}
			g.DeleteGroup()
			t.PassUntil(down.Add(2 * time.Hour))
			t.ExpectNoSchedules(g)
			t.ExpectMembers(control)
		}),
	}
}
