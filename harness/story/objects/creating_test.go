package objects

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
)

// verdictOf tells a story on a site without a zone and gives what a run says of it.
func verdictOf(t *testing.T, site harness.Site, tell func(*Cast)) (result.Verdict, string) {
	t.Helper()
	c := harnesstest.CaseOf(t, site, func(a *harness.Attempt, s *harness.Site) { tell(NewCast(stage.New(a, s))) })
	return c.Verdict, c.Reason
}

// openGate keeps nobody out.
type openGate struct{}

func (openGate) Enter(context.Context) error    { return nil }
func (openGate) Leave()                         {}
func (openGate) Alone(context.Context) error    { return nil }
func (openGate) Together(context.Context) error { return nil }

// TestTogether: on a server of others three things are under way at once, since each waits for the other two; on a site
// of the story's own they come one after the other.
func TestTogether(t *testing.T) {
	verdict, reason := verdictOf(t, harness.Site{Gate: openGate{}}, func(s *Cast) {
		var all sync.WaitGroup
		all.Add(3)
		s.Must(s.together(3, func(int) error {
			all.Done()
			all.Wait()
			return nil
		}), "three at once")
		s.Checked(1)
	})
	assert.Equal(t, result.Pass, verdict, reason)
	var order []int
	_, _ = verdictOf(t, harness.Site{}, func(s *Cast) {
		under := 0
		s.Must(s.together(50, func(i int) error {
			under++
			assert.Equal(t, 1, under, "one at a time")
			order = append(order, i)
			under--
			return nil
		}), "in turn")
	})
	assert.Len(t, order, 50)
	assert.IsIncreasing(t, order)
}

// TestTogetherEndsWithAFailure: what has not begun is not begun, and the story says what failed.
func TestTogetherEndsWithAFailure(t *testing.T) {
	begun := 0
	verdict, reason := verdictOf(t, harness.Site{}, func(s *Cast) {
		s.Must(s.together(50, func(i int) error {
			begun++
			if i == 2 {
				return errors.New("no room")
			}
			return nil
		}), "creating 50 rules")
	})
	assert.Equal(t, result.Inconclusive, verdict)
	assert.Contains(t, reason, "creating 50 rules: no room")
	assert.Equal(t, 3, begun)
}
