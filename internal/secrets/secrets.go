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
type Scrubber []*regexp.Regexp

// New knows the forms in which a secret stands in what is collected. The first group of each expression stays.
func New() Scrubber {
	words := strings.Join(words(), "|")
	return Scrubber{
		regexp.MustCompile(`(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`),
		regexp.MustCompile(`(?i)((?:` + words + `)"\s*:\s*)"(?:[^"\\]|\\.)*"`),
		regexp.MustCompile(`(?i)((?:` + words + `)\\"\s*:\s*)\\".*?\\"`),
		regexp.MustCompile(`(?i)((?:` + words + `)=)[^\s&"'<>]+`),
		regexp.MustCompile(`(?i)(\bstats auth )\S+`),
		regexp.MustCompile(`(?i)(\bauthorization:\s*)[^\r\n"]+`),
		regexp.MustCompile(`(\b[a-z][a-z0-9+.-]*://)[^\s/@"']+:[^\s/@"']+@`),
		regexp.MustCompile(`()[^\s:"']+:[^\s"']+(?:@(?:tcp|unix)\()`), // a database's address, in Go's form
	}
}

// Text is the text without secrets.
func (s Scrubber) Text(text string) string {
	for _, form := range s {
		text = form.ReplaceAllString(text, "${1}"+Redacted)
	}
	return text
}

// Named says whether a field of this name holds a secret.
func Named(field string) bool {
	field = strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(field))
	return slices.ContainsFunc(words(), func(word string) bool { return strings.HasSuffix(field, word) })
}
