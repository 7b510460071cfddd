package answers

import (
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// volumeRecords are the records of a volume as listUsageRecords lists them, oldest first.
func (t Listings) volumeRecords(v *objects.Volume) []cloud.UsageRecord {
	now := t.on.Now()
	found, err := t.site.Cloud.ListUsageRecords(t.ctx, now.Add(-wide), now.Add(wide), cloud.Params{
		"accountid": v.Account.ID, "type": usageprobe.UsageVolume, "usageid": v.ID})
	t.Must(err, "listing the usage records of %s", v.Name)
	slices.SortStableFunc(found, func(a, b cloud.UsageRecord) int { return a.Start.Compare(b.Start) })
	return found
}

// listedOf shows records of a volume.
func listedOf(v *objects.Volume, records []cloud.UsageRecord) result.Evidence {
	return listing("listUsageRecords type=6 usageid="+v.ID, stage.Each(records, func(r cloud.UsageRecord) string {
		return fmt.Sprintf("%s  %.6f h  %s", stage.Stamp(r.Start), r.Raw, r.Description)
	}))
}

// ExpectBilledOnce expects that whoever adds up the records of each volume bills no window more than once.
func (t Listings) ExpectBilledOnce(volumes ...*objects.Volume) {
	for _, v := range volumes {
		t.Checked(1)
		hours, full := map[time.Time]float64{}, map[time.Time]float64{}
		records := t.volumeRecords(v)
		for _, r := range records {
			hours[r.Start] += r.Raw
			full[r.Start] = r.End.Add(time.Second).Sub(r.Start).Hours()
		}
		if len(records) == 0 {
			t.Inconclusive("listUsageRecords lists nothing of %s: nothing can be added up", v.Name)
		}
		for start, sum := range hours {
			if sum > full[start]+1e-4 {
				t.Fail(result.BilledTwice, fmt.Sprintf("%s is billed %.6f h in the window from %s, which has %.6f h",
					v.Name, sum, stage.Stamp(start), full[start]), listedOf(v, records))
				break
			}
		}
	}
}

// ExpectBilledSince expects that a volume has a record of a window that began at a time or after it.
func (t Listings) ExpectBilledSince(since time.Time, v *objects.Volume, class result.Class) {
	t.Checked(1)
	records := t.volumeRecords(v)
	if !slices.ContainsFunc(records, func(r cloud.UsageRecord) bool { return !r.Start.Before(since) }) {
		t.Fail(class, fmt.Sprintf("%s lives, and none of its %d usage records is of a window after %s", v.Name,
			len(records), stage.Stamp(since)))
	}
}

// ofVM are the records of a volume on a VM, of windows that began at a time or after it.
func (t Listings) ofVM(v *objects.Volume, vm *objects.VM, since time.Time) []cloud.UsageRecord {
	return slices.DeleteFunc(t.volumeRecords(v), func(r cloud.UsageRecord) bool {
		return r.Virtualmachineid != vm.ID || r.Start.Before(since)
	})
}

// RequireBilledOn makes sure that a volume is billed for its VM, too, where the release meters volumes so.
func (t Listings) RequireBilledOn(vm *objects.VM, v *objects.Volume) {
	if t.site.Has(release.VolumeUsagePerVM) && len(t.ofVM(v, vm, time.Time{})) == 0 {
		t.Inconclusive("no usage record bills %s for VM %s, to which it is attached: none could go on", v.Name, vm.Name)
	}
}

// ExpectUnbilledOn expects that no window which began at a time or after it bills a volume for a VM.
func (t Listings) ExpectUnbilledOn(vm *objects.VM, v *objects.Volume, since time.Time) {
	if !t.site.Has(release.VolumeUsagePerVM) {
		t.Note("not billed per VM", "the release bills %s for itself alone: whether it is billed for VM %s is no "+
			"question", v.Name, vm.Name)
		return
	}
	t.Checked(1)
	found := t.ofVM(v, vm, since)
	if len(found) == 0 {
		return
	}
	t.Fail(result.GoneVMBilled, fmt.Sprintf("VM %s is gone since %s, and %d usage records of later windows bill %s as "+
		"attached to it", vm.Name, stage.Stamp(since), len(found), v.Name), listedOf(v, found))
}
