package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func uploadedVolume() harness.Scenario {
	return harness.Scenario{
		ID: "U-12", Title: "an uploaded volume is billed on secondary storage until it is attached, and on primary " +
			"from then on", Group: result.GroupUsage, Priority: 1,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsageUploadCloseNothing},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			vm := account.VPC().Tier().NewVM()
			account.NewVolume() // so that volume ids and helper ids are apart
			upload := account.Upload()
			t.Drain()
			t.RequireRowOpen(upload.Uploaded())
			t.RequireIDApart(upload.Uploaded())
			upload.Attach(vm)
			t.Drain()
			t.Drains(1)
			t.ExpectRows(upload.Uploaded(), 0, 1)
			t.ExpectClosedAt(upload.Uploaded(), "VOLUME.CREATE")
			t.ExpectRowOpen(upload.Billed())
			t.ExpectBilledNow(upload.Billed())
			t.ExpectNotBilledNow(upload.Uploaded())
		}),
	}
}
