package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

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
