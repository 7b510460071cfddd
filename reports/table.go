package reports

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// Table is several runs side by side, a line each: what passed, what failed, and what failed without being known.
func Table(runs []result.Run, strict bool) string {
	rows := [][]string{
		{"RELEASE", "TARGET", "PASSED", "KNOWN", "NEW", "UNDECIDED", "NOT SHOWN", "NOT RUN", "EXIT", "FAILS"},
	}
	for _, run := range runs {
		counts, fails := map[string]int{}, []string{}
		for _, c := range run.Results {
			key, _ := kind(c)
			counts[key]++
			if c.Verdict == result.Fail {
				id := name(c.ID)
				if !c.Known {
					id += "!"
				}
				fails = append(fails, id)
			}
		}
		if len(fails) == 0 {
			fails = []string{"none"}
		}
		row := []string{name(run.Release), name(run.Target)}
		for _, n := range []int{counts["pass"], counts["known"], counts["fail"], counts["inconclusive"],
			counts["unsupported"], len(run.Missing()), run.ExitCode(strict)} {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, append(row, strings.Join(fails, " ")))
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	b.WriteString("! marks a failure that is not known of the release.\n")
	return b.String()
}
