package billing

import (
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ExpectKnownToUsage wants accounts in cloud_usage.account, from where the usage server bills. The scenario's first
// account is the control: one that is there is found there.
func (t UsageRuns) ExpectKnownToUsage(accounts ...*objects.Account) {
	defer t.Step("accounts known to the usage server")()
	t.Checked(1)
	ids := []int64{t.on.Accounts()[0].InternalID}
	for _, a := range accounts {
		ids = append(ids, a.InternalID)
	}
	lost, err := t.on.Usage().LostAccounts(t.ctx, ids...)
	t.Must(err, "looking for the accounts in cloud_usage.account")
	for _, v := range lost {
		if v.AccountID == ids[0] {
			t.Inconclusive("account %d, which a usage run has billed, is not found in cloud_usage.account: the look "+
				"itself is wrong", ids[0])
		}
		t.Find(result.Finding{Says: fmt.Sprintf("account %d is missing in cloud_usage.account after a usage run "+
			"that came after it was made: it is not billed, and its first event will end every usage run of the site",
			v.AccountID), Class: watch.ClassOf(v), Codes: []string{v.Invariant}})
	}
}

// usageAnswer is how long a run that was asked for may take to be found: one heartbeat, and the run.
const usageAnswer = 3 * time.Minute

// SeenNoRun is what a usage run that did not come is seen by: the minutes that were waited.
const SeenNoRun = "no run"

// ExpectUsageRun asks for a usage run and expects that one succeeds.
func (t UsageRuns) ExpectUsageRun() bool {
	defer t.Step("usage run on demand")()
	t.Checked(1)
	before := t.on.LastSuccess()
	t.Must(t.site.Cloud.GenerateUsageRecords(t.ctx), "generateUsageRecords")
	for waited := time.Duration(0); waited < usageAnswer; waited += stage.UsageLook {
		t.on.Pass(stage.UsageLook)
		if t.on.LastSuccess().After(before) {
			return true
		}
	}
	t.on.FailAs(result.UsageJob, result.Seen{What: SeenNoRun, Number: usageAnswer.Minutes()},
		fmt.Sprintf("a usage run was asked for and no job has succeeded within %s; the newest success ends at %s",
			usageAnswer, stage.Stamp(before)))
	return false
}

// Judge reads the rows as they are and holds them against the invariants.
func (t UsageRuns) Judge() {
	defer t.Step("rows against the invariants")()
	t.look(time.Time{})
}

// ExpectDays expects that every successful usage job ended at midnight of a time zone.
func (t UsageRuns) ExpectDays(zone *time.Location) {
	t.Checked(1)
	for _, j := range t.watch.Last.Jobs {
		if end := j.End.Add(time.Millisecond).In(zone); j.Success && (end.Hour() != 0 || end.Minute() != 0) {
			t.Fail(result.UsageJob, fmt.Sprintf("usage job %d covers up to %s in %s, want a midnight", j.ID,
				end.Format("2006-01-02 15:04:05"), zone), jobTable(t.watch.Last.Jobs))
			return
		}
	}
}

// ExpectFirstDay expects that the first successful usage job covers from a midnight on.
func (t UsageRuns) ExpectFirstDay(midnight time.Time) {
	t.Checked(1)
	for _, j := range t.watch.Last.Jobs {
		if !j.Success {
			continue
		}
		if !j.Start.Equal(midnight) {
			t.Fail(result.UsageJob, fmt.Sprintf("the first usage job covers from %s on, and the day begins at %s",
				stage.Stamp(j.Start), stage.Stamp(midnight)), jobTable(t.watch.Last.Jobs))
		}
		return
	}
	t.Inconclusive("no usage job has succeeded")
}

// cover waits for a usage run that covers a time.
func (t UsageRuns) cover(until time.Time) {
	t.Must(t.site.Usage.Cover(t.ctx, until), "waiting for a usage run that covers %s", stage.Stamp(until))
}

// Drain waits until a successful usage run covers the present, then holds the rows of the scenario's accounts against
// the invariants I1–I9 and I11. Nothing is concluded when the run did not happen (T3).
func (t UsageRuns) Drain() {
	defer t.Step("usage run")()
	until := t.on.Now()
	t.cover(until)
	t.look(until)
}

// Drains lets count usage windows pass, with a run after each; where runs are shared, with one run after all of them,
// which cuts them into windows just the same (UsageManagerImpl.java@4.20.0.0 goes slice by slice).
func (t UsageRuns) Drains(count int) {
	defer t.Step("%s", windows("usage window", count))()
	if t.on.SharesRuns() {
		t.drainTogether(count)
		return
	}
	for range count {
		t.Must(t.site.Clock.Pass(t.ctx, t.site.Usage.Window()), "letting a usage window pass")
		t.Drain()
	}
}

// DrainUnjudged waits for a usage run and reads the rows, but holds no invariant against them: for stories in which
// rows are known to be wrong, or that are about something else.
func (t UsageRuns) DrainUnjudged() {
	defer t.Step("usage run, not judged")()
	until := t.on.Now()
	t.cover(until)
	t.read(until)
}

// look judges the rows after a usage run that covers a time; the zero time is no run in particular.
func (t UsageRuns) look(until time.Time) {
	t.read(until)
	var lost []usageprobe.Violation
	if !until.IsZero() {
		var err error
		lost, err = t.on.Usage().LostAccounts(t.ctx, t.on.AccountIDs()...)
		t.Must(err, "looking for the accounts in cloud_usage.account")
	}
	t.watch.Hold(append(lost, t.watch.Violations()...))
	billedAs(t).expectBilledAs()
}

func (t UsageRuns) read(until time.Time) {
	ids := t.on.AccountIDs()
	if len(ids) == 0 {
		t.Inconclusive("a usage run was asked for before the scenario had an account: nothing to look at")
	}
	began := t.on.Now()
	s := t.snapshot(ids...)
	if !s.Cutoff.After(until) {
		t.Inconclusive("the newest successful usage job ends at %s, before %s: no run covers what the scenario did",
			stage.Stamp(s.Cutoff), stage.Stamp(until))
	}
	t.watch.Saw(s, began)
}

// PassHalfWindow lets half a usage window pass, so that what comes next falls inside one. Where runs are shared they
// come at any time: there it is enough to be away from the minute's ends, at which windows end
// (UsageManagerImpl.java@4.20.0.0).
func (t UsageRuns) PassHalfWindow() {
	half := t.site.Usage.Window() / 2
	if t.on.SharesRuns() {
		half = inside(t.on.Now())
	}
	t.Must(t.site.Clock.Pass(t.ctx, half), "letting half a window pass")
}

// How far from a minute's ends a call is well inside a window, and its event too, which comes later: a rule's creation
// and its delete are five calls, which a slow server answers after five seconds each.
const (
	afterEnd  = 5 * time.Second
	beforeEnd = 35 * time.Second
)

// inside is how long to wait until the middle of a minute.
func inside(now time.Time) time.Duration {
	at := now.Sub(now.Truncate(time.Minute))
	switch {
	case at < afterEnd:
		return afterEnd - at
	case at > time.Minute-beforeEnd:
		return time.Minute - at + afterEnd
	}
	return 0
}

// DrainThrough waits for a usage run that covers the present, and for count whole windows after it. Where runs are
// shared and take a minute each, one run covers all of it.
func (t UsageRuns) DrainThrough(count int) {
	if t.on.SharesRuns() {
		defer t.Step("usage run over %d windows more", count)()
		t.drainTogether(count)
		return
	}
	t.Drain()
	t.Drains(count)
}

// drainTogether has one run cover the present and count windows after it. A run's first window may be up to a minute
// longer than the range (UsageManagerImpl.java@4.20.0.0): where the newest one began before the present, it holds what
// was done before, and another run is waited for.
func (t UsageRuns) drainTogether(count int) {
	present := t.on.Now()
	until := present.Add(time.Duration(count) * t.site.Usage.Window())
	for {
		t.cover(until)
		t.look(until)
		if !t.watch.NewestHolds(present) {
			return
		}
		until = t.watch.Last.Cutoff
	}
}

// consistent says whether a snapshot was not taken in the middle of a usage run: a run writes its records before it
// closes its job (UsageManagerImpl.java@4.20.0.0).
func consistent(s usageprobe.Snapshot) bool {
	for _, r := range s.Records {
		if r.End.After(s.Cutoff.Add(time.Second)) {
			return false
		}
	}
	return true
}

// Times within which a usage run that is under way must end.
const (
	runEnds   = 3 * time.Minute
	runLooked = time.Second
)

// snapshot reads the rows of accounts; on a shared site, where runs come unasked, not those of half a run.
func (t UsageRuns) snapshot(ids ...int64) usageprobe.Snapshot {
	began := t.on.Now()
	for {
		s, err := t.on.Usage().Snapshot(t.ctx, ids...)
		t.Must(err, "reading usage rows")
		if !t.on.SharesRuns() || consistent(s) {
			return s
		}
		if t.on.Now().Sub(began) > runEnds {
			t.Inconclusive("for %s there have been usage records later than %s, the end of the newest successful "+
				"usage job: a run that does not end, or failed half way", runEnds, stage.Stamp(s.Cutoff))
		}
		t.Must(t.site.Clock.Pass(t.ctx, runLooked), "waiting for the end of a usage run")
	}
}

// Repeat writes the newest event of a type about a resource once more.
func (t UsageRuns) Repeat(eventType string, resource int64) {
	defer t.Step("%s written twice", eventType)()
	t.Must(t.site.Tamper.Repeat(t.ctx, eventType, resource), "repeating %s", eventType)
}

// EndUsage ends the usage server of a host.
func (t UsageRuns) EndUsage(host harness.UsageHost, how harness.UsageEnd) {
	defer t.Step("%s usage server %s", host, how)()
	t.Must(t.site.Tamper.EndUsage(t.ctx, host, how), "ending the %s usage server", host)
}

// StartUsage starts a usage server on a host.
func (t UsageRuns) StartUsage(host harness.UsageHost) {
	t.StartUsageWith(host, harness.UsageSettings{})
}

// StartUsageWith starts a usage server with settings of its own.
func (t UsageRuns) StartUsageWith(host harness.UsageHost, s harness.UsageSettings) {
	defer t.Step("%s usage server started", host)()
	t.Must(t.site.Tamper.StartUsage(t.ctx, host, s), "starting the %s usage server", host)
}

// UpgradePath names the releases of an upgrade across the fix of the helper-id defect.
func (t UsageRuns) UpgradePath() (from, to string) {
	from, to, ok := t.site.Tamper.UpgradePath()
	if !ok {
		t.Unsupported("the lab has no upgrade across the fix of the helper-id defect from or to %s", t.site.Release)
	}
	return from, to
}

// SwitchRelease upgrades the standing site.
func (t UsageRuns) SwitchRelease(release string) {
	defer t.Step("release %s", release)()
	t.Must(t.site.Tamper.SwitchRelease(t.ctx, release), "switching to %s", release)
	t.on.Pass(stage.Apart)
}

// KeepDeletedRules makes the site one of a release to come that keeps the rows of deleted rules.
func (t UsageRuns) KeepDeletedRules() {
	defer t.Step("deleted rules are kept")()
	t.Must(t.site.Tamper.KeepDeletedRules(t.ctx), "keeping deleted rules")
}

// ExpectUsageWithin expects that a usage run covers the present before the time is over, without being asked for.
func (t UsageRuns) ExpectUsageWithin(limit time.Duration) {
	defer t.Step("usage runs by itself within %s", limit)()
	t.Checked(1)
	from := t.on.Now()
	deadline := from.Add(limit)
	for {
		if end := t.on.LastSuccess(); end.After(from) {
			return
		}
		if t.on.Now().After(deadline) {
			t.on.FailAs(result.UsageJob, result.Seen{What: SeenNoRun, Number: limit.Minutes()},
				fmt.Sprintf("no successful usage job ends after %s, %s later", stage.Stamp(from), limit))
			return
		}
		t.on.Pass(stage.UsageLook)
	}
}

// KillUsageInRun kills the first usage server in the middle of the next run that it makes by itself.
func (t UsageRuns) KillUsageInRun() {
	defer t.Step("first usage server killed in the middle of a run")()
	before := t.on.LastSuccess()
	t.Must(t.site.Tamper.EndUsage(t.ctx, harness.FirstHost, harness.KilledInRun), "killing the usage server")
	t.on.Pass(2 * t.site.Usage.Window())
	if after := t.on.LastSuccess(); after.After(before) {
		t.Inconclusive("a usage job succeeded up to %s although its server was to be killed in it", stage.Stamp(after))
	}
}

// AwaitUsage waits until usage runs again by itself; when it does not, nothing more can be shown.
func (t UsageRuns) AwaitUsage(limit time.Duration) {
	defer t.Step("until usage runs")()
	from := t.on.Now()
	t.on.Until("a usage run", limit, stage.UsageLook, func() (bool, string) {
		end := t.on.LastSuccess()
		return end.After(from), "the newest successful job ends at " + stage.Stamp(end)
	})
}

// ExpectJobsSound expects that the newest successful usage job was younger than two windows when the rows were read,
// and that no open job belonged to a process that had been silent. What the windows hold, and that they touch, is for
// the invariants to say. Where runs are shared only the second is asked: there a run takes about a window itself, and
// others may have the site for themselves between its end and the reading; that it came is what was waited for.
func (t UsageRuns) ExpectJobsSound() {
	t.Checked(1)
	now, window := t.watch.Read, t.site.Usage.Window()
	jobs := t.watch.Last.Jobs
	if age := now.Sub(t.watch.Last.Cutoff); age > 2*window && !t.on.SharesRuns() {
		t.Fail(result.UsageJob, fmt.Sprintf("the newest successful usage job ended at %s, %s ago; the window is %s",
			stage.Stamp(t.watch.Last.Cutoff), age.Round(time.Second), window), jobTable(jobs))
	}
	for _, j := range jobs {
		// A single job keeps the time of its request, and is left open when a recurring one was opened after it.
		if j.End.IsZero() && j.Type == 0 && now.Sub(j.Heartbeat) > staleJob+window {
			t.Fail(result.UsageJob, fmt.Sprintf("usage job %d is open and its owner was last heard at %s", j.ID,
				stage.Stamp(j.Heartbeat)), jobTable(jobs))
		}
	}
}

// staleJob is the age of a heartbeat after which a job is taken over (UsageJobDaoImpl@4.20.0.0).
const staleJob = 5 * time.Minute

func jobTable(jobs []usageprobe.Job) result.Evidence {
	text := stage.Table("id\ttype\tstart\tend\tsuccess\theartbeat", func(row func(...any)) {
		for _, j := range jobs {
			end := "open"
			if !j.End.IsZero() {
				end = stage.Stamp(j.End)
			}
			row(j.ID, j.Type, stage.Stamp(j.Start), end, j.Success, stage.Stamp(j.Heartbeat))
		}
	})
	return result.Evidence{Kind: result.KindRows, Title: "cloud_usage.usage_job", Text: text}
}

// PassRuns lets count whole usage windows pass, with a run that covers them.
func (t UsageRuns) PassRuns(count int) {
	defer t.Step("usage run over %s", windows("window", count))()
	t.cover(t.on.Now().Add(time.Duration(count) * t.site.Usage.Window()))
}

// UsageRun is Drain without a verdict: what was read, and what does not hold, but for defects that the release is known
// to have.
func (t UsageRuns) UsageRun() (usageprobe.Snapshot, []usageprobe.Violation) {
	defer t.Step("usage run")()
	until := t.on.Now()
	t.cover(until)
	t.read(until)
	return *t.watch.Last, t.watch.Unexpected(t.watch.Violations())
}

// UsageEvidence shows the rows before and after the last usage run.
func (t UsageRuns) UsageEvidence() []result.Evidence { return t.watch.Evidence() }

func windows(word string, count int) string {
	if count == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", count, word)
}
