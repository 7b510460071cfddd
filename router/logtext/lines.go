package logtext

import (
	"bytes"
	"encoding/json"
	"html"
	"regexp"
	"strings"
)

// Lines takes log lines apart from what was wrapped around them. The zero value is ready.
type Lines struct {
	part strings.Builder // of a line that a container's log holds in several entries
}

// wrapped is a line of a container engine's json-file log.
type wrapped struct {
	Log    *string `json:"log"`
	Stream string  `json:"stream"`
}

// Plain is the log line that a line holds. It is false for the beginning of a line whose end comes in later ones: a
// container engine cuts at 16 KiB.
func (l *Lines) Plain(line string) (string, bool) {
	line = strings.TrimRight(line, "\r\n")
	if one, ok := unwrap(line); ok {
		l.part.WriteString(*one.Log)
		if !strings.HasSuffix(*one.Log, "\n") {
			return "", false
		}
		line = strings.TrimRight(l.part.String(), "\r\n")
		l.part.Reset()
	}
	return Unescape(line), true
}

// Rest is what began and never ended; empty for nothing.
func (l *Lines) Rest() string {
	rest := l.part.String()
	l.part.Reset()
	return Unescape(rest)
}

func unwrap(line string) (one wrapped, ok bool) {
	if !strings.HasPrefix(line, `{"log":`) {
		return one, false
	}
	err := json.Unmarshal([]byte(line), &one)
	return one, err == nil && one.Log != nil
}

// IsWrapped says whether a text is of a container engine's json-file log.
func IsWrapped(text []byte) bool {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	_, ok := unwrap(string(first))
	return ok
}

var escaped = regexp.MustCompile(`&(quot|#34|#x22);`)

// Unescape takes back what a web page did to a text, where its quotes are seen to be escaped, all of them.
func Unescape(text string) string {
	if !strings.Contains(text, "&") || !escaped.MatchString(text) || strings.Contains(text, `"`) {
		return text
	}
	return html.UnescapeString(text)
}
