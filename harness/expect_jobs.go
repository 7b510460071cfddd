package harness

import (
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ExpectJobsSound expects that the newest successful usage job was younger than two windows when the rows were read, and that
// no open job belonged to a process that had been silent. What the windows hold, and that they touch, is for the invariants to say.
// Where runs are shared only the second is asked: there a run takes about a window itself, and others may have the site for
// themselves between its end and the reading; that it came is what was waited for.
func (t *T) ExpectJobsSound() {
	t.watch.checks++
	now, window := t.watch.read, t.site.Usage.Window()
	jobs := t.watch.last.Jobs
	evidence := result.Evidence{Kind: result.KindRows, Title: "cloud_usage.usage_job", Text: jobTable(jobs)}
	if age := now.Sub(t.watch.last.Cutoff); age > 2*window && !t.sharesRuns() {
		t.Fail(fmt.Sprintf("the newest successful usage job ended at %s, %s ago; the window is %s", stamp(t.watch.last.Cutoff), age.Round(time.Second), window), evidence)
	}
	for _, j := range jobs {
		// A single job keeps the time of its request, and is left open when a recurring one was opened after it.
		if j.End.IsZero() && j.Type == 0 && now.Sub(j.Heartbeat) > staleJob+window {
			t.Fail(fmt.Sprintf("usage job %d is open and its owner was last heard at %s", j.ID, stamp(j.Heartbeat)), evidence)
		}
	}
}

// staleJob is the age of a heartbeat after which a job is taken over (UsageJobDaoImpl@4.20.0.0).
const staleJob = 5 * time.Minute

func jobTable(jobs []usageprobe.Job) string {
	return table("id\ttype\tstart\tend\tsuccess\theartbeat", func(row func(...any)) {
		for _, j := range jobs {
			end := "open"
			if !j.End.IsZero() {
				end = stamp(j.End)
			}
			row(j.ID, j.Type, stamp(j.Start), end, j.Success, stamp(j.Heartbeat))
		}
	})
}
