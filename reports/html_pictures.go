package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// livesPicture draws helper rows beside lives.
type livesPicture struct {
	Label         string
	Width, Height int
	Ticks, Runs   []mark
	Rows          []lifeRow
	Table         []lifeLine
}

type mark struct {
	X     int
	Label string
}

type lifeRow struct {
	Name, Note   string
	TextY, NoteY int
	Bars         []rect
	Walls        []wall
}

type rect struct {
	Class, Label string
	X, Y, W, H   int
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
	labelWidth   = 250
	rowHeight    = 46
	topHeight    = 24
	barHeight    = 9
	leastBar     = 2
)

// drawLives draws the rows of a case; nil when there are none.
func drawLives(c result.Case) *livesPicture {
	if len(c.Lives) == 0 {
		return nil
	}
	from, to := spanOf(c)
	p := &livesPicture{Width: pictureWidth, Height: topHeight + rowHeight*len(c.Lives)}
	x := func(t time.Time) int {
		at := float64(t.Sub(from)) / float64(to.Sub(from))
		return labelWidth + int(min(1, max(0, at))*float64(pictureWidth-labelWidth-4))
	}
	for i := range 5 {
		at := from.Add(to.Sub(from) * time.Duration(i) / 5)
		p.Ticks = append(p.Ticks, mark{min(x(at), pictureWidth-40) + 30*boolInt(i == 0), at.UTC().Format("15:04:05")})
	}
	for _, m := range c.Moments {
		if m.Kind == result.MomentUsageRun && !m.At.IsZero() {
			p.Runs = append(p.Runs, mark{x(m.At), line(m.Says)})
		}
	}
	wrong := 0
	for i, l := range c.Lives {
		p.Rows = append(p.Rows, drawLife(l, topHeight+rowHeight*i, x, to))
		p.Table = append(p.Table, lifeText(l))
		wrong += boolInt(l.Class != "")
	}
	p.Label = fmt.Sprintf(
		"%d usage rows from %s to %s, %d of them wrong; the table below says the same",
		len(c.Lives),
		clockText(from),
		clockText(to),
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
func spanOf(c result.Case) (from, to time.Time) {
	var times []time.Time
	for _, l := range c.Lives {
		times = append(times, l.Opened)
		for _, t := range []*time.Time{l.Born, l.Died, l.Closed} {
			if t != nil {
				times = append(times, *t)
			}
		}
		for _, b := range l.Billed {
			times = append(times, b.To)
		}
	}
	from, to = slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare)
	return from, to.Add(max(to.Sub(from)/20, time.Second))
}

func drawLife(l result.Life, top int, x func(time.Time) int, end time.Time) lifeRow {
	title := line(l.Name)
	if title == "" {
		title = line(fmt.Sprintf("%s %d", l.Kind, l.ID))
	}
	r := lifeRow{
		Name:  shorten(title, 34),
		Note:  fmt.Sprintf("id %d, row (helper id) %d", l.ID, l.HelperID),
		TextY: top + 14,
		NoteY: top + 30,
	}
	bar := func(class string, lane int, from time.Time, to *time.Time, label string) {
		until := end
		if to != nil {
			until = *to
		}
		y := top + 4 + lane*(barHeight+3)
		r.Bars = append(r.Bars, rect{class, label, x(from), y, max(leastBar, x(until)-x(from)), barHeight})
		if to != nil && lane < 2 {
			r.Walls = append(r.Walls, wall{x(until), y - 2, y + barHeight + 2, label})
		}
	}
	if l.Born != nil {
		bar("lifebar", 0, *l.Born, l.Died, "life: "+spanText(*l.Born, l.Died, "alive"))
	}
	class, label := "rowbar", "usage row: "+spanText(l.Opened, l.Closed, "open")
	if l.Class != "" {
		class, label = "badbar", label+", "+line(l.Class)
		r.Note = shorten(line(l.Class)+" ("+r.Note+")", 46)
	}
	bar(class, 1, l.Opened, l.Closed, label)
	for _, b := range l.Billed {
		bar("billedbar", 2, b.From, &b.To, fmt.Sprintf("billed %.6f h: %s", b.Hours, spanText(b.From, &b.To, "")))
	}
	return r
}

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
	row.Hours = fmt.Sprintf("%.6f", sum)
	return row
}

