package story

import (
	"sync"
	"time"
	_ "time/tzdata"
)

// PassSeconds lets the target's time go by.
func (t Clock) PassSeconds(n int) {
	t.Must(t.site.Clock.Pass(t.ctx, time.Duration(n)*time.Second), "letting %d s pass", n)
}

const clockPace = 5 * time.Millisecond

// WhileTimePasses lets the target's time go by, step after step, for as long as the work takes: what the server does by
// itself then happens between the calls of the work.
func (t Clock) WhileTimePasses(step time.Duration, work func()) {
	end, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		// A clock that jumps is paced, so that it leaves the server time for the work's calls. A jump is never cut
		// short: what the server does in it would be left half done.
		pace := time.NewTicker(clockPace)
		defer pace.Stop()
		for {
			select {
			case <-end:
				ended <- nil
				return
			case <-pace.C:
			}
			if err := t.site.Clock.Pass(t.ctx, step); err != nil {
				ended <- err
				return
			}
		}
	}()
	stop := sync.OnceValue(func() error {
		close(end)
		return <-ended
	})
	defer func() { _ = stop() }() // the work unwound: its reason stands
	work()
	t.Must(stop(), "letting time pass")
}

// Location is a time zone by its name, such as Asia/Jerusalem.
func (t Clock) Location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	t.Must(err, "reading time zone %s", name)
	return zone
}

// PassUntil lets time go by until a moment.
func (t Clock) PassUntil(at time.Time) {
	defer t.Step("until %s", stamp(at))()
	if d := at.Sub(t.now()); d > 0 {
		t.pass(d)
	}
}

// NewYear is when the next year begins in a time zone.
func (t Clock) NewYear(zone *time.Location) time.Time {
	return time.Date(t.now().In(zone).Year()+1, time.January, 1, 0, 0, 0, 0, zone)
}

// ClockChange is midnight before the next day on which a zone's clocks are changed.
func (t Clock) ClockChange(zone *time.Location) time.Time {
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

// Pass lets time go by.
func (t Clock) Pass(d time.Duration) { t.pass(d) }
