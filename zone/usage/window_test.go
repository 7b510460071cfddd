package usage

import (
	"testing"
	"time"
	_ "time/tzdata" // not every machine has time zones

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	value, err := time.Parse("2006-01-02 15:04:05.999", text)
	require.NoError(t, err)
	return value
}

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		now        string
		minutes    int
		start, end string
	}{
		{"2026-03-10 00:15:00", daily, "2026-03-09 00:00:00", "2026-03-09 23:59:59.999"},
		{"2026-01-01 00:15:00", daily, "2026-12-31 00:00:00", "2025-12-31 23:59:59.999"},
		{"2026-03-10 10:15:30", hourly, "2026-03-10 09:00:00", "2026-03-10 09:59:59.999"},
		{"2026-03-10 00:15:30", hourly, "2026-03-10 23:00:00", "2026-03-09 23:59:59.999"},
		{"2026-03-10 10:15:30", 1, "2026-03-10 10:14:00", "2026-03-10 10:14:59.999"},
		{"2026-03-10 10:15:30", 10, "2026-03-10 10:05:00", "2026-03-10 10:14:59.999"},
	} {
		start, end := Options{Range: c.minutes}.window(moment(t, c.now))
		require.Equal(t, moment(t, c.start), start, "start at %s, range %d", c.now, c.minutes)
		require.Equal(t, moment(t, c.end), end, "end at %s, range %d", c.now, c.minutes)
	}
}

// TestDaysOfAZone: Jerusalem set its clocks forward on 27 March 2026 at two, and back on 25 October.
func TestDaysOfAZone(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Jerusalem")
	require.NoError(t, err)
	for _, c := range []struct {
		now        string
		start, end string
		options    Options
	}{
		{"2026-03-28 10:00:00", "2026-03-26 22:00:00", "2026-03-27 20:59:59.999", Options{}},
		{"2026-10-26 10:00:00", "2026-10-24 21:00:00", "2026-10-25 21:59:59.999", Options{}},
		{"2026-01-01 10:00:00", "2026-12-30 22:00:00", "2025-12-31 21:59:59.999", Options{}},
		{"2026-01-01 10:00:00", "2025-12-30 22:00:00", "2025-12-31 21:59:59.999",
			Options{Rules: Rules{YearCarries: true}}},
		{"2026-03-28 10:00:00", "2026-03-27 00:00:00", "2026-03-27 23:59:59.999",
			Options{Faults: Faults{AggregationGMT: true}}},
	} {
		c.options.Range, c.options.Aggregation = daily, zone
		start, end := c.options.window(moment(t, c.now))
		require.Equal(t, moment(t, c.start), start, c.now)
		require.Equal(t, moment(t, c.end), end, c.now)
	}
}

func TestSlicesTouch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.SampledFrom([]int{1, 2, 10, hourly, daily}).Draw(t, "minutes")
		end := time.Date(2026, 3, 10, 10, 59, 59, 999e6, time.UTC)
		start := end.Add(-time.Duration(rapid.Int64Range(1, 5*int64(minutes)*60_000).Draw(t,
			"length")) * time.Millisecond)
		parts := slicesOf(start, end, minutes)
		require.Equal(t, start, parts[0].start)
		require.Equal(t, end, parts[len(parts)-1].end)
		for i, part := range parts {
			require.LessOrEqual(t, part.length(), time.Duration(minutes+1)*time.Minute+time.Millisecond)
			if i > 0 {
				require.Equal(t, parts[i-1].end.Add(time.Millisecond), part.start)
				require.Equal(t, time.Duration(minutes)*time.Minute, part.length())
			}
		}
	})
}

func TestHoursAndDisplay(t *testing.T) {
	for length, want := range map[time.Duration]struct {
		hours float64
		shown string
	}{
		time.Minute:          {0.01666666753590107, "0.016667 Hrs"},
		24 * time.Hour:       {24, "24 Hrs"},
		30 * time.Minute:     {0.5, "0.5 Hrs"},
		18 * time.Second:     {0.005000000353902578, "0.005 Hrs"},
		0:                    {0, "0 Hrs"},
		100 * 24 * time.Hour: {2400, "2400 Hrs"},
	} {
		require.Equal(t, want.hours, Hours(length), length.String())
		require.Equal(t, want.shown, Display(want.hours), length.String())
	}
}
