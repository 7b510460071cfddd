// Package secrets takes secrets out of what is collected: API calls, pushes, haproxy.cfg, PEM files, logs, addresses.
package secrets

import (
	"regexp"
	"slices"
	"strings"
)

// words are what names of fields and parameters that hold a secret end with, in lower case and without blanks.
func words() []string {
	return []string{
		"password",
		"passwd",
		"secret",
		"secretkey",
		"apikey",
		"sessionkey",
		"signature",
		"privatekey",
		"token",
		"statsauth",
	}
}

// Redacted stands in the place of a secret.
const Redacted = "redacted"

// Scrubber takes secrets out of text.
type Scrubber []form

// form is one in which a secret stands in text. A text that holds none of the hints, in lower case, is not of it: to
// look for them takes a small part of the time of the expression.
type form struct {
	hints []string
	is    *regexp.Regexp // its first group stays
	after bool           // it is of what follows a hint, and begins with \A
}

// New knows the forms in which a secret stands in what is collected. A secret that is cut before its end goes too.
func New() Scrubber {
	var quoted, escaped, given []string
	for _, word := range words() {
		quoted, escaped, given = append(quoted, word+`"`), append(escaped, word+`\"`), append(given, word+"=")
	}
	return Scrubber{
		{hints: []string{"private key-----"}, is: regexp.MustCompile(
			`(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)},
		{hints: quoted, is: regexp.MustCompile(`\A(\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\\?$)`), after: true},
		{hints: escaped, is: regexp.MustCompile(`(?m)\A(\s*:\s*)\\".*?(?:\\"|$)`), after: true},
		{hints: given, is: regexp.MustCompile(`\A()[^\s&"'<>]+`), after: true},
		{hints: []string{"stats auth "}, is: regexp.MustCompile(`(?i)(\bstats auth )\S+`)},
		{hints: []string{"authorization:"}, is: regexp.MustCompile(`(?i)(\bauthorization:\s*)[^\r\n"]+`)},
		{hints: []string{"://"}, is: regexp.MustCompile(`(\b[a-z][a-z0-9+.-]*://)[^\s/@"']+:[^\s/@"']+@`)},
		// A database's address, in Go's form.
		{hints: []string{"@tcp(", "@unix("}, is: regexp.MustCompile(`()[^\s:"']+:[^\s"']+(?:@(?:tcp|unix)\()`)},
	}
}

// Text is the text without secrets.
func (s Scrubber) Text(text string) string {
	lower := lowerCase(text)
	for _, f := range s {
		for _, hint := range f.hints {
			if !strings.Contains(lower, hint) {
				continue
			}
			if f.after {
				text = f.textAfter(hint, text, lower)
			} else {
				text = f.is.ReplaceAllString(text, "${1}"+Redacted)
			}
			lower = lowerCase(text)
		}
	}
	return text
}

// textAfter is the text without the secrets that follow a hint.
func (f form) textAfter(hint, text, lower string) string {
	var out strings.Builder
	for {
		at := strings.Index(lower, hint)
		if at < 0 {
			out.WriteString(text)
			return out.String()
		}
		at += len(hint)
		out.WriteString(text[:at])
		text, lower = text[at:], lower[at:]
		if found := f.is.FindStringSubmatchIndex(text); found != nil {
			out.WriteString(text[found[2]:found[3]] + Redacted)
			text, lower = text[found[1]:], lower[found[1]:]
		}
	}
}

// lowerCase is the text with its ASCII letters in lower case. Each byte stays in its place.
func lowerCase(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// Named says whether a field of this name holds a secret.
func Named(field string) bool {
	field = strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(field))
	return slices.ContainsFunc(words(), func(word string) bool { return strings.HasSuffix(field, word) })
}
