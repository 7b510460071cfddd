package usageruns

import (
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stretchr/testify/assert"
)

func TestJudgeBeats(t *testing.T) {
	at := func(text string, age time.Duration) map[int64]beat { return map[int64]beat{1: {"ms", text, age}} }
	both := func(a, b beat) map[int64]beat { return map[int64]beat{1: a, 2: b} }
	fresh, dead := beat{"ms", "10:00:00", time.Second}, beat{"old", "09:00:00", time.Hour}
	for name, c := range map[string]struct {
		first, now  map[int64]beat
		apart, late string
	}{
		"fresh":                   {first: at("10:00:00", time.Second), now: at("10:00:00", time.Second)},
		"fresh and one long gone": {first: both(fresh, dead), now: both(fresh, dead)},
		"ahead": {first: at("10:00:20", -20*time.Second), now: at("10:00:20", -20*time.Second),
			apart: "20s apart"},
		"late, may come": {first: at("10:00:00", 8*time.Second), now: at("10:00:00", 8*time.Second),
			late: "no heartbeat for 8s"},
		"behind": {first: at("10:00:00", 8*time.Second), now: at("10:00:02", 8*time.Second),
			apart: "8s apart"},
		"hours behind": {first: at("10:00:00", time.Hour), now: at("10:00:02", time.Hour),
			apart: "1h0m0s apart"},
		"nobody": {late: "no management server"},
		"one fresh, another behind": {first: both(fresh, dead), now: both(fresh, beat{"old", "09:00:02", time.Hour}),
			apart: "server old"},
		"fresh, another just ending": {first: both(fresh, beat{"old", "1", 30 * time.Second}),
			now: both(fresh, beat{"old", "1", 31 * time.Second}), late: "server old"},
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
		state finding.State
		says  string
	}{
		time.Minute:                {finding.OK, "heartbeat 1m0s ago"},
		heartbeatMax:               {finding.OK, "heartbeat 2m0s ago"},
		heartbeatMax + time.Second: {finding.Broken, "no heartbeat of the usage server (ms) since 2026-11-22 11:57:59"},
		-tolerated:                 {finding.OK, "usage server ms"},
		-tolerated - time.Second:   {finding.Broken, "in the future"},
	} {
		f := judgeHeartbeat("ms", now.Add(-age), now)
		assert.Equal(t, want.state, f.State, "%s: %s", age, f)
		assert.Contains(t, f.Evidence, want.says, age)
	}
}
