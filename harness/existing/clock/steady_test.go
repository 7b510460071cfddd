package clock

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// told is a clock that says what it is told.
type told struct{ at time.Time }

func (t *told) Now(context.Context) (time.Time, error) { return t.at, nil }

// A clock that is set back is told from then on, also when it has come up again; one that only seems to go back is not.
func TestSteady(t *testing.T) {
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	source := &told{}
	c := Steady(source)
	at := func(d time.Duration) error {
		source.at = noon.Add(d)
		got, err := c.Now(t.Context())
		if err == nil {
			assert.Equal(t, source.at, got)
		}
		return err
	}
	require.NoError(t, at(0))
	require.NoError(t, at(time.Hour))
	require.NoError(t, at(time.Hour-unsure), "answers that overtook one another")
	var back *SetBack
	require.ErrorAs(t, at(55*time.Minute), &back)
	assert.Equal(t, 5*time.Minute, back.By)
	assert.ErrorContains(t, back, "set back by 5m0s, to 2026-06-01 12:55:00")
	require.ErrorAs(t, at(2*time.Hour), &back, "what was read before the step is no longer worth anything")
}
