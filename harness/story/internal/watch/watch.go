// Package watch follows the usage rows of a story's accounts from look to look: what was read, what of it breaks an
// invariant, how it is shown, and whether a stalled usage run explains a finding. It expects nothing: that is for the
// rooms above, which ask for rows by what is billed (Billed).
//
// Before changing it know that evidence shows the kinds of rows that the story asked about (Rows notes them), and that
// names come from the story: the tables know numbers only.
package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// Watch follows the usage rows of a story's accounts from drain to drain.
type Watch struct {
	t *stage.Stage
	// before and Last are the snapshots of the last two drains; nil until there was one.
	before, Last *usageprobe.Snapshot
	Read         time.Time         // when the reading of Last began, in the target's time
	kinds        []usageprobe.Kind // what was asked about, for the evidence
	noted        map[string]bool
	tried        bool // the judge has found planted violations
	known        map[usageprobe.Ref]identity
	born         map[int64]string // rules by their internal ids
}

// New watches the rows of a stage's site. What a stalled usage run explains has that class from now on.
func New(t *stage.Stage) *Watch {
	w := &Watch{t: t, known: map[usageprobe.Ref]identity{}, born: map[int64]string{}}
	t.OnFind(func(f *result.Finding) {
		if w.explained(*f) {
			f.Class = result.StalledRun
		}
	})
	return w
}

// Saw takes the rows as they were just read, and when the reading began: nothing in them is older than it looks at that
// time, however long the reading took.
func (w *Watch) Saw(s usageprobe.Snapshot, began time.Time) {
	w.before, w.Last, w.Read = w.Last, &s, began
	for ref, r := range s.Resources {
		w.identify(ref, "", r.UUID)
	}
	w.noteRuns()
}

// identity is how a thing is called in the story, and its uuid, which the tables no longer have once it is gone.
type identity struct{ name, uuid string }

// identify remembers what is known of a thing.
func (w *Watch) identify(ref usageprobe.Ref, name, uuid string) {
	have := w.known[ref]
	w.known[ref] = identity{cmp.Or(have.name, name), cmp.Or(have.uuid, uuid)}
}

// Born remembers a rule that the story made.
func (w *Watch) Born(rule Billed, uuid string) {
	w.identify(rule.Ref, rule.Name, uuid)
	if w.born[rule.Ref.ID] == "" {
		w.born[rule.Ref.ID] = rule.Name + " " + uuid
	}
}

// Violations are those of all invariants on what was read last. The first time in a story the judge is tried, too.
func (w *Watch) Violations() []usageprobe.Violation {
	judge := w.t.Site.Judge
	if judge == nil {
		judge = harness.JudgeUsage
	}
	if !w.tried {
		w.try(judge)
	}
	return judge(w.before, *w.Last)
}

// try has the judge look at copies of the rows with a violation planted in each. One that finds nothing there can say
// nothing of the rows themselves.
func (w *Watch) try(judge harness.UsageJudge) {
	canaries, err := w.Last.Canaries()
	w.t.Must(err, "planting a violation in copies of the usage rows")
	if len(judge(nil, *w.Last)) > 0 { // it is not blind, and what it finds is told
		w.tried = true
		return
	}
	for _, c := range canaries {
		w.tried = true
		if len(judge(nil, c.Snapshot)) == 0 {
			w.t.Inconclusive("the judge of usage rows is blind: on a copy of the rows %s, and it finds nothing more",
				c.Planted)
		}
	}
}

// Hold turns violations into a failure, but for those of a defect that the release is known to have and that another
// scenario guards.
func (w *Watch) Hold(all []usageprobe.Violation) {
	broken := w.Unexpected(all)
	if len(broken) == 0 {
		return
	}
	lines := stage.Each(broken, func(v usageprobe.Violation) string { return w.named(v.String()) })
	evidence := append(w.Evidence(), result.Evidence{Kind: result.KindRows, Title: "invariants that do not hold",
		Text: strings.Join(lines, "\n")})
	for _, f := range w.findings(broken) {
		w.t.Find(f, evidence...)
	}
}

