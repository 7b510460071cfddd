package autoscale

import (
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/zone/api"
)

// cron are the moments of a schedule: minute, hour, day of the month, month and day of the week.
type cron struct{ fields [5]map[int]bool }

// parseCron reads numbers, ranges, steps and lists of them (DateUtil.parseSchedule@main takes names, too).
func parseCron(text string) (cron, error) {
	var c cron
	words := strings.Fields(text)
	if len(words) != len(c.fields) {
		return c, api.Invalid("Cron expression must consist of 6 fields (found %d in \"0 %s\")", len(words)+1, text)
	}
	bounds := [5][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}}
	for i, word := range words {
		c.fields[i] = map[int]bool{}
		for part := range strings.SplitSeq(word, ",") {
			if !fill(c.fields[i], part, bounds[i]) {
				return c, api.Invalid("Invalid cron expression \"0 %s\"", text)
			}
		}
	}
	if c.fields[4][7] { // Sunday
		c.fields[4][0] = true
	}
	return c, nil
}

// fill adds what one part of a field stands for.
func fill(field map[int]bool, part string, bounds [2]int) bool {
	word, stepText, stepped := strings.Cut(part, "/")
	first, last, step := bounds[0], bounds[1], 1
	var err error
	if stepped {
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return false
		}
	}
	if word != "*" {
		from, to, ranged := strings.Cut(word, "-")
		if first, err = strconv.Atoi(from); err != nil {
			return false
		}
		if !ranged && !stepped {
			last = first
		} else if ranged {
			if last, err = strconv.Atoi(to); err != nil {
				return false
			}
		}
	}
	if first < bounds[0] || last > bounds[1] || first > last {
		return false
	}
	for n := first; n <= last; n += step {
		field[n] = true
	}
	return true
}

// next is the first moment after t, in t's time zone; ok is false where there is none within four years.
func (c cron) next(t time.Time) (at time.Time, ok bool) {
	end := t.AddDate(4, 0, 0)
	for at = t.Truncate(time.Minute).Add(time.Minute); at.Before(end); {
		switch {
		case !c.fields[3][int(at.Month())], !c.fields[2][at.Day()], !c.fields[4][int(at.Weekday())]:
			y, m, d := at.Date()
			next := time.Date(y, m, d+1, 0, 0, 0, 0, at.Location())
			if !next.After(at) { // a day that begins at 01:00, since its clocks are changed at midnight
				next = at.Add(time.Hour)
			}
			at = next
		case !c.fields[1][at.Hour()], !c.fields[0][at.Minute()]:
			at = at.Add(time.Minute)
		default:
			return at, true
		}
	}
	return at, false
}
