package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// goneVM: the controls are a VM that is destroyed through the API, which detaches its disks, and that both volumes live
// on and are billed. The VMs come first, and a run after them, so that what their own volumes do to it (#13399) is
// over.
func goneVM() harness.Scenario {
	return harness.Scenario{
		ID: "U-57", Title: "a volume is billed for a group's member no longer than the member lives",
		Group: result.GroupUsage, Priority: 2, Guards: []string{"#11531", "#9587"}, Needs: usageNeeds(),
		KnownBad: known(release.ExpungeWithoutDetach, "a member is expunged without a VOLUME.DETACH for its data "+
			"disks, whose usage rows on it stay open (docs/findings/member-disks-stay.md)", result.GoneVMBilled),
		About: []release.Knob{release.VolumeUsagePerVM},
		Twins: []release.Knob{release.ExpungeWithoutDetach, fault.UsageVolumeCloseNothing},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			vm, g := tier.NewVM(), tier.Group("group", 1)
			g.Settle()
			member := g.VMs()[0]
			onMember, onVM := account.NewVolume(), account.NewVolume()
			t.Drain()
			onMember.Attach(member)
			onVM.Attach(vm)
			t.PassHalfWindow()
			t.DrainThrough(1)
			t.RequireBilledOn(member, onMember)
			t.RequireBilledOn(vm, onVM)
			g.DeleteGroup()
			t.PassGrace()
			vm.DestroyWith()
			gone := t.Now()
			t.PassHalfWindow()
			t.DrainThrough(1)
			t.PassHalfWindow()
			t.DrainThrough(1)
			t.ExpectVolume(onMember, nil, false)
			t.ExpectBilledSince(gone, onVM, result.NotBilled)
			t.ExpectBilledSince(gone, onMember, result.NotBilled)
			t.ExpectUnbilledOn(vm, onVM, gone)
			t.ExpectUnbilledOn(member, onMember, gone)
		}),
	}
}
