package lab_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/database"
)

// open opens a site of a lab whose time begins at a moment.
func open(t *testing.T, start time.Time) *harness.Site {
	t.Helper()
	return openRelease(t, "4.20.1.0", start)
}

func openRelease(t *testing.T, name string, start time.Time) *harness.Site {
	t.Helper()
	_, noHAProxy := router.FindHAProxy("")
	_, noDatabase := database.Find("")
	require.NoError(t, errors.Join(noHAProxy, noDatabase, network.Check()))
	target, err := lab.New(lab.Options{Release: name, Workers: 1, Start: start})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, target.Close(context.WithoutCancel(t.Context()))) })
	site, err := target.Site(t.Context(), "U-00", 1)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, site.Close(context.WithoutCancel(t.Context()))) })
	return site
}

// jobs counts the usage jobs that ended.
func jobs(t *testing.T, db *sql.DB) (ended int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(),
		"SELECT COUNT(*) FROM cloud_usage.usage_job WHERE end_millis <> 0").Scan(&ended))
	return ended
}

// TestTimeBeginsAtTheEpoch: a run that took its time from the computer's clock would give other verdicts at night.
func TestTimeBeginsAtTheEpoch(t *testing.T) {
	site := open(t, time.Time{})
	now, err := site.Clock.Now(t.Context())
	require.NoError(t, err)
	assert.Equal(t, lab.Epoch(), now)
}

// TestCoverTakesTheScheduledRun: after 00:15 the scheduled run comes first, and a run on demand finds its window empty.
func TestCoverTakesTheScheduledRun(t *testing.T) {
	site := open(t, time.Date(2026, time.June, 1, 0, 14, 10, 0, time.UTC))
	begin, err := site.Clock.Now(t.Context())
	require.NoError(t, err)
	require.NoError(t, site.Clock.Pass(t.Context(), 51*time.Second)) // 00:15:01: the scheduled run was made
	require.Equal(t, 1, jobs(t, site.DB))
	require.NoError(t, site.Usage.Cover(t.Context(), begin))
	assert.Equal(t, 1, jobs(t, site.DB), "a run was asked for although the scheduled one covers the time")
	for range 3 {
		now, err := site.Clock.Now(t.Context())
		require.NoError(t, err)
		require.NoError(t, site.Usage.Cover(t.Context(), now))
	}
}

// TestCoverAsksForARun: at noon no scheduled run is near.
func TestCoverAsksForARun(t *testing.T) {
	site := open(t, time.Time{})
	require.NoError(t, site.Usage.Cover(t.Context(), lab.Epoch()))
	assert.Equal(t, 1, jobs(t, site.DB))
}

func TestStartsThatTablesCannotHold(t *testing.T) {
	for year, good := range map[int]bool{1999: false, 2001: true, 2035: true, 2036: false} {
		assert.Equal(t, good, lab.CheckStart(time.Date(year, time.July, 1, 0, 0, 0, 0, time.UTC)) == nil, year)
	}
}
