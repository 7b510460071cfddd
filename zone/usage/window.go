package usage

import "time"

const (
	daily  = 1440
	hourly = 60
)

// window is the time that a run at now is asked to cover, before the last success and now limit it. Ranges of a day and
// of an hour cover the previous full one; any other range ends before the current minute (UsageManagerImpl@4.20.0.0).
// CloudStack sets the start with a calendar roll, which does not carry: on 1 January, or in hour 0, it is in the
// future. A day is one of the aggregation time zone, and may have 23 or 25 hours.
func (o Options) window(now time.Time) (start, end time.Time) {
	zone := o.Aggregation
	if zone == nil || o.Faults.AggregationGMT {
		zone = time.UTC
	}
	now = now.In(zone)
	year, month, day := now.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, zone)
	switch o.Range {
	case daily:
		start = midnight.AddDate(0, 0, -1)
		if o.Faults.FirstDay24Hours {
			start = midnight.Add(-daily * time.Minute)
		}
		if now.YearDay() == 1 && !o.Rules.YearCarries {
			start = time.Date(year, time.December, 31, 0, 0, 0, 0, zone)
		}
		return start.UTC(), midnight.Add(-time.Millisecond).UTC()
	case hourly:
		hour := now.Truncate(time.Hour)
		start = hour.Add(-time.Hour)
		if now.Hour() == 0 && !o.Rules.YearCarries {
			start = midnight.Add(23 * time.Hour)
		}
		return start.UTC(), hour.Add(-time.Millisecond).UTC()
	default:
		length := time.Duration(o.Range) * time.Minute
		start = now.UTC().Add(-length).Truncate(time.Minute)
		return start, start.Add(length - time.Millisecond)
	}
}

// slice is a part of a window; both ends belong to it.
type slice struct{ start, end time.Time }

func (s slice) length() time.Duration { return s.end.Sub(s.start) + time.Millisecond }

// slices cuts a window into parts of the range, counted back from its end. The first starts at the window's start and
// may be shorter than the range, or up to a minute longer.
func slicesOf(start, end time.Time, minutes int) []slice {
	length := time.Duration(minutes) * time.Minute
	first := end
	for at := end; at.Sub(start) > time.Minute; at = at.Add(-length) {
		first = at
	}
	var parts []slice
	for at := first; !at.After(end) || at.Sub(end) < time.Minute; at = at.Add(length) {
		parts = append(parts, slice{start, at})
		start = at.Add(time.Millisecond)
	}
	return parts
}
