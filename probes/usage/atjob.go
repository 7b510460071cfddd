package usageprobe

import (
	"cmp"
	"slices"
	"time"
)

// jobSlack is how long after the end of its window a usage run of minutes may begin: it ends before the current minute,
// and the server looks for work once a minute (UsageManagerImpl.java@4.20.0.0).
const jobSlack = 2 * time.Minute

// AtJob says whether a date is the time of the usage run that processed an event: after the end of the first successful
// window that covers the event, by no more than what passes between such an end and the run. A day's run comes within
// the next day, at its time of execution.
func (s Snapshot) AtJob(event, at time.Time) bool {
	jobs := slices.DeleteFunc(slices.Clone(s.Jobs), func(j Job) bool { return !j.Success || j.End.Before(event) })
	if len(jobs) == 0 {
		return false
	}
	first := slices.MinFunc(jobs, func(a, b Job) int { return cmp.Compare(a.End.UnixNano(), b.End.UnixNano()) })
	window := first.End.Sub(first.Start)
	return !at.Before(first.End.Truncate(time.Second)) && !at.After(first.End.Add(max(jobSlack, window+jobSlack)))
}
