package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// watch follows the usage rows of a scenario's accounts from drain to drain.
type watch struct {
	t        *core
	accounts []*Account
	rules    []*Rule
	// before and last are the snapshots of the last two drains; nil until there was one.
	before, last *usageprobe.Snapshot
	read         time.Time         // when last was read, in the target's time
	kinds        []usageprobe.Kind // what was asked about, for the evidence
	noted        map[string]bool
	tried        bool     // the judge has found planted violations
	toldBilledAs []string // what rows are not
	known        map[usageprobe.Ref]identity
}

// identity is how a thing is called in the story, and its uuid, which the tables no longer have once it is gone.
type identity struct{ name, uuid string }

// identify remembers what is known of a thing.
func (w *watch) identify(ref usageprobe.Ref, name, uuid string) {
	if w.known == nil {
		w.known = map[usageprobe.Ref]identity{}
	}
	have := w.known[ref]
	w.known[ref] = identity{cmp.Or(have.name, name), cmp.Or(have.uuid, uuid)}
}

// accountIDs are the internal ids of the scenario's accounts.
func (w *watch) accountIDs() []int64 {
	ids := make([]int64, len(w.accounts))
	for i, a := range w.accounts {
		ids[i] = a.InternalID
	}
	return ids
}

func (w *watch) born(r *Rule) {
	w.rules = append(w.rules, r)
	w.identify(r.Billed().Ref, r.Name, r.ID)
}

// name says which rule an internal id is.
func (w *watch) name(id int64) string {
	for _, r := range w.rules {
		if r.InternalID == id {
			return fmt.Sprintf("%s %s", r.Name, r.ID)
		}
	}
	return ""
}

// violations are those of all invariants on what was read last. The first time in a story the judge is tried, too.
func (w *watch) violations() []usageprobe.Violation {
	judge := w.t.site.Judge
	if judge == nil {
		judge = harness.JudgeUsage
	}
	if !w.tried {
		w.try(judge)
	}
	return judge(w.before, *w.last)
}

