package existing

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/mgmtlog"
	"github.com/stackproof/stackproof/harness/ledger"
)

func TestCounterAgrees(t *testing.T) {
	at := func(seconds float64) time.Time { return time.Unix(0, int64(seconds*1e9)) }
	c := &counter{base: 10}
	assert.True(t, c.agrees(12, 2, 2, at(0)))
	assert.True(t, c.agrees(13, 2, 4, at(0)), "read between two pushes")
	assert.False(t, c.agrees(13, 4, 4, at(1)), "counted and not logged")
	assert.False(t, c.agrees(13, 4, 4, at(100)), "for ever")

	assert.False(t, c.agrees(15, 4, 4, at(101)), "on its way")
	assert.True(t, c.agrees(15, 5, 5, at(102)), "and counted")
	assert.False(t, c.agrees(17, 5, 5, at(103)), "two ahead")
	assert.False(t, c.agrees(17, 6, 6, at(105)), "one of them was on its way")
	assert.True(t, c.agrees(17, 6, 6, at(106.5)), "one was never counted")
	assert.Equal(t, 11, c.base)
	assert.True(t, c.agrees(18, 7, 7, at(107)))
	assert.False(t, c.agrees(18, 8, 8, at(200)), "a later one that is not logged is still missed")

	c = &counter{}
	assert.False(t, c.agrees(1, 0, 0, at(0)))
	assert.True(t, c.agrees(1, 1, 1, at(1)))
	assert.False(t, c.agrees(2, 1, 1, at(4)), "time does not add up over breaks")
}

// TestUncountedPush lets the simulator lose a count, as it does when two routers are pushed to at once: the run goes
// on.
func TestUncountedPush(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	target, err := Open(t.Context(), Options{Name: "existing", Config: s.config(), TempDir: t.TempDir()})
	require.NoError(t, err)
	defer func() { assert.NoError(t, target.Close(context.WithoutCancel(t.Context()))) }()
	require.NoError(t, target.startCount(t.Context()))
	const more = 2
	_, err = target.cloud.ConfigureSimulator(t.Context(), target.room.ZoneID, mgmtlog.PushWord, "wait:0",
		countFrom+more)
	require.NoError(t, err)
	require.NoError(t, target.watch.settled(t.Context()))
	assert.Equal(t, more, target.watch.counter().base, "no push was logged before")

	_, err = target.cloud.ConfigureSimulator(t.Context(), target.room.ZoneID, mgmtlog.PushWord, "wait:0", countFrom-1)
	require.NoError(t, err)
	target.watch.patience = 100 * time.Millisecond
	require.ErrorContains(t, target.watch.settled(t.Context()), "do not agree", "a push that is not in the log")
}

// endsAt ends a context with the first recorded call of a command.
type endsAt struct {
	command string
	end     context.CancelFunc
}

func (e endsAt) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(e.command)) {
		e.end()
	}
	return len(p), nil
}

// TestCountThatDoesNotBegin breaks off between the order to count and the first look: no order stays behind.
func TestCountThatDoesNotBegin(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	ctx, end := context.WithCancel(t.Context())
	defer end()
	target, err := Open(t.Context(), Options{Name: "existing", Config: s.config(), TempDir: t.TempDir(),
		Trace: endsAt{"configureSimulator", end}})
	require.NoError(t, err)
	defer func() { assert.NoError(t, target.Close(context.WithoutCancel(t.Context()))) }()
	require.ErrorIs(t, target.startCount(ctx), context.Canceled)
	const firstID = 1
	_, err = target.cloud.QuerySimulatorMock(t.Context(), firstID)
	require.Error(t, err)

	require.NoError(t, target.startCount(t.Context()))
	_, err = target.cloud.QuerySimulatorMock(t.Context(), target.watch.counter().mock.ID)
	require.NoError(t, err)
}

// TestCounterTakenAway removes the counter's rule, as another run that ends does: another is set, and of the first one
// nothing is left to remove.
func TestCounterTakenAway(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	target, err := Open(t.Context(), Options{Name: "existing", Config: s.config(), TempDir: t.TempDir()})
	require.NoError(t, err)
	l, err := ledger.Create(t.TempDir(), "existing", target.URL())
	require.NoError(t, err)
	target.Keep(l)
	_, err = target.begin(t.Context())
	require.NoError(t, err)
	first, set := target.watch.counter().id()
	require.True(t, set)
	require.NoError(t, target.cloud.CleanupSimulatorMock(t.Context(), first))
	require.NoError(t, target.watch.settled(t.Context()))
	second, _ := target.watch.counter().id()
	assert.NotEqual(t, first, second)
	require.NoError(t, target.Close(context.WithoutCancel(t.Context())))
	assert.NoFileExists(t, l.Path(), "a ledger is kept of what is left")
}
