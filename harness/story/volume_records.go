package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// volumeRecords are the records of a volume as listUsageRecords lists them, oldest first.
func (t Listings) volumeRecords(v *Volume) []cloud.UsageRecord {
	now := t.now()
	found, err := t.site.Cloud.ListUsageRecords(t.ctx, now.Add(-wide), now.Add(wide), cloud.Params{
		"accountid": v.Account.ID, "type": usageprobe.UsageVolume, "usageid": v.ID})
	t.Must(err, "listing the usage records of %s", v.Name)
	slices.SortStableFunc(found, func(a, b cloud.UsageRecord) int { return a.Start.Compare(b.Start) })
	return found
}

// ExpectBilledOnce expects that whoever adds up the records of each volume bills no window more than once.
func (t Listings) ExpectBilledOnce(volumes ...*Volume) {
	for _, v := range volumes {
		t.Checked(1)
		hours, full := map[time.Time]float64{}, map[time.Time]float64{}
		var lines []string
		for _, r := range t.volumeRecords(v) {
			hours[r.Start] += r.Raw
			full[r.Start] = r.End.Add(time.Second).Sub(r.Start).Hours()
			lines = append(lines, fmt.Sprintf("%s  %.6f h  %s", stamp(r.Start), r.Raw, r.Description))
		}
		if len(lines) == 0 {
			t.Inconclusive("listUsageRecords lists nothing of %s: nothing can be added up", v.Name)
		}
		for start, sum := range hours {
			if sum > full[start]+1e-4 {
				t.Fail(result.BilledTwice, fmt.Sprintf("%s is billed %.6f h in the window from %s, which has %.6f h",
					v.Name, sum, stamp(start), full[start]), result.Evidence{Kind: result.KindRows,
					Title: "listUsageRecords type=6 usageid=" + v.ID, Text: strings.Join(lines, "\n")})
				break
			}
		}
	}
}

// ExpectBilledSince expects that a volume has a record of a window that began at a time or after it.
func (t Listings) ExpectBilledSince(since time.Time, v *Volume, class result.Class) {
	t.Checked(1)
	records := t.volumeRecords(v)
	if !slices.ContainsFunc(records, func(r cloud.UsageRecord) bool { return !r.Start.Before(since) }) {
		t.Fail(class, fmt.Sprintf("%s lives, and none of its %d usage records is of a window after %s", v.Name,
			len(records), stamp(since)))
	}
}
