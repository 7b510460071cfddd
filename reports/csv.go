package reports

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// CSV is the run as a table of comma-separated values (RFC 4180), a line for each scenario, for a spreadsheet. A cell
// that a spreadsheet would take for a formula begins with an apostrophe.
func CSV(run result.Run, _ bool) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{
		{
			"scenario",
			"verdict",
			"known",
			"seconds",
			"repeats",
			"failures",
			"inconclusives",
			"classes",
			"guards",
			"title",
			"reason",
		},
	}
	for _, c := range run.Results {
		var classes []string
		for _, f := range c.Findings {
			if f.Class != "" {
				classes = append(classes, string(f.Class))
			}
		}
		rows = append(
			rows,
			[]string{
				cellText(c.ID),
				cellText(verdict(c)),
				strconv.FormatBool(c.Known),
				strconv.FormatFloat(c.Seconds, 'f', 3, 64),
				strconv.Itoa(c.Repeats),
				strconv.Itoa(
					c.Failures,
				),
				strconv.Itoa(c.Inconclusives),
				cellText(strings.Join(classes, " ")),
				cellText(strings.Join(c.Guards, " ")),
				cellText(c.Title),
				cellText(headline(c)),
			},
		)
	}
	for _, id := range run.Missing() {
		rows = append(
			rows,
			[]string{
				cellText(id),
				"not run",
				"false",
				"0.000",
				"0",
				"0",
				"0",
				"",
				"",
				"",
				"planned, and has no result",
			},
		)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write CSV report: %w", err)
	}
	return b.Bytes(), nil
}

// cellMost is how many runes a cell may have: spreadsheets take 32,767.
const cellMost = 32000

func cellText(s string) string {
	s = shorten(line(s), cellMost)
	if strings.HasPrefix(s, "'") || strings.ContainsAny(s[:min(1, len(s))], "=+-@") {
		return "'" + s
	}
	return s
}
