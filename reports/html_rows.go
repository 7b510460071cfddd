package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// rowsTable shows the usage rows of a failure before and after, as a table that nothing hides behind a scroll bar.
type rowsTable struct {
	Title   string
	Day     string // of all times, which are without it then
	Head    []string
	Rows    []rowsRow
	Numeric []bool
}

type rowsRow struct {
	Cells []rowsCell
	Class string // of the finding about the row
}

type rowsCell struct {
	Text, Dim string
	Number    bool
	Changed   bool
}

// Columns of a table of usage rows (harness/story/internal/watch).
const (
	closedBefore = "closed before"
	closedAfter  = "closed after"
	helperColumn = "helper id"
	noRow        = "(no row)"
)

// beforeAfter picks the evidence that shows the usage rows of a failure before and after: the first in which a row
// changed, else the first. The index is that in the case's evidence.
func beforeAfter(c result.Case) (rowsTable, int) {
	best, at := rowsTable{}, -1
	if c.Verdict != result.Fail {
		return best, at
	}
	for i, e := range c.Evidence {
		t, ok := rowsTableOf(e, c.Lives)
		if !ok {
			continue
		}
		changed := slices.ContainsFunc(t.Rows, func(r rowsRow) bool {
			return slices.ContainsFunc(r.Cells, func(cell rowsCell) bool { return cell.Changed })
		})
		if at < 0 || changed {
			best, at = t, i
		}
		if changed {
			break
		}
	}
	return best, at
}

func rowsTableOf(e result.Evidence, lives []result.Life) (rowsTable, bool) {
	head, rows := columnsOf(e.Text)
	before, after := slices.Index(head, closedBefore), slices.Index(head, closedAfter)
	helper := slices.IndexFunc(head, func(h string) bool { return strings.Contains(h, helperColumn) })
	if e.Kind != result.KindRows || before < 0 || after < 0 || helper < 0 {
		return rowsTable{}, false
	}
	t := rowsTable{Title: upperFirst(line(e.Title)), Head: head, Day: sameDay(rows)}
	for i := range head {
		t.Numeric = append(t.Numeric, allNumbers(rows, i))
	}
	for _, row := range rows {
		var r rowsRow
		for i, text := range row {
			cell := rowsCell{Number: t.Numeric[i], Changed: i == after && text != row[before] && row[before] != noRow}
			cell.Text, cell.Dim = withoutUUID(text)
			if t.Day != "" {
				cell.Text = strings.TrimPrefix(cell.Text, t.Day+" ")
			}
			r.Cells = append(r.Cells, cell)
		}
		for _, l := range lives {
			if fmt.Sprint(l.HelperID) == row[helper] && strings.Contains(t.Title, "kind "+line(l.Kind)+",") {
				r.Class = line(l.Class)
				if name := slices.Index(head, "name"); name >= 0 {
					r.Cells[name].Text = called(l)
				}
			}
		}
		t.Rows = append(t.Rows, r)
	}
	return t, true
}

var dayText = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}) \d{2}:\d{2}:\d{2}$`)

// sameDay is the day of all times of a table; "" where they are of several.
func sameDay(rows [][]string) string {
	day := ""
	for _, row := range rows {
		for _, cell := range row {
			m := dayText.FindStringSubmatch(cell)
			if m != nil && day != "" && m[1] != day {
				return ""
			}
			if m != nil {
				day = m[1]
			}
		}
	}
	return day
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

var uuidText = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// withoutUUID takes the uuid out of a text: it is needed seldom, and it is long.
func withoutUUID(text string) (rest, uuid string) {
	uuid = uuidText.FindString(text)
	if uuid == "" || uuid == text {
		return text, ""
	}
	return line(strings.Replace(text, uuid, "", 1)), uuid
}

func allNumbers(rows [][]string, column int) bool {
	some := false
	for _, row := range rows {
		if strings.Trim(row[column], "0123456789.") != "" {
			return false
		}
		some = some || row[column] != ""
	}
	return some
}

// columnsOf takes a table of aligned columns apart by where its head's words begin. What is no such table has no head.
func columnsOf(text string) (head []string, rows [][]string) {
	lines := strings.Split(strings.TrimRight(clean(text), "\n"), "\n")
	first := []rune(lines[0])
	var at []int
	for i := range first {
		if first[i] != ' ' && (i == 0 || i > 1 && first[i-1] == ' ' && first[i-2] == ' ') {
			at = append(at, i)
		}
	}
	if len(at) < 2 || at[0] != 0 {
		return nil, nil
	}
	for n, l := range lines {
		row, runes := make([]string, len(at)), []rune(l)
		for i, from := range at {
			to := len(runes)
			if i+1 < len(at) {
				to = min(to, at[i+1])
			}
			if from >= to {
				continue
			}
			if from > 0 && runes[from-1] != ' ' {
				return nil, nil // something is wider than its column
			}
			row[i] = strings.TrimSpace(string(runes[from:to]))
		}
		if n == 0 {
			head = row
		} else {
			rows = append(rows, row)
		}
	}
	return head, rows
}
