package reports

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// livesPicture draws helper rows beside lives.
type livesPicture struct {
	Label         string
	Hatch         string // id of the pattern of what is wrong
	Width, Height int
	LaneX         int // where a lane's name ends
	Ticks, Ends   []mark
	Rows          []lifeRow
	Table         []lifeLine
}

type mark struct {
	X     int
	Label string
	Side  string // how the label stands to the mark: start, middle, end
}

type lifeRow struct {
	Name, Note   string
	TextY, NoteY int
	Lanes        []lane
	Bars         []rect
	Walls        []wall
}

// lane names a bar, so that no colour has to.
type lane struct {
	Y    int
	Name string
}

type rect struct {
	Class, Label string
	X, Y, W, H   int
	Wrong        bool   // hatched, for who sees no colours
	Says         string // written below it
}

type wall struct {
	X, Y, Y2 int
	Label    string
}

type lifeLine struct {
	Name, ID, HelperID, Born, Died, Opened, Closed, Hours, Bad string
}

// Sizes of the picture, in pixels.
const (
	pictureWidth = 1000
	labelWidth   = 290
	rowHeight    = 62
	topHeight    = 24
	barHeight    = 11
	barStep      = 15
	leastBar     = 2
	rightEdge    = 4
	labelHalf    = 28 // of a time under its mark
)

// Lanes of a row, from the top.
const (
	laneLife = iota
	laneRow
	laneBilled
)

// timeScale is where a time is drawn.
type timeScale struct{ from, to time.Time }

func (s timeScale) x(t time.Time) int {
	at := float64(t.Sub(s.from)) / float64(s.to.Sub(s.from))
	return labelWidth + int(min(1, max(0, at))*float64(pictureWidth-labelWidth-rightEdge))
}

// drawLives draws the rows of a case; nil when there are none.
func drawLives(c result.Case, anchor string) *livesPicture {
	if len(c.Lives) == 0 {
		return nil
	}
	scale := spanOf(c)
	p := &livesPicture{Width: pictureWidth, Height: topHeight + rowHeight*len(c.Lives), Hatch: "hatch-" + anchor,
		LaneX: labelWidth - 6}
	p.Ticks = ticks(scale)
	p.Ends = windowEnds(c, scale)
	wrong, covered := 0, coveredTo(c)
	for i, l := range c.Lives {
		p.Rows = append(p.Rows, drawLife(l, topHeight+rowHeight*i, scale, covered))
		p.Table = append(p.Table, lifeText(l))
		wrong += boolInt(l.Class != "")
	}
	p.Label = fmt.Sprintf(
		"%s from %s to %s, %d of them wrong; the table below says the same",
		counted(len(c.Lives), "usage row"),
		clockText(scale.from),
		clockText(scale.to),
		wrong,
	)
	return p
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// spanOf is the time that the picture covers: all that is drawn, and a little more, so that what is open runs out of
// it.
func spanOf(c result.Case) timeScale {
	var times []time.Time
	for _, l := range c.Lives {
		times = append(times, l.Opened)
		for _, t := range []*time.Time{l.Born, l.Died, l.Closed} {
			if t != nil {
				times = append(times, *t)
			}
		}
		for _, b := range slices.Concat(l.Billed, l.Records) {
			times = append(times, b.To)
		}
	}
	from, to := slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare)
	return timeScale{from, to.Add(max(to.Sub(from)/20, time.Second))}
}

// mostTicks is how many times the axis has at most.
const mostTicks = 7

// ticks are round times, each at its own place. A label that would run out of the picture stands beside its mark.
func ticks(scale timeScale) []mark {
	span, step := scale.to.Sub(scale.from), tickStep(scale.to.Sub(scale.from))
	format := "15:04:05"
	if span > 24*time.Hour {
		format = "01-02 15:04"
	}
	var all []mark
	for at := scale.from.UTC().Truncate(step); !at.After(scale.to) && len(all) <= mostTicks; at = at.Add(step) {
		if at.Before(scale.from) {
			continue
		}
		m := mark{X: scale.x(at), Label: at.Format(format), Side: "middle"}
		if m.X > pictureWidth-labelHalf {
			m.Side = "end"
		}
		all = append(all, m)
	}
	return all
}

