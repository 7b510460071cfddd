package kernel

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock is the zone's time, always UTC. A Manual clock stands still until it is advanced, so that a scenario with six
// usage windows takes a second; the wall clock is for a zone that a person or an outside client uses.
type Clock interface {
	Now() time.Time
}

// Manual is a clock that moves only when told.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual returns a clock that stands at t.
func NewManual(t time.Time) *Manual { return &Manual{now: t.UTC()} }

// Now is the clock's time.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// set moves the clock to t if t is later.
func (m *Manual) set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.After(m.now) {
		m.now = t.UTC()
	}
}

// Scaled is a clock that starts at the present and runs many times as fast, for tests with a zone over TCP: usage
// windows of a minute take a second. The database's own UTC_TIMESTAMP does not follow; the API's Date header does.
type Scaled struct {
	start   time.Time
	speed   float64
	stepped atomic.Int64 // how far it was set, in nanoseconds
}

// NewScaled returns a clock that runs speed times as fast as the computer's; at least 1.
func NewScaled(speed float64) *Scaled { return &Scaled{start: time.Now(), speed: max(1, speed)} }

// Now is the clock's time.
func (s *Scaled) Now() time.Time {
	gone := time.Duration(float64(time.Since(s.start)) * s.speed)
	return s.start.Add(gone + time.Duration(s.stepped.Load())).UTC()
}

// Step sets the clock forward, or back, as an operator does or a time server. What is planned waits as long as it would
// have without.
func (s *Scaled) Step(d time.Duration) { s.stepped.Add(int64(d)) }

// RealTime is how long d of a clock takes.
func RealTime(c Clock, d time.Duration) time.Duration {
	if s, scaled := c.(*Scaled); scaled {
		return time.Duration(float64(d) / s.speed)
	}
	return d
}

// Wall is the computer's clock.
type Wall struct{}

// Now is the present.
func (Wall) Now() time.Time { return time.Now().UTC() }
