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

// TestRowsOfAnyKindAreHeldAgainstTheirEvents: each row that is closed, not only the last one, and no more rows than
// there were lives. The address lived twice: from noon on for a minute, and from five past.
func TestRowsOfAnyKindAreHeldAgainstTheirEvents(t *testing.T) {
	ref := usageprobe.Ref{Kind: usageprobe.KindIP, ID: 5}
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	events := []usageprobe.UsageEvent{
		{ID: 1, Type: "NET.IPASSIGN", ResourceID: 5, Created: at(0)}, {ID: 2, Type: "NET.IPRELEASE", ResourceID: 5,
			Created: at(1)},
		{ID: 3, Type: "NET.IPASSIGN", ResourceID: 5, Created: at(5)},
	}
	gone := append(events[:3:3], usageprobe.UsageEvent{ID: 4, Type: "NET.IPRELEASE", ResourceID: 5, Created: at(6)})
	other := append(events[:3:3], usageprobe.UsageEvent{ID: 4, Type: "NET.IPRELEASE", ResourceID: 6, Created: at(3)})
	row := func(id int64, opened int, closed ...int) usageprobe.HelperRow {
		r := usageprobe.HelperRow{Ref: ref, HelperID: id, Created: at(opened)}
		if len(closed) > 0 {
			end := at(closed[0])
			r.Closed = &end
		}
		return r
	}
	for name, c := range map[string]struct {
		events []usageprobe.UsageEvent
		rows   []usageprobe.HelperRow
		class  result.Class // "" for none
		closed bool
	}{
		"alive": {events, []usageprobe.HelperRow{row(1, 0, 1), row(2, 5)}, "", false},
		"former row closed late": {events, []usageprobe.HelperRow{row(1, 0, 3), row(2, 5)}, result.WrongClose,
			false},
		"former row closed by another": {other, []usageprobe.HelperRow{row(1, 0, 3), row(2, 5)}, result.CrossedClose,
			false},
		"a row too many": {events, []usageprobe.HelperRow{row(1, 0, 1), row(2, 0, 1), row(3, 5)},
			result.RowCount, false},
		"closed while it lives": {events, []usageprobe.HelperRow{row(1, 0, 1), row(2, 5, 6)}, result.WrongClose,
			false},
		"two open rows": {events, []usageprobe.HelperRow{row(1, 0), row(2, 5)}, result.RowCount, false},
		"no row":        {events, nil, result.RowCount, false},
		"gone":          {gone, []usageprobe.HelperRow{row(1, 0, 1), row(2, 5, 6)}, "", true},
		"gone, former row closed late": {gone, []usageprobe.HelperRow{row(1, 0, 3), row(2, 5, 6)}, result.WrongClose,
			true},
		"gone, last row closed late": {gone, []usageprobe.HelperRow{row(1, 0, 1), row(2, 5, 7)}, result.WrongClose,
			true},
		"gone, a row still open": {gone, []usageprobe.HelperRow{row(1, 0, 1), row(2, 5)}, result.LeakedRow,
			true},
		"gone, a row too many": {gone, []usageprobe.HelperRow{row(1, 0, 1), row(2, 0, 1), row(3, 5, 6)},
			result.RowCount, true},
		"gone without its delete event": {events[:1], []usageprobe.HelperRow{row(1, 0, 1)}, result.WrongEvent, true},
	} {
		got := caseOf(t, harness.Site{}, func(t *T) {
			t.watch.Last = &usageprobe.Snapshot{Rows: c.rows, Events: c.events, Cutoff: at(10)}
			if c.closed {
				t.ExpectRowClosed(watch.Billed{Name: "A", Ref: ref})
			} else {
				t.ExpectRowOpen(watch.Billed{Name: "A", Ref: ref})
			}
		})
		if c.class == "" {
			assert.Equal(t, result.Pass, got.Verdict, "%s: %s", name, got.Reason)
			continue
		}
		if assert.Len(t, got.Findings, 1, name) {
			assert.Equal(t, c.class, got.Findings[0].Class, "%s: %s", name, got.Reason)
		}
	}
}
