package autoscale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCron(t *testing.T) {
	from := time.Date(2026, 6, 1, 12, 0, 30, 0, time.UTC) // a Monday
	for text, want := range map[string]string{
		"* * * * *":      "2026-06-01 12:01",
		"5 * * * *":      "2026-06-01 12:05",
		"0 15 10 * *":    "2026-06-10 15:00",
		"*/20 * * * *":   "2026-06-01 12:20",
		"30 8-9 * * 1-5": "2026-06-02 08:30",
		"0 0 * * 7":      "2026-06-07 00:00",
		"0 0 29 2 *":     "2028-02-29 00:00",
		"1,2 12 * * *":   "2026-06-01 12:01",
	} {
		c, err := parseCron(text)
		require.NoError(t, err, text)
		at, ok := c.next(from)
		require.True(t, ok, text)
		assert.Equal(t, want, at.Format("2006-01-02 15:04"), text)
	}
	c, err := parseCron("0 0 31 2 *")
	require.NoError(t, err)
	_, ok := c.next(from)
	assert.False(t, ok, "there is no such day")
	for _, text := range []string{"", "* * * *", "60 * * * *", "* 24 * * *", "x * * * *", "5-1 * * * *", "*/0 * * * *",
		"* * 0 * *", "1-x * * * *"} {
		_, err := parseCron(text)
		require.Error(t, err, text)
	}
}

// TestNextOnADayWithoutMidnight: the clocks of Havana go from 00:00 to 01:00 in March, and the day begins then.
func TestNextOnADayWithoutMidnight(t *testing.T) {
	havana, err := time.LoadLocation("America/Havana")
	require.NoError(t, err)
	c, err := parseCron("0 0 15 * *")
	require.NoError(t, err)
	at, ok := c.next(time.Date(2026, time.March, 7, 12, 0, 0, 0, havana))
	require.True(t, ok)
	assert.Equal(t, "2026-03-15 00:00", at.Format("2006-01-02 15:04"))
}
