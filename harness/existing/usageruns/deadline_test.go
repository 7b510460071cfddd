package usageruns

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/existing/clock"
)

// stuck is a database that answers nothing until its caller's time is up.
type stuck struct{ driver.Connector }

func (stuck) Connect(ctx context.Context) (driver.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (stuck) Close() error { return nil }

// still is a clock at the end of time.
type still time.Time

func (s still) Now(context.Context) (time.Time, error) { return time.Time(s), nil }

// TestTimeIsUpDuringALook: the wait for a usage run ends as such, whatever it was doing.
func TestTimeIsUpDuringALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sql.OpenDB(stuck{})
		defer func() { assert.NoError(t, db.Close()) }()
		now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		u := &Server{DB: db, Clock: clock.Clock{Source: still(now)}, Wait: time.Minute, Look: time.Second}
		_, err := u.await(t.Context(), now.Add(-time.Minute), now, func(string) {})
		assert.ErrorIs(t, err, errNoRun)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = u.await(ctx, now.Add(-time.Minute), now, func(string) {})
		assert.ErrorIs(t, err, context.Canceled, "an interruption is another thing")
	})
}

// TestBound: a window that is over for hours is waited for as long as one that has just ended.
func TestBound(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for due, want := range map[time.Duration]time.Duration{
		-3 * time.Hour: time.Minute, 0: time.Minute, 30 * time.Second: 90 * time.Second,
	} {
		assert.Equal(t, want, bound(time.Minute, now, now.Add(due)), "due in %s", due)
	}
}

// TestAhead: a usage run that ended in the future has covered nothing of the present.
func TestAhead(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	u := &Server{Clock: clock.Clock{Source: still(now)}}
	assert.NoError(t, u.ahead(t.Context(), now.Add(-time.Second)))
	assert.NoError(t, u.ahead(t.Context(), now.Add(tolerated)))
	assert.ErrorContains(t, u.ahead(t.Context(), now.Add(5*time.Minute)), "the clock was set back")
}