// try has the judge look at copies of the rows with a violation planted in each. One that finds nothing there can say
// nothing of the rows themselves.
func (w *watch) try(judge harness.UsageJudge) {
	canaries, err := w.last.Canaries()
	w.t.Must(err, "planting a violation in copies of the usage rows")
	if len(judge(nil, *w.last)) > 0 { // it is not blind, and what it finds is told
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

// hold turns violations into a failure, but for those of a defect that the release is known to have and that another
// scenario guards.
func (w *watch) hold(all []usageprobe.Violation) {
	broken := w.unexpected(all)
	if len(broken) == 0 {
		return
	}
	lines := make([]string, len(broken))
	for i, v := range broken {
		lines[i] = v.String()
	}
	evidence := append(w.evidence(), result.Evidence{Kind: result.KindRows, Title: "invariants that do not hold",
		Text: strings.Join(lines, "\n")})
	for _, f := range w.findings(broken) {
		w.t.Find(f, evidence...)
	}
}

// unexpected leaves out what was there before, and notes what the release is known for.
func (w *watch) unexpected(all []usageprobe.Violation) (rest []usageprobe.Violation) {
	for _, v := range all {
		if v.Inherited {
			continue
		}
		if known := knownClasses()[v.Class]; w.t.site.Has(known.Knob) {
			w.note(string(v.Class), fmt.Sprintf("%s (known: %s)", v, known.Why))
			continue
		}
		rest = append(rest, v)
	}
	return rest
}

// note records a known defect once per scenario.
func (w *watch) note(key, text string) {
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

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func stampOf(t *time.Time) string {
	if t == nil {
		return "open"
	}
	return stamp(*t)
}

// rows are the helper rows of something; Part may be left out for all of it.
func (w *watch) rows(b Billed) []usageprobe.HelperRow {
	if w.last == nil {
		w.t.Inconclusive("no usage run was looked at before %s was asked about", b)
	}
	w.asked(b.Ref.Kind)
	w.identify(b.Ref, b.Name, "")
	var rows []usageprobe.HelperRow
	for _, row := range w.last.Rows {
		if row.Kind == b.Ref.Kind && row.ID == b.Ref.ID && (b.Ref.Part == "" || row.Part == b.Ref.Part) {
			rows = append(rows, row)
		}
	}
	return rows
}

func open(rows []usageprobe.HelperRow) []usageprobe.HelperRow {
	var left []usageprobe.HelperRow
	for _, r := range rows {
		if r.Open() {
			left = append(left, r)
		}
	}
	return left
}

// endOf is the time of the newest delete event of something; nil when there is none.
func (w *watch) endOf(b Billed) *time.Time {
	_, closes := usageprobe.EventTypes(b.Ref.Kind)
	var end *time.Time
	for _, e := range w.last.Events {
		for _, c := range closes {
			if e.Type == c && b.Ref.Concerns(e) {
				at := e.Created
				end = &at
			}
		}
	}
	return end
}

// recordsOfType are the records of a usage type that a condition picks.
func (w *watch) recordsOfType(usageType int64, is func(usageprobe.Record) bool) []usageprobe.Record {
	var found []usageprobe.Record
	for _, r := range w.last.Records {
		if r.Type == usageType && is(r) {
			found = append(found, r)
		}
	}
	return found
}

// asked notes what kind of thing the scenario is about.
func (w *watch) asked(kind usageprobe.Kind) {
	if !slices.Contains(w.kinds, kind) {
		w.kinds = append(w.kinds, kind)
	}
}

// evidence shows the helper rows of the kinds that were asked about, before and after, with the deletes and the newest
// records beside them.
func (w *watch) evidence() []result.Evidence {
	if w.last == nil {
		return nil
	}
	kinds := w.kinds
	if len(kinds) == 0 {
		kinds = []usageprobe.Kind{usageprobe.KindLB}
	}
	var all []result.Evidence
	for _, kind := range kinds {
		all = append(all, result.Evidence{Kind: result.KindRows, Title: "usage rows of kind " + string(kind) +
			", before and after", Text: w.helperTable(kind)},
			result.Evidence{Kind: result.KindRows, Title: "cloud_usage.cloud_usage, newest records of kind " +
				string(kind), Text: w.recordTable(kind)})
	}
	return all
}

func (w *watch) helperTable(kind usageprobe.Kind) string {
	then := map[int64]string{}
	if w.before != nil {
		for _, r := range w.before.Rows {
			if r.Kind == kind {
				then[r.HelperID] = stampOf(r.Closed)
			}
		}
	}
	return table("name\tresource id\thelper id\tcreated\tclosed before\tclosed after\tdelete event",
		func(row func(...any)) {
			for _, r := range w.last.Rows {
				if r.Kind != kind {
					continue
				}
				was, seen := then[r.HelperID]
				if !seen {
					was = "(no row)"
				}
				ended := "–"
				if end := w.endOf(Billed{Ref: r.Ref}); end != nil {
					ended = stamp(*end)
				}
				row(w.name(r.ID), strings.TrimSpace(fmt.Sprintf("%d %s", r.ID, r.Part)), r.HelperID, stamp(r.Created),
					was,
					stampOf(r.Closed), ended)
			}
		})
}

// recordWindows is how many of the newest windows the evidence shows.
const recordWindows = 4

func (w *watch) recordTable(kind usageprobe.Kind) string {
	starts := []time.Time{}
	for _, r := range slices.Backward(w.last.Records) {
		if !slices.ContainsFunc(starts, r.Start.Equal) && len(starts) < recordWindows {
			starts = append(starts, r.Start)
		}
	}
	return table("name\tusage_id\tstart_date\tend_date\traw_usage (h)", func(row func(...any)) {
		for _, r := range w.last.Records {
			if r.Type == usageprobe.RecordType(kind) && slices.ContainsFunc(starts, r.Start.Equal) {
				row(w.name(r.UsageID), r.UsageID, stamp(r.Start), stamp(r.End), fmt.Sprintf("%.9f", r.RawUsage))
			}
		}
	})
}

// table lays out rows under a tab-separated heading.
func table(heading string, fill func(row func(...any))) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, heading)
	fill(func(cells ...any) {
		words := make([]string, len(cells))
		for i, c := range cells {
			words[i] = fmt.Sprint(c)
		}
		fmt.Fprintln(tw, strings.Join(words, "\t"))
	})
	_ = tw.Flush() // a strings.Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}
