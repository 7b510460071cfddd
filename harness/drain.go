package harness

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// watch follows the usage rows of a scenario's accounts from drain to drain.
type watch struct {
	t        *T
	accounts []*Account
	rules    []*Rule
	// before and last are the snapshots of the last two drains; nil until there was one.
	before, last *usageprobe.Snapshot
	read         time.Time         // when last was read, in the target's time
	kinds        []usageprobe.Kind // what was asked about, for the evidence
	checks       int               // expectations that were looked at
	noted        map[string]bool
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

// Drain waits until a successful usage run covers the present, then holds the rows of the scenario's accounts against the
// invariants I1–I10. Nothing is concluded when the run did not happen (T3).
func (t *T) Drain() {
	defer t.step("usage run")()
	until := t.now()
	t.must(t.site.Usage.Cover(t.ctx, until), "waiting for a usage run that covers %s", stamp(until))
	t.look(until)
}

// Drains lets count usage windows pass, with a run after each; where runs are shared, with one run after all of them,
// which cuts them into windows just the same (UsageManagerImpl.java@4.20.0.0 goes slice by slice).
func (t *T) Drains(count int) {
	defer t.step("%d usage windows", count)()
	if t.sharesRuns() {
		until := t.now().Add(time.Duration(count) * t.site.Usage.Window())
		t.must(t.site.Usage.Cover(t.ctx, until), "waiting for a usage run that covers %s", stamp(until))
		t.look(until)
		return
	}
	for range count {
		t.must(t.site.Clock.Pass(t.ctx, t.site.Usage.Window()), "letting a usage window pass")
		t.Drain()
	}
}

// DrainUnjudged waits for a usage run and reads the rows, but holds no invariant against them: for stories in which rows are
// known to be wrong, or that are about something else.
func (t *T) DrainUnjudged() {
	defer t.step("usage run, not judged")()
	until := t.now()
	t.must(t.site.Usage.Cover(t.ctx, until), "waiting for a usage run that covers %s", stamp(until))
	t.read(until)
}

func (t *T) look(until time.Time) {
	t.read(until)
	lost, err := usageprobe.New(t.site.DB).LostAccounts(t.ctx, t.watch.accountIDs()...)
	t.must(err, "looking for the accounts in cloud_usage.account")
	t.watch.hold(append(lost, usageprobe.Invariants(t.watch.before, *t.watch.last, usageprobe.Touched{})...))
}

// lastSuccess is the end of the newest successful usage job.
func (t *T) lastSuccess() time.Time {
	jobs, err := usageprobe.New(t.site.DB).Jobs(t.ctx)
	t.must(err, "reading usage jobs")
	var end time.Time
	for _, j := range jobs {
		if j.Success && j.End.After(end) {
			end = j.End
		}
	}
	return end
}

// accountIDs are the internal ids of the scenario's accounts.
func (w *watch) accountIDs() []int64 {
	ids := make([]int64, len(w.accounts))
	for i, a := range w.accounts {
		ids[i] = a.InternalID
	}
	return ids
}

func (t *T) read(until time.Time) {
	w := t.watch
	ids := w.accountIDs()
	if len(ids) == 0 {
		t.Inconclusive("a usage run was asked for before the scenario had an account: nothing to look at")
	}
	s := t.snapshot(ids...)
	if !s.Cutoff.After(until) {
		t.Inconclusive("the newest successful usage job ends at %s, before %s: no run has covered what the scenario did", stamp(s.Cutoff), stamp(until))
	}
	w.before, w.last, w.read = w.last, &s, t.now()
	for ref, r := range s.Resources {
		w.identify(ref, "", r.UUID)
	}
	w.noteRuns()
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
	evidence := append(w.evidence(), result.Evidence{Kind: result.KindRows, Title: "invariants that do not hold", Text: strings.Join(lines, "\n")})
	for i, f := range w.findings(broken) {
		w.t.find(f, lines[i], evidence...)
	}
}

// unexpected leaves out what was there before, and notes what the release is known for.
func (w *watch) unexpected(all []usageprobe.Violation) (rest []usageprobe.Violation) {
	for _, v := range all {
		if v.Inherited {
			continue
		}
		if known := knownClasses()[v.Class]; known.On(w.t.site.Release) {
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
func knownClasses() map[usageprobe.Class]Known {
	all := []Span{{}}
	return map[usageprobe.Class]Known{
		usageprobe.ClassDuplicateNetwork:  {Spans: []Span{{"4.19.1", "4.19.2"}, {"4.20.0", "4.20.0"}}, Why: "#10687, ended by #10712 and #10755 in 4.19.3 and 4.20.1"},
		usageprobe.ClassSharedNICOffering: {Spans: all, Why: "NIC rows are closed by VM and offering, UsageNetworkOfferingDaoImpl.java@4.20.0.0"},
		usageprobe.ClassVPNUserDate:       {Spans: all, Why: "UsageVPNUserDaoImpl.java@4.20.0.0 writes the job's time"},
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func stampOf(t *time.Time) string {
	if t == nil {
		return "open"
	}
	return stamp(*t)
}
