package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func volumes() harness.Scenario {
	return harness.Scenario{
		ID: "U-16", Title: "volumes: one open usage row of the right size through resize, destroy and recover; none " +
			"after the delete", Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#6717", "#5901", "#6772", "#9459"}, Needs: usageNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.ResizeEventOldSize),
			Why:     "#9459: VOLUME.RESIZE carries the old size; fixed in 4.19.2.0 and 4.20.0.0",
			Classes: []result.Class{result.WrongSize}},
		Twins: []release.Knob{release.UsageVolumeKeyNarrow, release.ResizeEventOldSize, fault.VolumeDeleteEventLost,
			fault.RecoverWithoutVolumeEvent, fault.VMVolumeEventLost, fault.UsageVolumeCloseNothing,
			fault.UsageVolumeCloseWrongDate},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			vm := account.VPC().Tier().NewVM()
			root, data, never := vm.RootVolume(), account.NewVolume(), account.NewVolume()
			t.Drain()
			t.RequireRowOpen(root.Billed(), data.Billed(), never.Billed())
			never.Delete() // was never attached
			data.Attach(vm)
			data.Resize(30)
			data.Resize(40)
			vm.Destroy()
			vm.Recover()
			t.Drain()
			t.ExpectRowClosed(never.Billed())
			t.ExpectRowOpen(root.Billed(), data.Billed())
			t.ExpectSize(data, 40)
			t.ExpectVolume(data, nil, false) // destroyVirtualMachine detaches data disks
			data.Attach(vm)
			data.Detach()
			vm.Destroy()
			vm.Expunge()
			data.Delete()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(root.Billed(), data.Billed())
			t.ExpectNotBilledNow(root.Billed(), data.Billed(), never.Billed())
		}),
	}
}

// volumesNamed: the control is a data disk of the same VM that is not named.
func volumesNamed() harness.Scenario {
	return harness.Scenario{
		ID: "U-54", Title: "volumes that are named when their VM is destroyed go with it and are billed no more; " +
			"others stay", Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#6717"}, Needs: usageNeeds(),
		Twins: []release.Knob{fault.NamedDisksStay, fault.VMVolumeEventLost},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			vm, other := tier.NewVM(), tier.NewVM()
			named, stays, elsewhere := account.NewVolume(), account.NewVolume(), account.NewVolume()
			named.Attach(vm)
			stays.Attach(vm)
			elsewhere.Attach(other)
			t.Drain()
			t.RequireRowOpen(named.Billed(), stays.Billed(), elsewhere.Billed())
			t.ExpectRefused(431, "destroyVirtualMachine", account,
				cloud.Params{"id": vm.ID, "volumeids": []string{named.ID, elsewhere.ID}})
			t.ExpectVolume(named, vm, false)
			vm.DestroyWith(named)
			t.ExpectVolume(named, nil, true)
			t.ExpectVolume(stays, nil, false)
			t.ExpectVolume(elsewhere, other, false)
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(named.Billed())
			t.ExpectRowOpen(stays.Billed(), elsewhere.Billed())
			t.ExpectNotBilledNow(named.Billed())
			t.ExpectBilledNow(stays.Billed(), elsewhere.Billed())
		}),
	}
}
