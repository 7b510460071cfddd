package reports

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// Line is text on one line without characters that a terminal obeys.
func Line(s string) string { return line(s) }

// TextGrid draws which backend answered which request, a line for each client, with the control beside it.
func TextGrid(g result.Grid) string {
	p := drawGrid(g)
	var b strings.Builder
	for _, k := range p.Backends {
		fmt.Fprintf(&b, "%s = %s\n", k.Letter, k.Name)
	}
	width := len("client")
	for _, r := range p.Rows {
		width = max(width, len([]rune(r.Client)))
	}
	columns := max(p.Columns, len("target"))
	fmt.Fprintf(&b, "\n%-*s  %-*s  control\n", width, "client", columns, "target")
	for _, r := range p.Rows {
		text := fmt.Sprintf("%-*s  %-*s  %s", width, r.Client, columns, letters(r.Rule), letters(r.Control))
		if r.Moved {
			text += "  moved"
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

func letters(cells []cell) string {
	var b strings.Builder
	for _, c := range cells {
		b.WriteString(c.Letter)
	}
	return b.String()
}