// tickStep is the smallest round step that makes few enough ticks.
func tickStep(span time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, step := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second,
		15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
		15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		day, 2 * day} {
		if span/step < mostTicks {
			return step
		}
	}
	return (span / mostTicks).Truncate(day) + day
}

// windowEnds are the ends of the usage windows that have records, and of the usage runs.
func windowEnds(c result.Case, scale timeScale) []mark {
	said := map[time.Time]string{}
	for _, m := range c.Moments {
		if m.Kind == result.MomentUsageRun && !m.At.IsZero() {
			said[m.At.UTC().Truncate(time.Second).Add(time.Second)] = line(m.Says)
		}
	}
	for _, l := range c.Lives {
		for _, r := range l.Records {
			if at := r.To.UTC(); said[at] == "" {
				said[at] = "end of the window " + clockText(r.From) + " to " + clockText(r.To)
			}
		}
	}
	var all []mark
	for at, says := range said {
		all = append(all, mark{X: scale.x(at), Label: says})
	}
	slices.SortFunc(all, func(a, b mark) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Label, b.Label)) })
	return all
}

// coveredTo is the end of the newest window that has a record.
func coveredTo(c result.Case) time.Time {
	var to time.Time
	for _, l := range c.Lives {
		for _, b := range slices.Concat(l.Billed, l.Records) {
			if b.To.After(to) {
				to = b.To
			}
		}
	}
	return to
}

// stretch is a piece of time.
type stretch struct{ from, to time.Time }

// billedTime is what records bill of a row: of each window so many hours, from the time on at which the life and the
// row have begun.
func billedTime(l result.Life) []stretch {
	records := l.Records
	if len(records) == 0 { // a result of an older stackproof has joined windows only
		records = l.Billed
	}
	var all []stretch
	for _, r := range records {
		long := min(time.Duration(r.Hours*float64(time.Hour)).Round(time.Second), r.To.Sub(r.From))
		from := r.From
		for _, began := range []*time.Time{l.Born, &l.Opened} {
			if began != nil && began.After(from) && began.Before(r.To) {
				from = *began
			}
		}
		if latest := r.To.Add(-long); from.After(latest) {
			from = latest
		}
		if n := len(all); n > 0 && from.Sub(all[n-1].to) < time.Second && !from.Before(all[n-1].to) {
			all[n-1].to = from.Add(long)
		} else if long > 0 {
			all = append(all, stretch{from, from.Add(long)})
		}
	}
	return all
}

// roundedAway is what a record may miss of its window without a fault.
const roundedAway = 2 * time.Second

// unbilled are the pieces of a life that usage was run for and that nothing bills.
func unbilled(l result.Life, billed []stretch, covered time.Time) []stretch {
	if l.Born == nil || l.Class == "" {
		return nil
	}
	end := covered
	if l.Died != nil && l.Died.Before(end) {
		end = *l.Died
	}
	at := *l.Born
	if len(l.Records) > 0 && l.Records[0].From.After(at) {
		at = l.Records[0].From // there may be older records, which are not drawn
	}
	var all []stretch
	for _, b := range append(slices.Clone(billed), stretch{end, end}) {
		until := b.from
		if until.After(end) {
			until = end
		}
		if until.Sub(at) > roundedAway {
			all = append(all, stretch{at, until})
		}
		if b.to.After(at) {
			at = b.to
		}
	}
	return all
}

