package billing

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

const gb = 1 << 30

// reported are a VM's backups as they were told of, in order.
type reported struct {
	at   time.Time
	size float64 // GB
}

func (t BilledRows) reported(vm *objects.VM) []reported {
	var all []reported
	for _, e := range t.watch.EventsOf("BACKUP.USAGE.METRIC", vm.InternalID) {
		if len(all) < len(vm.Backups()) {
			all = append(all, reported{e.Created, float64(vm.Backups()[len(all)])})
		}
	}
	if len(all) != len(vm.Backups()) {
		t.Inconclusive("%d of %d reports on the backups of %s are in cloud.usage_event", len(all), len(vm.Backups()),
			vm.Name)
	}
	return all
}

// sizeHours is what a VM's backups come to between two times, in GB times hours.
func sizeHours(told []reported, from, until time.Time) (sum float64) {
	for i, r := range told {
		begin, end := r.at, until
		if i+1 < len(told) && told[i+1].at.Before(end) {
			end = told[i+1].at
		}
		if begin.Before(from) {
			begin = from
		}
		if d := end.Sub(begin); d > 0 {
			sum += d.Hours() * r.size
		}
	}
	return sum
}

// SeenSizes is what the sizes of backups are seen by: what a window bills, in GB times hours, at its beginning.
const SeenSizes = "sizes of backups"

// billedSizes are the windows of a VM's backup records with what each bills, in GB times hours, oldest first. A run
// that writes its records anew (#13399) bills no more by that, here.
func (t BilledRows) billedSizes(vm *objects.VM) (windows []usageprobe.Record, billed map[time.Time]float64) {
	billed = map[time.Time]float64{}
	seen := map[string]bool{}
	for _, r := range t.watch.RecordsOfType(usageprobe.UsageBackup, vm.Backup().BilledBy) {
		key := fmt.Sprint(r.Start, r.RawUsage, r.Column("size"))
		if seen[key] {
			continue
		}
		seen[key] = true
		if _, there := billed[r.Start]; !there {
			windows = append(windows, r)
		}
		size, err := strconv.ParseFloat(r.Column("size"), 64)
		t.Must(err, "reading the size of a record of the backups of %s", vm.Name)
		billed[r.Start] += r.RawUsage * size / gb
	}
	slices.SortFunc(windows, func(a, b usageprobe.Record) int { return a.Start.Compare(b.Start) })
	return windows, billed
}

// ExpectSizesBilled expects that each window since the first report bills the backups of a VM with the sizes that they
// had in it, each for as long as they had it.
func (t BilledRows) ExpectSizesBilled(vms ...*objects.VM) {
	for _, vm := range vms {
		t.Checked(1)
		told := t.reported(vm)
		if len(told) == 0 {
			t.Inconclusive("no size of the backups of %s was reported", vm.Name)
		}
		windows, billed := t.billedSizes(vm)
		windows = slices.DeleteFunc(windows, func(w usageprobe.Record) bool { return w.Start.Before(told[0].at) })
		if len(windows) == 0 {
			t.failOf(vm.Backup(), result.NotBilled, fmt.Sprintf("the backups of %s have no usage record of a window "+
				"after %s", vm.Name, stage.Stamp(told[0].at)), t.watch.Evidence()...)
		}
		for _, w := range windows {
			want, most := sizeHours(told, w.Start, w.End.Add(time.Second)), 0.0
			for _, r := range told {
				most = max(most, r.size)
			}
			if got := billed[w.Start]; got < want-most*hourTolerance || got > want+most*hourTolerance {
				t.failSeen(vm.Backup(), result.WrongBackupSize,
					result.Seen{What: SeenSizes, At: w.Start, Number: got, Want: want},
					fmt.Sprintf("the window from %s bills the backups of %s with %.4f GB hours, they came to %.4f",
						stage.Stamp(w.Start), vm.Name, got, want))
			}
		}
	}
}

// RequireSizesApart makes sure that a window of the VM's records holds backups of several sizes.
func (t BilledRows) RequireSizesApart(vm *objects.VM) {
	told := t.reported(vm)
	if len(told) == 0 {
		t.Inconclusive("no size of the backups of %s was reported", vm.Name)
	}
	windows, _ := t.billedSizes(vm)
	if !slices.ContainsFunc(windows, func(w usageprobe.Record) bool {
		return slices.ContainsFunc(told[1:], func(r reported) bool {
			return r.at.After(w.Start.Add(stage.Apart)) && r.at.Before(w.End.Add(-stage.Apart))
		})
	}) {
		t.Inconclusive("the backups of %s changed their size in no usage window: nothing is shown", vm.Name)
	}
}

// SizeOfLast says that a window bills a VM's backups, all of the time, with the size that they had when it ended.
func (t BilledRows) SizeOfLast(vm *objects.VM) func(result.Seen) bool {
	return func(s result.Seen) bool {
		windows, _ := t.billedSizes(vm)
		i := slices.IndexFunc(windows, func(w usageprobe.Record) bool { return w.Start.Equal(s.At) })
		if i < 0 {
			return false
		}
		last := 0.0
		for _, r := range t.reported(vm) {
			if r.at.Before(windows[i].End) {
				last = r.size
			}
		}
		return Near(s.Number, last*windows[i].RawUsage)
	}
}
