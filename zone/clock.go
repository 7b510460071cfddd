package zone

import (
	"sync"
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

// Wall is the computer's clock.
type Wall struct{}

// Now is the present.
func (Wall) Now() time.Time { return time.Now().UTC() }
