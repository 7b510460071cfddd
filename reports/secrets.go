package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// secretWords are what names of fields and parameters that hold a secret end with, in lower case and without blanks.
func secretWords() []string {
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

const redacted = "redacted"

// scrubber takes secrets out of text.
type scrubber []*regexp.Regexp

// newScrubber knows the forms in which a secret stands in what is collected: API calls, pushes, haproxy.cfg, PEM files,
// addresses.
// The first group of each expression stays.
func newScrubber() scrubber {
	words := strings.Join(secretWords(), "|")
	return scrubber{
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

func (s scrubber) text(text string) string {
	for _, form := range s {
		text = form.ReplaceAllString(text, "${1}"+redacted)
	}
	return text
}

// value takes secrets out of anything that JSON can hold.
func (s scrubber) value(v any) any {
	switch v := v.(type) {
	case string:
		return s.text(v)
	case []any:
		for i := range v {
			v[i] = s.value(v[i])
		}
	case map[string]any:
		for key, inner := range v {
			if text, is := inner.(string); is && text != "" && isSecret(key) {
				v[key] = redacted
				continue
			}
			v[key] = s.value(inner)
		}
	}
	return v
}

func isSecret(field string) bool {
	field = strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(field))
	return slices.ContainsFunc(secretWords(), func(word string) bool { return strings.HasSuffix(field, word) })
}

// withoutSecrets is the run for others to read.
func withoutSecrets(run result.Run) (result.Run, error) {
	data, err := JSON(run)
	if err != nil {
		return run, err
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	var all any
	if err := in.Decode(&all); err != nil {
		return run, fmt.Errorf("take secrets out of a result: %w", err)
	}
	if data, err = json.Marshal(newScrubber().value(all)); err != nil {
		return run, fmt.Errorf("take secrets out of a result: %w", err)
	}
	return result.Decode(bytes.NewReader(data))
}