// Unexpected leaves out what was there before, and notes what the release is known for.
func (w *Watch) Unexpected(all []usageprobe.Violation) (rest []usageprobe.Violation) {
	for _, v := range all {
		if v.Inherited {
			continue
		}
		if known := knownClasses()[v.Class]; w.t.Site.Has(known.Knob) {
			w.note(string(v.Class), fmt.Sprintf("%s (known: %s)", v, known.Why))
			continue
		}
		rest = append(rest, v)
	}
	return rest
}

// note records a known defect once per scenario.
func (w *Watch) note(key, text string) {
	if w.noted == nil {
		w.noted = map[string]bool{}
	}
	if !w.noted[key] {
		w.noted[key] = true
		w.t.Note("known defect of this release", "%s", text)
	}
}

// knownClasses are the defects that the invariants see beside the one that a scenario is about. Leaked and crossed rows
// are not among them: whatever scenario meets them must say so.
func knownClasses() map[usageprobe.Class]harness.Known {
	return map[usageprobe.Class]harness.Known{
		usageprobe.ClassDuplicateNetwork: {Knob: release.NetworkUsageModelOld,
			Why: "#10687, ended by #10712 and #10755 in 4.19.3 and 4.20.1"},
		usageprobe.ClassSharedNICOffering: {Knob: release.UsageNICCloseByOffering,
			Why: "NIC rows are closed by VM and offering, UsageNetworkOfferingDaoImpl.java@4.20.0.0"},
		usageprobe.ClassVPNUserDate: {Knob: release.UsageVPNCloseAtJob,
			Why: "UsageVPNUserDaoImpl.java@4.20.0.0 writes the job's time"},
	}
}

// Rows are the helper rows of something; Part may be left out for all of it.
func (w *Watch) Rows(b Billed) []usageprobe.HelperRow {
	if w.Last == nil {
		w.t.Inconclusive("no usage run was looked at before %s was asked about", b)
	}
	if !slices.Contains(w.kinds, b.Ref.Kind) {
		w.kinds = append(w.kinds, b.Ref.Kind)
	}
	w.identify(b.Ref, b.Name, "")
	var rows []usageprobe.HelperRow
	for _, row := range w.Last.Rows {
		if row.Kind == b.Ref.Kind && row.ID == b.Ref.ID && (b.Ref.Part == "" || row.Part == b.Ref.Part) {
			rows = append(rows, row)
		}
	}
	return rows
}

// Open are those of the rows that are open.
func Open(rows []usageprobe.HelperRow) []usageprobe.HelperRow {
	var left []usageprobe.HelperRow
	for _, r := range rows {
		if r.Open() {
			left = append(left, r)
		}
	}
	return left
}

// RequireOpen makes sure that something has exactly one open row, and answers it.
func (w *Watch) RequireOpen(b Billed) usageprobe.HelperRow {
	rows := Open(w.Rows(b))
	if len(rows) == 1 {
		return rows[0]
	}
	if stall, ok := w.Last.Stall(); ok && stall.Holds(b.Ref) {
		w.t.FailNow(result.StalledRun, fmt.Sprintf("%s has no usage row: its event waits behind %s of volume %d", b,
			stall.By.Type, stall.By.ResourceID), w.Evidence()...)
	}
	w.t.Inconclusive("%s has %d open usage rows, want one, before anything is done to it", b, len(rows))
	return usageprobe.HelperRow{}
}

// EndOf is the time of the newest delete event of something; nil when there is none.
func (w *Watch) EndOf(b Billed) *time.Time {
	_, closes := usageprobe.EventTypes(b.Ref.Kind)
	var end *time.Time
	for _, e := range w.Last.Events {
		for _, c := range closes {
			if e.Type == c && b.Ref.Concerns(e) {
				at := e.Created
				end = &at
			}
		}
	}
	return end
}

// EventsOf are the usage events of a type about a resource, oldest first.
func (w *Watch) EventsOf(eventType string, resource int64) (events []usageprobe.UsageEvent) {
	for _, e := range w.Last.Events {
		if e.Type == eventType && e.ResourceID == resource {
			events = append(events, e)
		}
	}
	return events
}

// RecordsOfType are the records of a usage type that a condition picks.
func (w *Watch) RecordsOfType(usageType int64, is func(usageprobe.Record) bool) []usageprobe.Record {
	var found []usageprobe.Record
	for _, r := range w.Last.Records {
		if r.Type == usageType && is(r) {
			found = append(found, r)
		}
	}
	return found
}

