package scenarios

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// perVM is what releases that meter volumes per VM do to a bill; its cures make them meter as others do.
func perVM(why string, class result.Class) harness.Known {
	return known(release.VolumeUsagePerVM, why, class)
}

func perVMCures() []release.Knob {
	return []release.Knob{release.UsageVolumeKeyNarrow.Off(), release.VolumeUsagePerVM.Off()}
}

// attachedOnce: the control is a volume that is attached to nothing. The VM comes first, and a run after it, so that
// what its own volume does to a run (#13399) is over when the volumes are made.
func attachedOnce() harness.Scenario {
	return harness.Scenario{
		ID: "U-52", Title: "an attached volume is billed once to whoever adds up its records",
		Group: result.GroupUsage, Priority: 1, Guards: []string{"#11531", "#13936"}, Needs: usageNeeds(),
		KnownBad: perVM("#11531: an attached volume has a second record each window, for its VM "+
			"(docs/findings/attached-volume-billed-twice.md)", result.BilledTwice),
		Cures: perVMCures(),
		Twins: []release.Knob{release.VolumeUsagePerVM},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			vm := account.VPC().Tier().NewVM()
			t.Drain()
			attached, alone := account.NewVolume(), account.NewVolume()
			attached.Attach(vm)
			t.Drain()
			t.Drains(1)
			t.ExpectBilledOnce(alone, attached)
		}),
	}
}

// resizedBilled: the control is a volume that lost nothing.
func resizedBilled() harness.Scenario {
	return harness.Scenario{
		ID: "U-53", Title: "a volume that lost its usage row is billed again from its resize on",
		Group: result.GroupUsage, Priority: 2, Guards: []string{"#11531"}, Needs: append(usageNeeds(), harness.Forge),
		KnownBad: perVM("#11531: VOLUME.RESIZE replaces open rows, and opens none where there is none",
			result.ResizedUnbilled),
		Cures: perVMCures(),
		Twins: []release.Knob{release.VolumeUsagePerVM},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			lost, control := account.NewVolume(), account.NewVolume()
			t.DrainUnjudged()
			account.Forge("VOLUME.DELETE", lost.InternalID, nil, nil)
			t.DrainUnjudged()
			lost.Resize(30)
			control.Resize(30)
			resized := t.Now()
			t.DrainUnjudged()
			t.PassHalfWindow()
			t.DrainUnjudged()
			t.PassHalfWindow()
			t.DrainUnjudged()
			t.ExpectBilledSince(resized, control, result.NotBilled)
			t.ExpectBilledSince(resized, lost, result.ResizedUnbilled)
		}),
	}
}
