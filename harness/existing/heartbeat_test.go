package existing

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// shifted is a management server whose clock is wrong.
type shifted struct{ by time.Duration }

func (s shifted) Now() time.Time { return time.Now().UTC().Add(s.by) }

func standAt(t *testing.T, c zone.Clock) standing {
	t.Helper()
	needLab(t)
	server, err := database.Start(t.Context(), database.Options{Schema: "4.20.1.0"})
	if server != nil {
		t.Cleanup(func() { assert.NoError(t, server.Close()) })
	}
	require.NoError(t, err)
	z, err := zone.Open(t.Context(), zone.Options{Release: "4.20.1.0", DB: server, Clock: c, Seed: 1})
	if z != nil {
		t.Cleanup(func() { assert.NoError(t, z.Close(context.WithoutCancel(t.Context()))) })
	}
	require.NoError(t, err)
	return standing{zone: z, server: server}
}

// TestServerThatTellsNoTime opens a target as a packaged management server is: its answers have no Date header.
func TestServerThatTellsNoTime(t *testing.T) {
	t.Parallel()
	s := standAt(t, zone.Wall{})
	config := s.config()
	config.Log, config.Clock = Log{}, ""
	f := found(t, config, harness.UsageRun)
	assert.Equal(t, OK, f.State, f)
	assert.Contains(t, f.Evidence, "clocks of database and management server agree")

	config.Clock = "api"
	_, err := Open(t.Context(), Options{Name: "existing", Config: config, TempDir: t.TempDir()})
	require.ErrorContains(t, err, "no Date header")

	config.Clock, config.DSN, config.Release = "", nil, "4.20.1.0"
	target, err := Open(t.Context(), Options{Name: "existing", Config: config, TempDir: t.TempDir()})
	require.NoError(t, err)
	assert.Contains(t, target.notes[0], "NTP")
	require.NoError(t, target.Close(t.Context()))
}

// TestClocksApart looks at management servers that are ahead, behind and silent.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"ahead": 20 * time.Second, "behind": -20 * time.Second, "hours behind": -3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := standAt(t, shifted{by})
			config := s.config()
			config.Log, config.Clock = Log{}, ""
			f := found(t, config, harness.UsageRun)
			assert.Equal(t, Broken, f.State, f)
			assert.Contains(t, f.Evidence, "clocks of the database and management server mgmt")
		})
	}
}

func TestJudgeBeats(t *testing.T) {
	at := func(text string, age time.Duration) map[int64]beat { return map[int64]beat{1: {"ms", text, age}} }
	both := func(a, b beat) map[int64]beat { return map[int64]beat{1: a, 2: b} }
	fresh, dead := beat{"ms", "10:00:00", time.Second}, beat{"old", "09:00:00", time.Hour}
	for name, c := range map[string]struct {
		first, now  map[int64]beat
		apart, late string
	}{
		"fresh":                      {first: at("10:00:00", time.Second), now: at("10:00:00", time.Second)},
		"fresh and one long gone":    {first: both(fresh, dead), now: both(fresh, dead)},
		"ahead":                      {first: at("10:00:20", -20*time.Second), now: at("10:00:20", -20*time.Second), apart: "20s apart"},
		"late, may come":             {first: at("10:00:00", 8*time.Second), now: at("10:00:00", 8*time.Second), late: "no heartbeat for 8s"},
		"behind":                     {first: at("10:00:00", 8*time.Second), now: at("10:00:02", 8*time.Second), apart: "8s apart"},
		"hours behind":               {first: at("10:00:00", time.Hour), now: at("10:00:02", time.Hour), apart: "1h0m0s apart"},
		"nobody":                     {late: "no management server"},
		"one fresh, another behind":  {first: both(fresh, dead), now: both(fresh, beat{"old", "09:00:02", time.Hour}), apart: "server old"},
		"fresh, another just ending": {first: both(fresh, beat{"old", "1", 30 * time.Second}), now: both(fresh, beat{"old", "1", 31 * time.Second}), late: "server old"},
	} {
		t.Run(name, func(t *testing.T) {
			apart, late := judgeBeats(c.first, c.now)
			for want, got := range map[string]error{c.apart: apart, c.late: late} {
				if want != "" {
					assert.ErrorContains(t, got, want)
				}
			}
			assert.Equal(t, c.apart != "", apart != nil, apart)
			assert.Equal(t, c.late != "", late != nil, late)
		})
	}
}

func TestJudgeHeartbeat(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]struct {
		state State
		says  string
	}{
		time.Minute:                {OK, "heartbeat 1m0s ago"},
		heartbeatMax:               {OK, "heartbeat 2m0s ago"},
		heartbeatMax + time.Second: {Broken, "no heartbeat of the usage server (ms) since 2026-11-22 11:57:59"},
		-tolerated:                 {OK, "usage server ms"},
		-tolerated - time.Second:   {Broken, "in the future"},
	} {
		f := judgeHeartbeat("ms", now.Add(-age), now)
		assert.Equal(t, want.state, f.State, "%s: %s", age, f)
		assert.Contains(t, f.Evidence, want.says, age)
	}
}
