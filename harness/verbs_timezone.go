package harness

import (
	"fmt"
	"time"
	_ "time/tzdata" // not every machine has time zones

	"github.com/stackproof/stackproof/harness/result"
)

// Location is a time zone by its name, such as Asia/Jerusalem.
func (t *T) Location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	t.must(err, "reading time zone %s", name)
	return zone
}

// PassUntil lets time go by until a moment.
func (t *T) PassUntil(at time.Time) {
	defer t.step("until %s", stamp(at))()
	if d := at.Sub(t.now()); d > 0 {
		t.pass(d)
	}
}

// NewYear is when the next year begins in a time zone.
func (t *T) NewYear(zone *time.Location) time.Time {
	return time.Date(t.now().In(zone).Year()+1, time.January, 1, 0, 0, 0, 0, zone)
}

// ClockChange is midnight before the next day on which a zone's clocks are changed.
func (t *T) ClockChange(zone *time.Location) time.Time {
	now := t.now().In(zone)
	for days := range 400 {
		midnight := time.Date(now.Year(), now.Month(), now.Day()+days+1, 0, 0, 0, 0, zone)
		if midnight.AddDate(0, 0, 1).Sub(midnight) != 24*time.Hour {
			return midnight
		}
	}
	t.Inconclusive("the clocks of %s are not changed within 400 days", zone)
	return time.Time{}
}

// usageAnswer is how long a run that was asked for may take to be found: one heartbeat, and the run.
const usageAnswer = 3 * time.Minute

// ExpectUsageRun asks for a usage run and expects that one succeeds.
func (t *T) ExpectUsageRun() bool {
	defer t.step("usage run on demand")()
	t.watch.checks++
	before := t.lastSuccess()
	t.must(t.site.Cloud.GenerateUsageRecords(t.ctx), "generateUsageRecords")
	for waited := time.Duration(0); waited < usageAnswer; waited += usageLook {
		t.pass(usageLook)
		if t.lastSuccess().After(before) {
			return true
		}
	}
	t.Fail(fmt.Sprintf("a usage run was asked for and no job has succeeded within %s; the newest success ends at %s", usageAnswer, stamp(before)))
	return false
}

// Judge reads the rows as they are and holds them against the invariants.
func (t *T) Judge() {
	defer t.step("rows against the invariants")()
	t.look(time.Time{})
}

// ExpectDays expects that every successful usage job ended at midnight of a time zone.
func (t *T) ExpectDays(zone *time.Location) {
	t.watch.checks++
	for _, j := range t.watch.last.Jobs {
		if end := j.End.Add(time.Millisecond).In(zone); j.Success && (end.Hour() != 0 || end.Minute() != 0) {
			t.Fail(fmt.Sprintf("usage job %d covers up to %s in %s, want a midnight", j.ID, end.Format("2006-01-02 15:04:05"), zone),
				result.Evidence{Kind: result.KindRows, Title: "cloud_usage.usage_job", Text: jobTable(t.watch.last.Jobs)})
			return
		}
	}
}