// shown are the kinds that the story is about.
func (w *Watch) shown() []usageprobe.Kind {
	if len(w.kinds) == 0 {
		return []usageprobe.Kind{usageprobe.KindLB}
	}
	return w.kinds
}

// Evidence shows the helper rows of the kinds that were asked about, before and after, with the deletes and the newest
// records beside them.
func (w *Watch) Evidence() []result.Evidence {
	if w.Last == nil {
		return nil
	}
	var all []result.Evidence
	for _, kind := range w.shown() {
		all = append(all, result.Evidence{Kind: result.KindRows, Title: "usage rows of kind " + string(kind) +
			", before and after the usage run", Text: w.helperTable(kind)},
			result.Evidence{Kind: result.KindRows, Title: "cloud_usage.cloud_usage, newest records of kind " +
				string(kind), Text: w.RecordTable(kind)})
	}
	return all
}

func (w *Watch) helperTable(kind usageprobe.Kind) string {
	then := map[int64]string{}
	if w.before != nil {
		for _, r := range w.before.Rows {
			if r.Kind == kind {
				then[r.HelperID] = stage.StampOf(r.Closed)
			}
		}
	}
	return stage.Table("name\tinternal id\thelper id\tcreated\tclosed before\tclosed after\tdelete event",
		func(row func(...any)) {
			for _, r := range w.Last.Rows {
				if r.Kind != kind {
					continue
				}
				was, seen := then[r.HelperID]
				if !seen {
					was = "(no row)"
				}
				ended := "–"
				if end := w.EndOf(Billed{Ref: r.Ref}); end != nil {
					ended = stage.Stamp(*end)
				}
				row(w.born[r.ID], strings.TrimSpace(fmt.Sprintf("%d %s", r.ID, r.Part)), r.HelperID,
					stage.Stamp(r.Created), was, stage.StampOf(r.Closed), ended)
			}
		})
}

// recordWindows is how many of the newest windows the evidence shows.
const recordWindows = 4

// RecordTable shows the newest records of a kind.
func (w *Watch) RecordTable(kind usageprobe.Kind) string {
	starts := []time.Time{}
	for _, r := range slices.Backward(w.Last.Records) {
		if !slices.ContainsFunc(starts, r.Start.Equal) && len(starts) < recordWindows {
			starts = append(starts, r.Start)
		}
	}
	return stage.Table("name\tusage_id\tstart_date\tend_date\traw_usage (h)", func(row func(...any)) {
		for _, r := range w.Last.Records {
			if r.Type == usageprobe.RecordType(kind) && slices.ContainsFunc(starts, r.Start.Equal) {
				row(w.born[r.UsageID], r.UsageID, stage.Stamp(r.Start), stage.Stamp(r.End),
					fmt.Sprintf("%.9f", r.RawUsage))
			}
		}
	})
}

// Whose says whose delete a close date belongs to, when it is not the row's own; empty when it is nobody else's.
func (w *Watch) Whose(row usageprobe.HelperRow) string {
	_, closes := usageprobe.EventTypes(row.Kind)
	for _, e := range w.Last.Events {
		if row.Closed != nil && e.Created.Equal(*row.Closed) && slices.Contains(closes, e.Type) &&
			!row.Ref.Concerns(e) {
			return fmt.Sprintf(", the time of %s of id %d (%s)", e.Type, e.ResourceID,
				w.called(usageprobe.Ref{Kind: row.Kind, ID: e.ResourceID}))
		}
	}
	return ""
}

// RecordsOf are the usage records of something, oldest first.
func (w *Watch) RecordsOf(b Billed) []usageprobe.Record {
	records := w.RecordsOfType(usageprobe.RecordType(b.Ref.Kind), b.BilledBy)
	slices.SortStableFunc(records, func(a, b usageprobe.Record) int { return a.Start.Compare(b.Start) })
	return records
}

// NewestHolds says whether the newest usage window began before a time; false where it bills the scenario's accounts
// nothing.
func (w *Watch) NewestHolds(at time.Time) bool {
	return slices.ContainsFunc(w.Last.Records, func(r usageprobe.Record) bool {
		return w.Newest(r) && !r.Start.After(at)
	})
}

// Newest says whether a record is of the newest window.
func (w *Watch) Newest(r usageprobe.Record) bool {
	return !r.End.Before(w.Last.Cutoff.Truncate(time.Second))
}
