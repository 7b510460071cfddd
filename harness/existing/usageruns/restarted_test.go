package usageruns

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/clock"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/zone/database"
)

// ticking is a clock that goes on by ten seconds at each look, and does something at one of them.
type ticking struct {
	now   time.Time
	looks int
	at    int
	do    func()
}

func (c *ticking) Now(context.Context) (time.Time, error) {
	c.now = c.now.Add(10 * time.Second)
	if c.looks++; c.looks == c.at {
		c.do()
	}
	return c.now, nil
}

// TestRestartedServer looks at usage servers that were stopped: one that stays so, one that is started meanwhile, and
// one that crashed and whose successor must wait before it takes the job over.
func TestRestartedServer(t *testing.T) {
	t.Parallel()
	server, err := database.Start(t.Context(), database.Options{Schema: "4.20.1.0"})
	if server != nil {
		t.Cleanup(func() { assert.NoError(t, server.Close()) })
	}
	require.NoError(t, err)
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	began := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		beats   time.Duration // when the open job had its last heartbeat; 0: there is no open job
		starts  bool          // meanwhile
		state   finding.State
		says    string
		remedy  string
		looksAt int // at most
	}{
		"stopped": {state: finding.Broken, says: "none came within 1m15s", remedy: "systemctl start",
			looksAt: 12},
		"restarted": {starts: true, state: finding.OK, says: "usage server ms", looksAt: 6},
		"crashed just now": {beats: -3 * time.Minute, state: finding.Broken,
			says:   "no heartbeat of the usage server (ms) since 2026-06-01 11:57:00",
			remedy: "look again after 12:03:00", looksAt: 1},
		"crashed long ago": {beats: -time.Hour, state: finding.Broken, says: "since 2026-06-01 11:00:00",
			remedy: "start it", looksAt: 1},
		"crashed and taken": {beats: -time.Minute, state: finding.OK, says: "heartbeat 1m10s ago", looksAt: 1},
	} {
		t.Run(name, func(t *testing.T) {
			open := func(beat time.Time) {
				_, err := db.ExecContext(t.Context(),
					"INSERT INTO cloud_usage.usage_job (host, pid, job_type, scheduled, start_millis, end_millis, "+
						"heartbeat) VALUES ('ms', 1, 0, 0, 0, 0, ?)",
					beat.Format(time.DateTime))
				require.NoError(t, err)
			}
			_, err := db.ExecContext(t.Context(), "DELETE FROM cloud_usage.usage_job")
			require.NoError(t, err)
			if c.beats != 0 {
				open(began.Add(c.beats))
			}
			tick := &ticking{now: began}
			if c.starts {
				tick.at, tick.do = 4, func() { open(tick.now) }
			}
			u := &Server{DB: db, Clock: clock.Clock{Source: tick}, Look: time.Millisecond}
			f, err := u.restarted(t.Context())
			require.NoError(t, err)
			assert.Equal(t, c.state, f.State, f)
			assert.Contains(t, f.Evidence, c.says)
			assert.Contains(t, f.Remedy, c.remedy)
			assert.LessOrEqual(t, tick.looks, c.looksAt)
		})
	}
}
