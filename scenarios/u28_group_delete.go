package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func groupDelete() harness.Scenario {
	return harness.Scenario{
		ID: "U-28", Title: "deleting an autoscale group with its members ends their usage, and not that of its rule",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#9587"}, Needs: usageNeeds(),
		Twins: []release.Knob{release.UsageVolumeKeyNarrow, fault.GroupDeleteEndsRule, fault.VMVolumeEventLost,
			fault.UsageVMCloseNothing, fault.UsageNICCloseNothing},
		Run: story.Of(func(t *story.T) {
			group := t.NewAccount().VPC().Tier().Group("group", 3)
			t.AwaitMembers(group)
			var billed []story.Billed
			for _, vm := range group.VMs() {
				billed = append(billed, vm.Running(), vm.Allocated(), vm.RootVolume().Billed(), vm.NICs()[0].Billed())
			}
			t.Drain()
			t.RequireRowOpen(billed...)
			t.RequireOpen(group.Rule)
			group.DeleteGroup()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(billed...)
			t.ExpectNotBilledNow(billed...)
			t.ExpectOpen(group.Rule)
			t.ExpectNoDeleteEvent(group.Rule)
			t.ExpectFullWindow(group.Rule)
		}),
	}
}
