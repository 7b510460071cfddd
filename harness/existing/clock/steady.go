package clock

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// SetBack says that the target's clock was set back while a run looked at it. Rows and usage windows from before and
// after overlap then, and nothing can be concluded from their times.
type SetBack struct {
	By time.Duration
	To time.Time
}

func (e *SetBack) Error() string {
	return fmt.Sprintf("the site's clock was set back by %s, to %s: usage windows overlap then, and nothing can be "+
		"concluded from times: set clocks by NTP, and run again", e.By, e.To.Format(time.DateTime))
}

// unsure is by how much one answer may seem to be earlier than the one before: times have whole seconds, and answers
// overtake one another.
const unsure = 5 * time.Second

// Steady watches a source: once it was set back, every answer is a *SetBack.
func Steady(of Source) Source { return &steady{of: of} }

type steady struct {
	of Source

	mu     sync.Mutex
	latest time.Time
	back   *SetBack
}

// Now implements Source.
func (s *steady) Now(ctx context.Context) (time.Time, error) {
	now, err := s.of.Now(ctx)
	if err != nil {
		return now, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if by := s.latest.Sub(now); s.back == nil && by > unsure {
		s.back = &SetBack{By: by.Round(time.Second), To: now}
	}
	if s.back != nil {
		return time.Time{}, s.back
	}
	if now.After(s.latest) {
		s.latest = now
	}
	return now, nil
}