func drawLife(l result.Life, top int, scale timeScale, covered time.Time) lifeRow {
	r := lifeRow{
		Name:  shorten(called(l), 34),
		Note:  fmt.Sprintf("internal id %d, helper id %d", l.ID, l.HelperID),
		TextY: top + 17,
		NoteY: top + 33,
	}
	for i, name := range []string{"life", "row", "billed"} {
		r.Lanes = append(r.Lanes, lane{top + 6 + i*barStep + barHeight - 2, name})
	}
	bar := func(class string, lane int, from time.Time, to *time.Time, label string) *rect {
		until := scale.to
		if to != nil {
			until = *to
		}
		y := top + 6 + lane*barStep
		r.Bars = append(r.Bars, rect{Class: class, Label: label, X: scale.x(from), Y: y,
			W: max(leastBar, scale.x(until)-scale.x(from)), H: barHeight})
		if to != nil && lane != laneBilled {
			r.Walls = append(r.Walls, wall{scale.x(until), y - 2, y + barHeight + 2, label})
		}
		return &r.Bars[len(r.Bars)-1]
	}
	if l.Born != nil {
		bar("lifebar", laneLife, *l.Born, l.Died, "life: "+spanText(*l.Born, l.Died, "alive"))
	}
	label := "usage row: " + spanText(l.Opened, l.Closed, "open")
	if l.Class == "" {
		bar("rowbar", laneRow, l.Opened, l.Closed, label)
	} else {
		bar("badbar", laneRow, l.Opened, l.Closed, label+", "+line(l.Class)).Wrong = true
		r.Note = shorten(r.Note+": "+line(l.Class), 48)
	}
	billed := billedTime(l)
	for _, b := range billed {
		drawBilled(l, b, bar)
	}
	for _, b := range unbilled(l, billed, covered) {
		says := "not billed: " + spanText(b.from, &b.to, "")
		bar("gapbar", laneBilled, b.from, &b.to, says).say("not billed")
	}
	return r
}

// drawBilled draws billed time; what lies after the end of the life is another piece of it.
func drawBilled(l result.Life, b stretch, bar func(string, int, time.Time, *time.Time, string) *rect) {
	until, over := b.to, l.Died != nil && b.to.Sub(*l.Died) > roundedAway
	if over {
		until = *l.Died
	}
	if until.After(b.from) {
		bar("billedbar", laneBilled, b.from, &until, "billed: "+spanText(b.from, &until, ""))
	}
	if over {
		from := *l.Died
		if b.from.After(from) {
			from = b.from
		}
		one := bar("overbar", laneBilled, from, &b.to, "billed after its end: "+spanText(from, &b.to, ""))
		one.Wrong = true
		one.say("billed after its end")
	}
}

// say writes below a bar what fits.
func (r *rect) say(text string) {
	const perLetter = 6
	if r.W > perLetter*(len(text)+2) {
		r.Says = text
	}
}

// SaysX and SaysY are where the text below a bar begins.
func (r rect) SaysX() int { return r.X + 2 }
func (r rect) SaysY() int { return r.Y + r.H + 9 }

func spanText(from time.Time, to *time.Time, open string) string {
	if to == nil {
		return clockText(from) + ", still " + open
	}
	return clockText(from) + " to " + clockText(*to)
}

func lifeText(l result.Life) lifeLine {
	at := func(t *time.Time, none string) string {
		if t == nil {
			return none
		}
		return clockText(*t)
	}
	row := lifeLine{
		Name:     shorten(line(l.Name), longest),
		ID:       fmt.Sprint(l.ID),
		HelperID: fmt.Sprint(l.HelperID),
		Born:     at(l.Born, "not told"),
		Died:     at(l.Died, "alive"),
		Opened:   clockText(l.Opened),
		Closed:   at(l.Closed, "open"),
		Bad:      line(l.Class),
	}
	if l.UUID != "" {
		row.ID += ", " + line(l.UUID)
	}
	if l.ClosedBy != "" {
		row.Closed += ", when " + line(l.ClosedBy) + " was deleted"
	}
	sum := 0.0
	for _, b := range l.Billed {
		sum += b.Hours
	}
	row.Hours = hoursText(sum)
	return row
}

// hoursText is an amount of hours, in seconds too where a person would count those.
func hoursText(h float64) string {
	const brief = 0.1
	if h >= brief || h == 0 {
		return fmt.Sprintf("%.6f h", h)
	}
	return fmt.Sprintf("%.6f h (%.0f s)", h, h*time.Hour.Seconds())
}
