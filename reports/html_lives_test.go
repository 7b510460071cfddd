package reports

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

func clockAt(s int) time.Time { return time.Date(2026, 6, 1, 12, 0, s, 0, time.UTC) }

// TestTicksAreTrue: each time stands where the scale puts it, the first one too, and none is out of the picture.
func TestTicksAreTrue(t *testing.T) {
	for _, span := range []time.Duration{time.Second, 9 * time.Second, 311 * time.Second, time.Hour, 7 * time.Hour,
		26 * time.Hour, 40 * 24 * time.Hour} {
		scale := timeScale{clockAt(10), clockAt(10).Add(span)}
		all := ticks(scale)
		require.NotEmpty(t, all, span)
		require.LessOrEqual(t, len(all), mostTicks, span)
		for i, m := range all {
			require.True(t, m.X >= labelWidth && m.X <= pictureWidth, "%s at %d", span, m.X)
			if i > 1 {
				require.InDelta(t, all[1].X-all[0].X, m.X-all[i-1].X, 1, "%s: steps are alike", span)
			}
			if span < 24*time.Hour {
				at, err := time.Parse("2006-01-02 15:04:05", "2026-06-01 "+m.Label)
				require.NoError(t, err)
				require.Equal(t, scale.x(at), m.X, "%s %s", span, m.Label)
			}
		}
	}
	require.Equal(t, "end", ticks(timeScale{clockAt(0), clockAt(60)})[len(ticks(timeScale{clockAt(0),
		clockAt(60)}))-1].Side, "a label at the edge stands inside")
}

// TestBilledTimeIsWhatRecordsBill: of a window only its hours are drawn, and what should have been billed and was not.
func TestBilledTimeIsWhatRecordsBill(t *testing.T) {
	hours := func(s float64) float64 { return s / 3600 }
	born, closed := clockAt(61), clockAt(123)
	victim := result.Life{Born: &born, Opened: born, Closed: &closed, Class: "crossed-close"}
	victim.Billed = []result.Billed{{From: clockAt(60), To: clockAt(180), Hours: hours(62)}}
	want := []stretch{{clockAt(61), clockAt(123)}}
	require.Equal(t, want, billedTime(victim), "joined windows of an older result")
	victim.Records = []result.Billed{{From: clockAt(60), To: clockAt(120), Hours: hours(59)},
		{From: clockAt(120), To: clockAt(180), Hours: hours(3)}}
	require.Equal(t, want, billedTime(victim))
	require.Equal(t, []stretch{{clockAt(123), clockAt(300)}}, unbilled(victim, want, clockAt(300)))
	died := clockAt(200)
	victim.Died = &died
	require.Equal(t, []stretch{{clockAt(123), clockAt(200)}}, unbilled(victim, want, clockAt(300)))
	victim.Class = ""
	require.Empty(t, unbilled(victim, want, clockAt(300)), "of what is sound nothing is said")

	early := result.Life{Born: &born, Opened: clockAt(200), Records: victim.Records[:1]}
	require.Equal(t, []stretch{{clockAt(61), clockAt(120)}}, billedTime(early), "a window from before the row")

	twice := result.Life{Opened: clockAt(0), Records: []result.Billed{{From: clockAt(0), To: clockAt(60),
		Hours: hours(120)}, {From: clockAt(60), To: clockAt(120)}}}
	require.Equal(t, []stretch{{clockAt(0), clockAt(60)}}, billedTime(twice),
		"no more than its window, and no empty one")
}

// TestLivesShowTheHarm: what is billed after the end and what is not billed are bars of their own, hatched or named,
// and each window that has records ends in a line.
func TestLivesShowTheHarm(t *testing.T) {
	c := pictured().Results[0]
	p := drawLives(c, "U-02")
	bars := map[string]rect{}
	for _, row := range p.Rows {
		for _, b := range row.Bars {
			bars[row.Name+" "+b.Class] = b
		}
	}
	over, gap := bars["LB rule A overbar"], bars["LB rule R3 gapbar"]
	require.Equal(t, "billed after its end", over.Says)
	require.True(t, over.Wrong)
	require.Equal(t, "not billed", gap.Says)
	require.Equal(t, "not billed: 2026-11-25 02:36:03 to 2026-11-25 02:38:00", gap.Label)
	require.True(t, bars["LB rule A badbar"].Wrong && !bars["LB rule R4 rowbar"].Wrong)
	require.NotContains(t, bars, "LB rule R4 gapbar")
	var ends []string
	for _, e := range p.Ends {
		ends = append(ends, e.Label)
	}
	require.Equal(t, []string{"end of the window 2026-11-25 02:35:00 to 2026-11-25 02:36:00",
		"usage run up to 02:36:59"}, ends)
}

func TestHoursAreSecondsWhereTheyAreFew(t *testing.T) {
	require.Equal(t, "0.015833 h (57 s)", hoursText(0.015833))
	require.Equal(t, "0.500000 h", hoursText(.5))
	require.Equal(t, "0.000000 h", hoursText(0))
}

var cssColour = regexp.MustCompile(`--([a-z0-9]+): #([0-9a-f]{3,6});`)

// contrast of two colours as WCAG 2 has it.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	light := func(hex string) float64 {
		if len(hex) == 3 {
			hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
		}
		sum := 0.0
		for i, weight := range []float64{.2126, .7152, .0722} {
			n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
			require.NoError(t, err)
			c := float64(n) / 255
			if c <= .03928 {
				c /= 12.92
			} else {
				c = math.Pow((c+.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	x, y := light(a), light(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

// TestBarsStandOut: each bar has a contrast of 3 to the page, in light and in dark.
func TestBarsStandOut(t *testing.T) {
	require.InDelta(t, 2.15, contrast(t, "9fb3c8", "fff"), .01, "a bar that is too faint is seen")
	style, err := os.ReadFile("html/style.css")
	require.NoError(t, err)
	var schemes []map[string]string
	for _, m := range cssColour.FindAllStringSubmatch(string(style), -1) {
		if m[1] == "bg" {
			schemes = append(schemes, map[string]string{})
		}
		schemes[len(schemes)-1][m[1]] = m[2]
	}
	require.Len(t, schemes, 2)
	for i, scheme := range schemes {
		for _, bar := range []string{"life", "row", "bad", "billed"} {
			require.GreaterOrEqual(t, contrast(t, scheme[bar], scheme["bg"]), 3.0, fmt.Sprint(bar, i))
		}
		for _, text := range []string{"text", "dim", "link", "fail", "known", "pass"} {
			require.GreaterOrEqual(t, contrast(t, scheme[text], scheme["bg"]), 4.5, fmt.Sprint(text, i))
		}
	}
}
