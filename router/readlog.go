package router

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/stackproof/stackproof/router/logtext"
)

// logReader takes a log line by line, as people have it: in a container engine's json-file form, with escaped quotes,
// and with requests that a terminal or a mail broke over several lines. The zero value is ready.
type logReader struct {
	lines logtext.Lines
	held  []string // of an entry that more lines may belong to
	size  int
	at    int // line at which it began
	line  int // lines so far
}

// mostHeld bounds an entry that is broken over lines, in bytes.
const mostHeld = 16 << 20

// entry begins a log's entry; what stands before the date is a level, or the words of who collected the log.
var entry = regexp.MustCompile(`^.{0,48}?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d{3}`)

// add takes a line and gives the pushes of the entry that ended before it. The error names the line of what is damaged.
func (r *logReader) add(line string) (pushes []Push, err error) {
	r.line++
	line, whole := r.lines.Plain(line)
	if !whole || line == "" {
		return nil, nil
	}
	if r.size+len(line) > mostHeld || entry.MatchString(line) || isRequest(line) {
		pushes, err = r.flush()
	}
	if len(r.held) == 0 {
		r.at = r.line
	}
	r.held, r.size = append(r.held, line), r.size+len(line)
	return pushes, err
}

// flush gives the pushes of the entry that is held.
func (r *logReader) flush() ([]Push, error) {
	text := strings.Join(r.held, "")
	if len(r.held) > 1 && !isRequest(text) {
		// A mail may have put a line's end in the place of a blank.
		if spaced := strings.Join(r.held, " "); isRequest(spaced) {
			text = spaced
		}
	}
	r.held, r.size = nil, 0
	pushes, err := parseLine(text)
	if err != nil {
		return nil, fmt.Errorf("log line %d: %w", r.at, err)
	}
	for i := range pushes {
		pushes[i].Log.Line = r.at
	}
	return pushes, nil
}

// end gives the pushes of the last entry.
func (r *logReader) end() ([]Push, error) {
	if rest := r.lines.Rest(); rest != "" {
		r.held = append(r.held, rest)
	}
	return r.flush()
}

// isRequest says whether a text names a request with the push's command, and all of its content.
func isRequest(text string) bool {
	if !strings.Contains(text, shortName) {
		return false
	}
	flags := logFlags.FindStringIndex(text)
	if _, _, ok := requestOf(text); !ok || flags == nil {
		return false
	}
	var array json.RawMessage
	return json.NewDecoder(strings.NewReader(text[flags[1]:])).Decode(&array) == nil
}

// ReadPushes reads a whole log and gives its pushes in order, lines of other kinds being skipped. A direct agent logs
// the same request twice, once as sending and once as executing: it is given once. What is damaged, such as a last line
// that was cut, is left out and told by the warnings; where nothing is whole that is the error. Packed logs are the
// caller's work (logtext.Unpack).
func ReadPushes(from io.Reader) (all []Push, warnings []string, err error) {
	type request struct{ mgmt, agent, seq string }
	seen := map[request]bool{}
	var damage error
	take := func(pushes []Push, err error) {
		if err != nil {
			damage = errors.Join(damage, err)
			warnings = append(warnings, strings.Split(err.Error(), "\n")...)
		}
		if len(pushes) == 0 {
			return
		}
		at := pushes[0].Log
		key := request{at.MgmtID, at.Agent, at.Seq}
		if !seen[key] {
			all = append(all, pushes...)
		}
		seen[key] = true
	}
	var log logReader
	in := bufio.NewReaderSize(from, 1<<16)
	for {
		line, readErr := in.ReadString('\n')
		if readErr != nil && readErr != io.EOF {
			return all, warnings, fmt.Errorf("reading log line %d: %w", log.line+1, readErr)
		}
		if line != "" {
			take(log.add(line))
		}
		if readErr == io.EOF {
			break
		}
	}
	take(log.end())
	if len(all) == 0 && damage != nil {
		return nil, nil, damage
	}
	for i := range warnings {
		warnings[i] += ": left out"
	}
	return all, warnings, nil
}
