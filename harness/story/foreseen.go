package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/billing"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// Foresight says how known defects will show.
type Foresight struct {
	*harness.Attempt
	watch *watch.Watch
}

// Shows is one way in which a known defect shows, for T.Foreshow.
type Shows struct {
	Class result.Class
	What  string // result.Seen.What
	Holds func(result.Seen) bool
	Most  int // how often at most; 0 is any number
}

// Foreshow says how a defect, if the target has it, will show on a billed thing; the zero Billed is nothing in
// particular. All failures of the story must then be foreseen ones.
func (t Foresight) Foreshow(defect release.Knob, of Billed, all ...Shows) {
	for _, s := range all {
		f := harness.Foreseen{Knob: defect, Class: s.Class, Most: s.Most,
			Holds: func(seen result.Seen) bool { return seen.What == s.What && (s.Holds == nil || s.Holds(seen)) },
			About: fmt.Sprintf("%s, %s of %s", s.Class, s.What, of)}
		if of.Ref.Kind != "" {
			f.Subject = watch.Subject(of.Ref)
		}
		t.Foresee(f)
	}
}

// atEventOf says that a date is that of the newest event of a type about a resource.
func (t Foresight) atEventOf(eventType string, b Billed,
	which func(dates []time.Time) time.Time) func(result.Seen) bool {
	return func(s result.Seen) bool {
		var dates []time.Time
		for _, e := range t.watch.Last.Events {
			if e.Type == eventType && b.Ref.Concerns(e) {
				dates = append(dates, e.Created)
			}
		}
		return len(dates) > 0 && which(dates).Equal(s.At)
	}
}

// AtFirst says that a date is that of the first event of a type about a thing, AtLast that of the newest.
func (t Foresight) AtFirst(eventType string, b Billed) func(result.Seen) bool {
	return t.atEventOf(eventType, b, func(d []time.Time) time.Time { return d[0] })
}

// AtLast is AtFirst for the newest event.
func (t Foresight) AtLast(eventType string, b Billed) func(result.Seen) bool {
	return t.atEventOf(eventType, b, func(d []time.Time) time.Time { return d[len(d)-1] })
}

// AtJob says that a date is that of the first usage run which covers the newest event of a type about a thing: it lies
// after the end of the run's window and not long after.
func (t Foresight) AtJob(eventType string, b Billed) func(result.Seen) bool {
	return func(s result.Seen) bool {
		return slices.ContainsFunc(t.watch.Last.Events, func(e usageprobe.UsageEvent) bool {
			return e.Type == eventType && b.Ref.Concerns(e) && t.watch.Last.AtJob(e.Created, s.At)
		})
	}
}

// Count says that as many were seen.
func Count(n int) func(result.Seen) bool {
	return func(s result.Seen) bool { return s.Number == float64(n) }
}

// Twice says that an amount is double of what it should be.
func Twice(s result.Seen) bool { return billing.Near(s.Number, 2*s.Want) }

// Double says that what is too much is as much again as what is right.
func Double(s result.Seen) bool { return billing.Near(s.Number, s.Want) }

// Nothing says that no hours were billed; a row that is closed at once is billed its closing millisecond.
func Nothing(s result.Seen) bool { return s.Number <= billing.ClosingTick }

// CountOf says that as many were seen of which so many are right.
func CountOf(n, right int) func(result.Seen) bool {
	return func(s result.Seen) bool { return s.Number == float64(n) && s.Want == float64(right) }
}

// AtMost says that no more was seen.
func AtMost(n float64) func(result.Seen) bool {
	return func(s result.Seen) bool { return s.Number <= n }
}

// Says says that a text was seen and no other.
func Says(text string) func(result.Seen) bool {
	return func(s result.Seen) bool { return s.Text == text }
}

// OfOne says which part of a subject it is about.
func OfOne(part string) func(result.Seen) bool {
	return func(s result.Seen) bool { return s.Of == part }
}

// Way says how far something came.
func Way(stations ...bool) func(result.Seen) bool {
	return func(s result.Seen) bool { return slices.Equal(s.Way, stations) }
}

// LivedUntil says that hours are those from the beginning of a thing's usage row to the newest event of a type about
// another thing.
func (t Foresight) LivedUntil(eventType string, ends, lives Billed) func(result.Seen) bool {
	return func(s result.Seen) bool {
		rows := t.watch.Rows(lives)
		if len(rows) != 1 {
			return false
		}
		return t.atEventOf(eventType, ends, func(d []time.Time) time.Time { return d[len(d)-1] })(result.Seen{
			At: rows[0].Created.Add(time.Duration(s.Number * float64(time.Hour)).Round(time.Second))})
	}
}

// Mentions says that a text holds a word.
func Mentions(word string) func(result.Seen) bool {
	return func(s result.Seen) bool { return strings.Contains(s.Text, word) }
}

// Both says that all hold.
func Both(all ...func(result.Seen) bool) func(result.Seen) bool {
	return func(s result.Seen) bool {
		return !slices.ContainsFunc(all, func(holds func(result.Seen) bool) bool { return !holds(s) })
	}
}
