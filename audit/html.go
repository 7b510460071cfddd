package audit

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

//go:embed page.html
var page string // the template of the HTML page

// htmlFindings is how many findings the page shows; all of them are in the JSON and the CSV.
const htmlFindings = 2000

// HTML is the audit as one page that needs nothing else, neither scripts nor files.
func (r *Result) HTML() ([]byte, error) {
	t, err := template.New("audit").
		Funcs(template.FuncMap{"stamp": stamp, "dated": dated,
			"hours": func(h float64) string { return fmt.Sprintf("%.2f", h) }, "words": words}).
		Parse(page)
	if err != nil {
		return nil, fmt.Errorf("HTML page: %w", err)
	}
	shown := r.Findings[:min(len(r.Findings), htmlFindings)]
	var refused, warnings []Poison
	for _, p := range r.Poison {
		if p.Warning {
			warnings = append(warnings, p)
		} else {
			refused = append(refused, p)
		}
	}
	var b bytes.Buffer
	err = t.Execute(
		&b,
		map[string]any{
			"R":        r,
			"Shown":    shown,
			"Hidden":   len(r.Findings) - len(shown),
			"Refused":  refused,
			"Warnings": warnings,
			"Next":     r.Next(),
		},
	)
	if err != nil {
		return nil, fmt.Errorf("HTML page: %w", err)
	}
	return b.Bytes(), nil
}