// gridPicture draws clients and requests.
type gridPicture struct {
	Rule, Control, Verdict, Reason string
	Moved, Clients, ControlMoved   int
	Columns                        int
	Backends                       []cell
	Rows                           []gridRow
}

type cell struct{ Class, Letter, Name string }

type gridRow struct {
	Client        string
	Moved         bool
	Rule, Control []cell
}

// colours is how many classes the style has for backends.
const colours = 6

// backend gives a backend its letter and colour.
func backend(i int) cell {
	letter := "?"
	if i >= 0 && i < 26 {
		letter = string(rune('A' + i))
	}
	return cell{Class: fmt.Sprintf("b%d", max(0, i)%colours), Letter: letter}
}

func drawGrid(g result.Grid) gridPicture {
	p := gridPicture{
		Rule:    name(g.Rule),
		Control: name(g.Control),
		Verdict: strings.ToLower(line(g.Verdict)),
		Reason:  line(g.Reason),
		Clients: len(g.Clients),
	}
	for i, b := range g.Backends {
		c := backend(i)
		c.Name = name(b)
		p.Backends = append(p.Backends, c)
	}
	cells := func(row []int) (all []cell, moved bool) {
		for i, b := range row {
			all = append(all, backend(b))
			moved = moved || i > 0 && b != row[i-1]
		}
		p.Columns = max(p.Columns, len(row))
		return all, moved
	}
	for _, r := range g.Clients {
		row := gridRow{Client: name(r.Client)}
		var controlMoved bool
		row.Rule, row.Moved = cells(r.Rule)
		row.Control, controlMoved = cells(r.Control)
		p.Moved += boolInt(row.Moved)
		p.ControlMoved += boolInt(controlMoved)
		p.Rows = append(p.Rows, row)
	}
	for i := range p.Rows { // a pass that was broken off has fewer answers of some clients
		for _, side := range []*[]cell{&p.Rows[i].Rule, &p.Rows[i].Control} {
			for len(*side) < p.Columns {
				*side = append(*side, cell{Letter: "–"})
			}
		}
	}
	return p
}

// sectionPicture shows the lines of a listen section at its stations.
type sectionPicture struct {
	Router, Name, Rule, Refusal, Caption string
	Lines                                []sectionLine
}

type sectionLine struct {
	Text    string
	There   []bool
	Differs bool
}

func drawSection(s result.Section) sectionPicture {
	p := sectionPicture{
		Router:  name(s.Router),
		Name:    name(s.Name),
		Rule:    name(s.Rule),
		Refusal: shorten(line(s.Refusal), 600),
	}
	stations := [][]string{s.Push, s.Written, s.Live, s.Process}
	words := []string{"newest push", "haproxy.cfg.new", "haproxy.cfg", "running process"}
	var gone []string
	seen := map[string]bool{}
	for i, lines := range stations {
		if lines == nil {
			gone = append(gone, words[i])
		}
		for _, l := range lines {
			if text := line(l); !seen[text] {
				seen[text] = true
				one := sectionLine{Text: text}
				for _, other := range stations {
					one.There = append(
						one.There,
						slices.ContainsFunc(other, func(o string) bool { return line(o) == text }),
					)
				}
				one.Differs = slices.Contains(one.There, false)
				p.Lines = append(p.Lines, one)
			}
		}
	}
	p.Caption = "Lines that are not at every station are marked."
	if len(gone) > 0 {
		p.Caption += " The whole section is missing in: " + strings.Join(gone, ", ") + "."
	}
	return p
}
