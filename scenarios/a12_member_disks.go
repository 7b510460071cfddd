package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// memberDisks: the control is the number of disks while the members live.
func memberDisks() harness.Scenario {
	return harness.Scenario{
		ID: "A-12", Title: "the data disks of a group's members go with them", Group: result.GroupAutoscale,
		Priority: 2, Guards: []string{"#9587"}, Needs: []harness.Capability{harness.API},
		KnownBad: always(release.MemberDiskStays, "a member's data disk is detached, not deleted, when the member is "+
			"destroyed (docs/findings/member-disks-stay.md)", result.DisksLeft),
		Cures: []release.Knob{release.MemberDiskStays.Off()},
		Twins: []release.Knob{release.MemberDiskStays, fault.MonitorBlind},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			tier.MemberDisks()
			g := tier.Group("group", 2)
			g.Settle()
			t.ExpectMembers(g)
			t.RequireDataDisks(account, 2)
			t.Foreshow(release.MemberDiskStays, story.Billed{}, story.Shows{Class: result.DisksLeft,
				What: story.SeenDisks, Holds: story.Count(2), Most: 1})
			g.DeleteGroup()
			t.PassGrace()
			t.ExpectNoDataDisks(account, "their group was deleted with its members")
		}),
	}
}
