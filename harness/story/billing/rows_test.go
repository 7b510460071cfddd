package billing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// billed is a record of rule 21 that begins and ends so long after noon.
func billed(from, to time.Duration) usageprobe.Record {
	return usageprobe.Record{Type: usageprobe.UsageLoadBalancer, UsageID: 21, Start: noon.Add(from),
		End: noon.Add(to - time.Second), RawUsage: (to - from).Hours()}
}

// TestNoWindowAfterTheRepair: a repaired row that is billed all the same is what the scenario is about.
func TestNoWindowAfterTheRepair(t *testing.T) {
	for name, c := range map[string]struct {
		record usageprobe.Record
		want   result.Verdict
	}{
		"before":        {billed(-time.Minute, 0), result.Pass},
		"at the repair": {billed(0, time.Minute), result.Pass},
		"after":         {billed(time.Second, time.Minute), result.Fail},
		"of other rules": {usageprobe.Record{Type: usageprobe.UsageLoadBalancer, UsageID: 22,
			Start: noon.Add(time.Minute)}, result.Pass},
	} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.watch.Last = &usageprobe.Snapshot{Records: []usageprobe.Record{c.record}}
			t.ExpectUnbilledSince(noon, rule())
		})
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
	}
}

// TestUnmeteredIsToldOfWhatHasNoRows: a report that says NOT METERED of what is metered misleads whoever pays.
func TestUnmeteredIsToldOfWhatHasNoRows(t *testing.T) {
	for id, want := range map[int64]string{5: "present, as in every release seen", 6: "NOT present here"} {
		got := caseOf(t, harness.Site{}, func(t *T) {
			t.watch.Last = &usageprobe.Snapshot{Rows: []usageprobe.HelperRow{
				{Ref: usageprobe.Ref{Kind: usageprobe.KindIP, ID: 6}, HelperID: 1},
			}}
			t.ReportUnmetered("an address", watch.Billed{Name: "x", Ref: usageprobe.Ref{Kind: usageprobe.KindIP,
				ID: id}})
		})
		assert.Equal(t, result.Pass, got.Verdict, got.Reason)
		told := got.Evidence[len(got.Evidence)-1]
		assert.Equal(t, result.TitleKnownDefect, told.Title)
		assert.Contains(t, told.Text, want)
	}
}

// TestNewestWindowIsBilledInFull: a rule whose records stopped long ago looks well billed in its last one.
func TestNewestWindowIsBilledInFull(t *testing.T) {
	short := billed(0, time.Minute)
	short.RawUsage /= 2
	for name, c := range map[string]struct {
		records []usageprobe.Record
		want    string
	}{
		"in full":                 {[]usageprobe.Record{billed(-time.Minute, 0), billed(0, time.Minute)}, ""},
		"none":                    {nil, "has no usage record"},
		"ended a window ago":      {[]usageprobe.Record{billed(-time.Minute, 0)}, "its last usage record ends at"},
		"ended two seconds early": {[]usageprobe.Record{billed(0, 58*time.Second)}, "its last usage record ends at"},
		"half":                    {[]usageprobe.Record{short}, "its last window was billed with"},
	} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.watch.Last = &usageprobe.Snapshot{Records: c.records, Cutoff: noon.Add(time.Minute - time.Second),
				Events: []usageprobe.UsageEvent{{Type: "LB.CREATE", ResourceID: 21, Created: noon.Add(-time.Hour)}}}
			t.ExpectFullWindow(rule())
		})
		assert.Equal(t, c.want == "", got == result.Pass, "%s: %s", name, reason)
		assert.Contains(t, reason, c.want, name)
	}
}

// TestDeleteEventsAreDatedInTime: a row that is closed at the date of an event with a wrong date looks right.
func TestDeleteEventsAreDatedInTime(t *testing.T) {
	for name, c := range map[string]struct {
		dated time.Duration
		want  result.Verdict
	}{
		"second of the call":   {0, result.Pass},
		"during":               {2 * time.Second, result.Pass},
		"rounded up":           {5 * time.Second, result.Pass},
		"before the call":      {-time.Second, result.Fail},
		"after the job":        {7 * time.Second, result.Fail},
		"hours off, time zone": {-2 * time.Hour, result.Fail},
	} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			died := noon.Add(c.dated)
			t.watch.Last = &usageprobe.Snapshot{Events: []usageprobe.UsageEvent{{Type: "LB.DELETE", ResourceID: 21,
				Created: died}},
				Rows: []usageprobe.HelperRow{{Ref: usageprobe.Ref{Kind: usageprobe.KindLB, ID: 21}, HelperID: 1,
					Closed: &died}}}
			r := rule()
			r.Deleting, r.Deleted = noon.Add(300*time.Millisecond), noon.Add(4*time.Second)
			t.ExpectClosed(r)
		})
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
		if c.want == result.Fail {
			assert.Contains(t, reason, "but its LB.DELETE event is dated", name)
		}
	}
}
