package objects_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/harness/story/routers"
	"github.com/stackproof/stackproof/router"
)

// sentPushes is a router's pushes without a router.
type sentPushes int

func (n sentPushes) Of(context.Context, string) ([]router.Push, error) {
	return make([]router.Push, n), nil
}

// TestMissingPushesFail: an API success without a push is a fault.
func TestMissingPushesFail(t *testing.T) {
	for atLeast, want := range map[int]result.Verdict{2: result.Pass, 3: result.Fail} {
		c := harnesstest.CaseOf(t, harness.Site{Pushes: sentPushes(5)}, func(a *harness.Attempt, s *harness.Site) {
			looks, _ := routers.Of(objects.NewCast(stage.New(a, s)))
			looks.ExpectPushes(objects.NetworkOn("r-3-VM"), 3, atLeast)
		})
		assert.Equal(t, want, c.Verdict, c.Reason)
	}
}
