package story

import (
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/probes/dataplane"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/router"
)

// noteRuns puts the usage jobs since the last look on the time line.
func (w *watch) noteRuns() {
	var since int64
	if w.before != nil {
		for _, j := range w.before.Jobs {
			since = max(since, j.ID)
		}
	}
	for _, j := range w.last.Jobs {
		if j.ID <= since || j.End.IsZero() || !j.Success && !j.Start.Before(j.End) {
			continue // not over, or an empty window: such a job reports no success and did nothing wrong
		}
		says := "usage run up to " + stamp(j.End)
		if !j.Success {
			says += " FAILED"
		}
		w.t.Moment(result.MomentUsageRun, j.End, says)
	}
}

// mostLives bounds the rows that are drawn; those with a finding come first.
const mostLives = 60

// drawLives draws the helper rows of the kinds that the story is about, as the last look found them.
func (w *watch) drawLives() {
	if w.t.Brief() || w.last == nil || !w.t.Undecided() {
		return
	}
	kinds := w.kinds
	if len(kinds) == 0 {
		kinds = []usageprobe.Kind{usageprobe.KindLB}
	}
	views := w.t.Views()
	var rest []result.Life
	for _, row := range w.last.Rows {
		if !slices.Contains(kinds, row.Kind) {
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

func (w *watch) lifeOf(row usageprobe.HelperRow) result.Life {
	l := result.Life{Kind: string(row.Kind), Table: row.Table, Name: w.called(row.Ref), ID: row.ID,
		HelperID: row.HelperID, Opened: row.Created, Closed: row.Closed,
		UUID: w.known[row.Ref].uuid, Died: w.endOf(Billed{Ref: row.Ref})}
	opens, closes := usageprobe.EventTypes(row.Kind)
	for _, e := range w.last.Events {
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
		if f.Subject == subject(row.Ref) {
			l.Class = string(f.Class)
		}
	}
	l.Billed = w.billedTo(row.Ref)
	return l
}

// billedTo joins the windows of the records that bill something.
func (w *watch) billedTo(ref usageprobe.Ref) []result.Billed {
	records := w.recordsOfType(usageprobe.RecordType(ref.Kind), Billed{Ref: ref}.billedBy)
	slices.SortStableFunc(records, func(a, b usageprobe.Record) int { return a.Start.Compare(b.Start) })
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

// draw keeps what was seen of a rule for the report: its clients, and its section at every station.
func (s seen) draw() {
	v := s.t.Views()
	g := GridOf(s.obs, string(s.verdict), s.why)
	g.Rule = s.rule.called() + ", " + g.Rule
	v.Grids = append(v.Grids, g)
	s.t.drawSection(s.rule.Network.Router(), s.rule.Section(), s.rule.Name, s.files, s.rendered)
}

// mostSections bounds the sections that are drawn.
const mostSections = 12

func (t *core) drawSection(routerName, section, rule string, files router.Files, rendered router.Rendered) {
	lines := func(file []byte) []string {
		s, ok := router.Listens(file)[section]
		if !ok {
			return nil
		}
		return append([]string{}, s.Lines...)
	}
	one := result.Section{Router: routerName, Name: section, Rule: rule, Push: lines(rendered.File()),
		Written: lines(files.New), Live: lines(files.Live),
		Process: lines(files.Serving), Refusal: files.Refusal}
	views := t.Views()
	all := slices.DeleteFunc(views.Sections, func(o result.Section) bool {
		return o.Router == routerName &&
			o.Name == section
	})
	if len(all) < mostSections {
		all = append(all, one)
	}
	views.Sections = all
}

// drawDifferences draws the sections in which a router is not at its newest push.
func (t *core) drawDifferences(routerName string, files router.Files, rendered router.Rendered) {
	want, live := router.Listens(rendered.File()), router.Listens(files.Live)
	for _, s := range append(router.Sections(rendered.File()), router.Sections(files.Live)...) {
		w, due := want[s.Name]
		l, there := live[s.Name]
		if s.Kind == "listen" && (due != there || !sameLines(w.Lines, l.Lines)) {
			t.drawSection(routerName, s.Name, "", files, rendered)
		}
	}
}

// GridOf is an observation as a picture.
func GridOf(o dataplane.Observation, verdict, why string) result.Grid {
	g := result.Grid{Rule: o.Target.Rule, Control: o.Control.Rule, Verdict: verdict, Reason: why}
	index := map[string]int{}
	number := func(backends []string) []int {
		row := make([]int, len(backends))
		for i, b := range backends {
			at, known := index[b]
			if !known {
				at = len(g.Backends)
				index[b] = at
				g.Backends = append(g.Backends, b)
			}
			row[i] = at
		}
		return row
	}
	number(slices.Sorted(slices.Values(append(slices.Clone(o.Control.Backends), o.Target.Backends...))))
	for _, tr := range o.Traces {
		g.Clients = append(g.Clients, result.GridRow{Client: tr.Client.String(), Rule: number(tr.Target),
			Control: number(tr.Control)})
	}
	return g
}
