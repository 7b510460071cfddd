package reports

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// Defects is what a release is known to do wrong and a run has seen, a line each: so much fits one screen. Width is
// that of the terminal, 0 for no limit. A failure that is not known stands first and is marked.
func Defects(run result.Run, width int) string {
	var news, known []string
	for _, c := range run.Results {
		if c.Verdict != result.Fail {
			continue
		}
		if c.Known {
			known = append(known, shorten(fmt.Sprintf("%-6s %s", name(c.ID), why(c, line(run.Release))), width))
		} else {
			news = append(news, shorten(fmt.Sprintf("%-5s! %s", name(c.ID), headline(c)), width))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d scenarios show a known defect", line(run.Release), len(known), len(run.Results))
	if len(news) > 0 {
		fmt.Fprintf(&b, ", and %d fail without being known (marked !)", len(news))
	}
	b.WriteString("\n")
	for _, l := range append(news, known...) {
		b.WriteString(l + "\n")
	}
	return b.String()
}
