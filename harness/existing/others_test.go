package existing

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGateBetweenRuns: two runs in one zone keep each other out while one has the zone for itself; runs in another zone
// do not care.
func TestGateBetweenRuns(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	newPass := func(zone string) *pass {
		o, err := openOthers("http://192.0.2.1/client/api", zone)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, o.close()) })
		g := newGate()
		g.others = o
		return &pass{gate: g, parted: func() {}, together: func(context.Context) error { return nil }}
	}
	mine, theirs, elsewhere := newPass("a"), newPass("a"), newPass("b")
	// Nobody waits in a context that has ended: an error says that it would have had to.
	ended, end := context.WithTimeout(t.Context(), time.Nanosecond)
	defer end()
	<-ended.Done()
	require.NoError(t, mine.Enter(t.Context()))
	require.NoError(t, theirs.Enter(t.Context()), "both may work")
	require.NoError(t, elsewhere.Alone(t.Context()))
	require.ErrorIs(t, mine.Alone(ended), context.DeadlineExceeded, "alone while the other run works")
	alone := async(func() error { return mine.Alone(t.Context()) })
	theirs.Leave()
	require.NoError(t, <-alone)
	require.ErrorIs(t, theirs.Enter(ended), context.DeadlineExceeded, "in while the other run is alone")
	entered := async(func() error { return theirs.Enter(t.Context()) })
	require.NoError(t, mine.Together(t.Context()))
	require.NoError(t, <-entered)
	mine.Leave()
	theirs.Leave()
	require.NoError(t, mine.Alone(t.Context()))
}
