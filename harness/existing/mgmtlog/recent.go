package mgmtlog

import (
	"strings"

	"github.com/stackproof/stackproof/internal/secrets"
	"github.com/stackproof/stackproof/router/logtext"
)

// What is kept of a log for the reader of a failure, and how much of it a report takes. A debug log of a busy server
// grows by megabytes a minute; what led to a failure is in its last lines.
const (
	mostLines  = 4096
	longestLog = 4096      // bytes of a line
	mostShown  = 64 * 1024 // bytes
)

// Recent keeps the newest lines of a log. The zero value is ready.
type Recent struct {
	lines []string // the newest ones, at most twice mostLines
	seen  int      // lines so far
}

// Add takes a line.
func (r *Recent) Add(line string) {
	if len(line) > longestLog {
		line = line[:longestLog] + " (cut)"
	}
	r.seen++
	if r.lines = append(r.lines, line); len(r.lines) >= 2*mostLines {
		r.lines = append([]string(nil), r.lines[mostLines:]...)
	}
}

// Seen is how many lines there were.
func (r *Recent) Seen() int { return r.seen }

// Since are the newest lines after the first n, as many as a report takes, without secrets.
func (r *Recent) Since(n int) []string {
	from := max(0, len(r.lines)-(r.seen-n))
	size, first := 0, len(r.lines)
	for first > from && size+len(r.lines[first-1]) <= mostShown {
		first--
		size += len(r.lines[first]) + 1
	}
	if first == len(r.lines) {
		return nil
	}
	// A key in PEM form goes over several lines.
	text := secrets.New().Text(logtext.WithoutKeys(strings.Join(r.lines[first:], "\n")))
	return strings.Split(text, "\n")
}
