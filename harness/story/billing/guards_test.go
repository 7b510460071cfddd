package billing

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// TestIDsMustBeApart (T1): where a rule's id is a helper id, a wrong lookup may find the right row. Where others' rules
// come between, only its own row's id matters: a wrong lookup that finds another row shows.
func TestIDsMustBeApart(t *testing.T) {
	for name, c := range map[string]struct {
		rows         map[int64]int64
		want, shared result.Verdict
	}{
		"apart":                  {map[int64]int64{1: 21, 2: 22}, result.Pass, result.Pass},
		"its own row's id":       {map[int64]int64{21: 21}, result.Inconclusive, result.Inconclusive},
		"another row's id":       {map[int64]int64{1: 21, 21: 22}, result.Inconclusive, result.Pass},
		"another rule's matters": {map[int64]int64{1: 21, 22: 23}, result.Pass, result.Pass},
	} {
		for _, site := range []harness.Site{{}, {Usage: sharedMinutes{}}} {
			want := c.want
			if site.Usage != nil {
				want = c.shared
			}
			for by, require := range map[string]func(*T, *objects.Rule){
				"as a rule":    func(t *T, r *objects.Rule) { t.RequireApart(r) },
				"as is billed": func(t *T, r *objects.Rule) { t.RequireIDApart(r.Billed()) },
			} {
				got, reason := verdictOf(t, site, func(t *T) {
					t.Checked(1)
					t.watch.Last = helperRows(c.rows)
					require(t, rule())
				})
				assert.Equal(t, want, got, "%s, %s: %s", name, by, reason)
			}
		}
	}
}

// TestAWindowAfterTheDelete: where the window of the delete is the last one, records that go on would not be seen.
func TestAWindowAfterTheDelete(t *testing.T) {
	died := time.Date(2026, 11, 22, 12, 1, 30, 0, time.UTC)
	for start, want := range map[time.Time]result.Verdict{died.Add(-30 * time.Second): result.Inconclusive,
		died.Add(30 * time.Second): result.Pass} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.Checked(1)
			t.watch.Last = &usageprobe.Snapshot{Events: []usageprobe.UsageEvent{{Type: "LB.DELETE", ResourceID: 21,
				Created: died}},
				Records: []usageprobe.Record{{Type: usageprobe.UsageLoadBalancer, UsageID: 22, Start: start}}}
			t.RequireWindowAfter(&objects.Rule{Name: "A", InternalID: 21}, &objects.Rule{Name: "B",
				InternalID: 22})
		})
		assert.Equal(t, want, got, "from %s: %s", start, reason)
	}
}

// TestAWindowThatHoldsTheEnd bills in part what ended within it: that is no record after the end.
func TestAWindowThatHoldsTheEnd(t *testing.T) {
	cutoff := noon.Add(2 * time.Minute)
	gone := watch.Billed{Ref: usageprobe.Ref{Kind: usageprobe.KindIP, ID: 5}, Name: "an address"}
	record := func(from time.Time) usageprobe.Record {
		return usageprobe.Record{Type: usageprobe.RecordType(usageprobe.KindIP), UsageID: 5, Start: from, End: cutoff}
	}
	released := []usageprobe.UsageEvent{{Type: "NET.IPRELEASE", ResourceID: 5, Created: noon.Add(10 * time.Second)}}
	after, before := record(noon.Add(time.Minute)), record(noon)
	for name, c := range map[string]struct {
		records []usageprobe.Record
		events  []usageprobe.UsageEvent
		want    result.Verdict
	}{
		"no record":               {nil, released, result.Pass},
		"a window after the end":  {[]usageprobe.Record{after}, released, result.Fail},
		"the window of the end":   {[]usageprobe.Record{before}, released, result.Inconclusive},
		"that window, and after":  {[]usageprobe.Record{before, after}, released, result.Fail},
		"without an event of end": {[]usageprobe.Record{before}, nil, result.Fail},
	} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.watch.Last = &usageprobe.Snapshot{Cutoff: cutoff, Records: c.records, Events: c.events}
			t.ExpectNotBilledNow(gone)
		})
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
	}
}

// TestAgeOfTheNewestJob: rows are judged as of when they were read, and where runs are shared an old job only says that
// others had the site for themselves.
func TestAgeOfTheNewestJob(t *testing.T) {
	ended := time.Date(2026, 11, 22, 12, 0, 59, 0, time.UTC)
	for name, c := range map[string]struct {
		runs harness.UsageRuns
		read time.Duration
		want result.Verdict
	}{
		"fresh":       {minutes{}, 2 * time.Minute, result.Pass},
		"old":         {minutes{}, 2*time.Minute + time.Second, result.Fail},
		"old, shared": {sharedMinutes{}, 10 * time.Minute, result.Pass},
	} {
		got, reason := verdictOf(t, harness.Site{Usage: c.runs}, func(t *T) {
			t.watch.Last, t.watch.Read = &usageprobe.Snapshot{Cutoff: ended}, ended.Add(c.read)
			t.ExpectJobsSound()
		})
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
	}
}

// minutes are usage runs with windows of a minute.
type minutes struct{}

func (minutes) Cover(context.Context, time.Time) error { return nil }
func (minutes) Window() time.Duration                  { return time.Minute }

type sharedMinutes struct{ minutes }

func (sharedMinutes) Shared() bool { return true }
