package reports

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// ctrf is the Common Test Report Format (https://ctrf.io, ctrf-io/ctrf schema 0.0.0), as far as there is something to
// say.
type ctrf struct {
	ReportFormat string      `json:"reportFormat"`
	SpecVersion  string      `json:"specVersion"`
	GeneratedBy  string      `json:"generatedBy"`
	Results      ctrfResults `json:"results"`
}

type ctrfResults struct {
	Tool        ctrfTool       `json:"tool"`
	Summary     ctrfSummary    `json:"summary"`
	Tests       []ctrfTest     `json:"tests"`
	Environment map[string]any `json:"environment,omitempty"`
}

type ctrfTool struct {
	Name string `json:"name"`
}

// ctrfSummary has times in milliseconds since 1970.
type ctrfSummary struct {
	Tests   int   `json:"tests"`
	Passed  int   `json:"passed"`
	Failed  int   `json:"failed"`
	Pending int   `json:"pending"`
	Skipped int   `json:"skipped"`
	Other   int   `json:"other"`
	Start   int64 `json:"start"`
	Stop    int64 `json:"stop"`
}

// ctrfTest has its duration in milliseconds.
type ctrfTest struct {
	Name     string         `json:"name"`
	Status   string         `json:"status"` // passed, failed, skipped, other
	Duration int64          `json:"duration"`
	Suite    []string       `json:"suite,omitempty"`
	Message  string         `json:"message,omitempty"`
	Trace    string         `json:"trace,omitempty"`
	Raw      string         `json:"rawStatus"`
	Tags     []string       `json:"tags,omitempty"`
	Steps    []ctrfStep     `json:"steps,omitempty"`
	Extra    map[string]any `json:"extra,omitempty"`
}

type ctrfStep struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

// CTRF is the run as CTRF JSON. Like JUnit it is red exactly when the exit status is not 0: failed is what gates as a
// failure, other what gates as inconclusive; what is known, undecided by design or unsupported is skipped.
func CTRF(run result.Run, strict bool) ([]byte, error) {
	release := line(run.Release)
	r := ctrfResults{Tool: ctrfTool{"stackproof"}, Tests: []ctrfTest{}, Environment: map[string]any{
		"appName": "Apache CloudStack", "appVersion": release, "testEnvironment": line(run.Target),
		"extra": map[string]any{
			"router":     line(run.Router),
			"seed":       run.Seed,
			"strict":     strict,
			"exitStatus": run.ExitCode(strict),
		}}}
	if !run.Started.IsZero() {
		r.Summary.Start = run.Started.UnixMilli()
		r.Summary.Stop = run.Started.Add(time.Duration(run.Seconds * float64(time.Second))).UnixMilli()
	}
	for _, c := range run.Results {
		r.Tests = append(r.Tests, ctrfOf(c, release, strict))
	}
	for _, id := range run.Missing() {
		r.Tests = append(
			r.Tests,
			ctrfTest{
				Name:    name(id),
				Status:  "failed",
				Raw:     "missing",
				Message: "planned, and has no result: it did not finish",
			},
		)
	}
	if len(r.Tests) == 0 {
		r.Tests = append(
			r.Tests,
			ctrfTest{Name: "run", Status: "failed", Raw: "missing", Message: "nothing ran: the run has no result"},
		)
	}
	if run.NothingShown() {
		r.Tests = append(
			r.Tests,
			ctrfTest{
				Name:    "anything",
				Status:  "other",
				Raw:     "inconclusive",
				Message: "the target could show nothing of what was asked",
			},
		)
	}
	r.count()
	data, err := json.MarshalIndent(ctrf{"CTRF", "0.0.0", "stackproof", r}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write CTRF report: %w", err)
	}
	return append(data, '\n'), nil
}

func (r *ctrfResults) count() {
	r.Summary.Tests = len(r.Tests)
	for _, t := range r.Tests {
		switch t.Status {
		case "passed":
			r.Summary.Passed++
		case "failed":
			r.Summary.Failed++
		case "skipped":
			r.Summary.Skipped++
		default:
			r.Summary.Other++
		}
	}
}

func ctrfOf(c result.Case, release string, strict bool) ctrfTest {
	t := ctrfTest{
		Name:     strings.TrimSpace(name(c.ID) + " " + shorten(line(c.Title), longest)),
		Duration: int64(c.Seconds * 1000),
		Raw:      verdict(c),
		Message:  message(c, release),
		Extra:    map[string]any{"repeats": c.Repeats, "failures": c.Failures, "inconclusives": c.Inconclusives},
	}
	if group := name(c.Group); group != "" {
		t.Suite = []string{group}
	}
	switch gates := c.Gates(strict); {
	case gates == result.ExitFailed:
		t.Status = "failed"
	case gates == result.ExitInconclusive:
		t.Status = "other"
	case c.Verdict == result.Pass:
		t.Status = "passed"
	default:
		t.Status = "skipped"
	}
	for _, g := range c.Guards {
		t.Tags = append(t.Tags, line(g))
	}
	if c.Verdict != result.Pass {
		t.Trace = strings.Join(factLines(c), "\n")
	}
	for _, s := range c.Steps {
		status := "passed"
		if s.State != "" && s.State != "done" {
			status = "failed"
		}
		t.Steps = append(t.Steps, ctrfStep{line(s.Name), status})
	}
	return t
}
