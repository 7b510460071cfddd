package objects

import (
	"sync"
	"time"
	_ "time/tzdata"

	"github.com/stackproof/stackproof/harness/story/internal/stage"
)

// Clock are verbs that let the target's time go by.
type Clock struct{ t *Cast }

// Now is the database's time.
func (c Clock) Now() time.Time { return c.t.Now() }

// PassSeconds lets the target's time go by.
func (c Clock) PassSeconds(n int) {
	c.t.Must(c.t.Site.Clock.Pass(c.t.Ctx, time.Duration(n)*time.Second), "letting %d s pass", n)
}

const clockPace = 5 * time.Millisecond

// WhileTimePasses lets the target's time go by, step after step, for as long as the work takes: what the server does by
// itself then happens between the calls of the work.
func (c Clock) WhileTimePasses(step time.Duration, work func()) {
	end, ended := make(chan struct{}), make(chan error, 1)
	c.t.TimePasses = true
	defer func() { c.t.TimePasses = false }()
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
			if err := c.t.Site.Clock.Pass(c.t.Ctx, step); err != nil {
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
	c.t.Must(stop(), "letting time pass")
}

// Location is a time zone by its name, such as Asia/Jerusalem.
func (c Clock) Location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	c.t.Must(err, "reading time zone %s", name)
	return zone
}

// PassUntil lets time go by until a moment.
func (c Clock) PassUntil(at time.Time) {
	defer c.t.Step("until %s", stage.Stamp(at))()
	if d := at.Sub(c.t.Now()); d > 0 {
		c.t.Pass(d)
	}
}

// NewYear is when the next year begins in a time zone.
func (c Clock) NewYear(zone *time.Location) time.Time {
	return time.Date(c.t.Now().In(zone).Year()+1, time.January, 1, 0, 0, 0, 0, zone)
}

// ClockChange is midnight before the next day on which a zone's clocks are changed.
func (c Clock) ClockChange(zone *time.Location) time.Time {
	now := c.t.Now().In(zone)
	for days := range 400 {
		midnight := time.Date(now.Year(), now.Month(), now.Day()+days+1, 0, 0, 0, 0, zone)
		if midnight.AddDate(0, 0, 1).Sub(midnight) != 24*time.Hour {
			return midnight
		}
	}
	c.t.Inconclusive("the clocks of %s are not changed within 400 days", zone)
	return time.Time{}
}

// Pass lets time go by.
func (c Clock) Pass(d time.Duration) { c.t.Pass(d) }
