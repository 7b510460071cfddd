package mgmtlog

import (
	"regexp"
	"slices"
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
	// longestKey is more lines than any private key has. A key whose end never comes hides no more than these.
	longestKey = 512
)

var (
	keyBegins = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)
	keyEnds   = regexp.MustCompile(`-----END [A-Z ]*PRIVATE KEY-----`)
	// unclosedKey is a private key or its password, in a command that was cut before the closing quote.
	unclosedKey = regexp.MustCompile(`("(?:key|password)"\s*:\s*)"(?:[^"\\]|\\.)*\\?$`)
)

// Recent keeps the newest lines of a log, without secrets: what is a secret is not kept in memory either. The zero
// value is ready.
type Recent struct {
	lines    []string // the newest ones, at most twice mostLines
	seen     int      // lines so far
	plain    logtext.Lines
	scrubber secrets.Scrubber
	key      int // how many lines the private key that began, and did not end yet, may still have
}

// Add takes a line. Secrets go before it is cut: what is left of a secret is not known for one.
func (r *Recent) Add(line string) {
	line, whole := r.plain.Plain(line)
	if !whole {
		return
	}
	line, shown := r.afterKey(line)
	if !shown {
		return
	}
	line = r.scrub(line)
	if len(line) > longestLog {
		line = line[:longestLog] + " (cut)"
	}
	r.seen++
	if r.lines = append(r.lines, line); len(r.lines) >= 2*mostLines {
		r.lines = append([]string(nil), r.lines[mostLines:]...)
	}
}

// afterKey is what of a line is not of the private key that began in an earlier one; false for nothing. Lines with a
// date are of something else, and the key may go on after them: several files are read in turn.
func (r *Recent) afterKey(line string) (string, bool) {
	if r.key == 0 || startsLine([]byte(line[:min(len(line), 64)])) || strings.HasPrefix(line, "\tat ") {
		return line, true
	}
	r.key--
	end := keyEnds.FindStringIndex(line)
	if end == nil {
		return "", false
	}
	r.key = 0
	rest := line[end[1]:]
	return strings.Clone(rest), rest != "" // a part of the line would keep all of it in memory
}

// scrub is the line without secrets. A private key that ends in a later line goes from its beginning on.
func (r *Recent) scrub(line string) string {
	if r.scrubber == nil {
		r.scrubber = secrets.New()
	}
	line = logtext.WithoutKeys(line)
	if strings.Contains(line, `"sslCert"`) {
		line = unclosedKey.ReplaceAllString(line, `$1"(left out)`)
	}
	begins := keyBegins.FindAllStringIndex(line, -1)
	if len(begins) > 0 && !keyEnds.MatchString(line[begins[len(begins)-1][1]:]) {
		r.key = longestKey
	}
	return r.scrubber.Text(line)
}

// Seen is how many lines there were. Those of a private key count as one.
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
	return slices.Clone(r.lines[first:])
}
