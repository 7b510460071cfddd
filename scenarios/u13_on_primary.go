package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func snapshotOnPrimary() harness.Scenario {
	return harness.Scenario{
		ID: "U-13", Title: "a deleted VM snapshot on primary storage closes its own usage row, the next one stays",
		Group: result.GroupUsage, Priority: 1,
		Guards: storyA(), Needs: append(usageNeeds(), harness.Forge), KnownBad: helperIDBug(result.WrongHours),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsagePrimaryCloseNothing,
			fault.UsagePrimaryRecordMissing},
		Run: story.Of(func(t *story.T) {
			vm := t.NewAccount().VPC().Tier().NewVM()
			first, second := vm.SnapshotOnPrimary("first"), vm.SnapshotOnPrimary("second")
			t.Drain()
			t.RequireRowOpen(first.OnPrimary(), second.OnPrimary())
			t.RequireIDApart(first.OnPrimary())
			first.OffPrimary()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(first.OnPrimary())
			t.ExpectRowOpen(second.OnPrimary())
			t.ExpectRecordsNow(1, second.OnPrimary())
		}),
	}
}
