package watch

import (
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// noteRuns puts the usage jobs since the last look on the time line.
func (w *Watch) noteRuns() {
	var since int64
	if w.before != nil {
		for _, j := range w.before.Jobs {
			since = max(since, j.ID)
		}
	}
	for _, j := range w.Last.Jobs {
		if j.ID <= since || j.End.IsZero() || !j.Success && !j.Start.Before(j.End) {
			continue // not over, or an empty window: such a job reports no success and did nothing wrong
		}
		says := "usage run up to " + stage.Stamp(j.End)
		if !j.Success {
			says += " FAILED"
		}
		w.t.Moment(result.MomentUsageRun, j.End, says)
	}
}

// mostLives bounds the rows that are drawn; those with a finding come first.
const mostLives = 60

// DrawLives draws the helper rows of the kinds that the story is about, as the last look found them.
func (w *Watch) DrawLives() {
	if w.t.Brief() || w.Last == nil || !w.t.Undecided() {
		return
	}
	views := w.t.Views()
	var rest []result.Life
	for _, row := range w.Last.Rows {
		if !slices.Contains(w.shown(), row.Kind) {
			continue
		}
		if l := w.lifeOf(row); l.Class != "" {
			views.Lives = append(views.Lives, l)
		} else {
			rest = append(rest, l)
		}
	}
	views.Lives = append(views.Lives, rest...)
	views.Lives = views.Lives[:min(len(views.Lives), mostLives)]
}

func (w *Watch) lifeOf(row usageprobe.HelperRow) result.Life {
	l := result.Life{Kind: string(row.Kind), Table: row.Table, Name: w.called(row.Ref), ID: row.ID,
		HelperID: row.HelperID, Opened: row.Created, Closed: row.Closed,
		UUID: w.known[row.Ref].uuid, Died: w.EndOf(Billed{Ref: row.Ref})}
	opens, closes := usageprobe.EventTypes(row.Kind)
	for _, e := range w.Last.Events {
		mine := row.Ref.Concerns(e)
		if at := e.Created; mine && l.Born == nil && slices.Contains(opens, e.Type) {
			l.Born = &at
		}
		if !mine && row.Closed != nil && e.Created.Equal(*row.Closed) && slices.Contains(closes, e.Type) &&
			e.ResourceID == row.HelperID {
			l.ClosedBy = w.called(usageprobe.Ref{Kind: row.Kind, ID: e.ResourceID})
		}
	}
	for _, f := range w.t.Findings() {
		if f.Subject == Subject(row.Ref) {
			l.Class = string(f.Class)
		}
	}
	l.Billed, l.Records = w.billedTo(row.Ref), w.newest(row.Ref)
	return l
}

// mostRecords bounds the records that are drawn of a thing.
const mostRecords = 30

// newest are the newest records of a thing, window by window.
func (w *Watch) newest(ref usageprobe.Ref) []result.Billed {
	records := w.RecordsOf(Billed{Ref: ref})
	var all []result.Billed
	for _, r := range records[max(0, len(records)-mostRecords):] {
		all = append(all, result.Billed{From: r.Start, To: r.End.Add(time.Second), Hours: r.RawUsage})
	}
	return all
}

// billedTo joins the windows of the records that bill something.
func (w *Watch) billedTo(ref usageprobe.Ref) []result.Billed {
	records := w.RecordsOf(Billed{Ref: ref})
	var spans []result.Billed
	for _, r := range records {
		end := r.End.Add(time.Second)
		if n := len(spans); n > 0 && spans[n-1].To.Equal(r.Start) {
			spans[n-1].To, spans[n-1].Hours = end, spans[n-1].Hours+r.RawUsage
			continue
		}
		spans = append(spans, result.Billed{From: r.Start, To: end, Hours: r.RawUsage})
	}
	return spans
}
