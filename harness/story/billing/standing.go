package billing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// Standing is how usage stood for things before something harmless was done to them: their open rows, and how far their
// events went.
type Standing struct {
	things []watch.Billed
	rows   map[usageprobe.Ref]usageprobe.HelperRow
	newest int64 // id of the newest event
}

// Standing notes the open row of each, after a usage run. Networks and VPCs are left out of it where the release opens
// a row at each create event and writes such events whenever it likes: what becomes of those is U-14's and U-15's
// story.
func (t BilledRows) Standing(things ...watch.Billed) Standing {
	if t.site.Has(release.NetworkUsageModelOld) {
		things = slices.DeleteFunc(slices.Clone(things), func(b watch.Billed) bool {
			return b.Ref.Kind == usageprobe.KindNetwork || b.Ref.Kind == usageprobe.KindVPC
		})
	}
	s := Standing{things: things, rows: map[usageprobe.Ref]usageprobe.HelperRow{}}
	for _, b := range things {
		s.rows[b.Ref] = t.watch.RequireOpen(b)
	}
	for _, e := range t.watch.Last.Events {
		s.newest = max(s.newest, e.ID)
	}
	return s
}

// ExpectStanding expects that what was done since ended and began nothing: no event that opens or closes a row has come
// for any of them, each has the open row that it had (one of its own events may have put another in its place), and the
// newest window bills it.
func (t BilledRows) ExpectStanding(s Standing) {
	for _, b := range s.things {
		t.Checked(1)
		begun, replaced := t.since(b, s.newest)
		rows := watch.Open(t.watch.Rows(b))
		was := s.rows[b.Ref]
		switch {
		case len(begun) > 0:
			t.failOf(b, result.WrongEvent, fmt.Sprintf("%s was changed and did not end, but cloud.usage_event has %s "+
				"of it since", b, strings.Join(begun, ", ")), t.watch.Evidence()...)
		case replaced || len(rows) != 1:
			t.ExpectRowOpen(b)
		case rows[0].HelperID != was.HelperID || !rows[0].Created.Equal(was.Created):
			t.failSeen(b, result.RowCount, rowsSeen(len(t.watch.Rows(b))),
				fmt.Sprintf("%s was changed and did not end, but its usage row is another one: helper id %d of %s, "+
					"was %d of %s", b, rows[0].HelperID, stage.Stamp(rows[0].Created), was.HelperID,
					stage.Stamp(was.Created)))
		}
		t.ExpectBilledNow(b)
	}
}

// since are the events of a thing after an id that open or close its row, and whether others replaced it.
func (t BilledRows) since(b watch.Billed, newest int64) (begun []string, replaced bool) {
	opens, closes := usageprobe.EventTypes(b.Ref.Kind)
	for _, e := range t.watch.Last.Events {
		switch {
		case e.ID <= newest || !b.Ref.Concerns(e):
		case slices.Contains(opens, e.Type) || slices.Contains(closes, e.Type):
			begun = append(begun, e.Type+" at "+stage.Stamp(e.Created))
		default:
			replaced = true
		}
	}
	return begun, replaced
}
