package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// SchemaVersion is the value of Run.Schema that this package writes and the newest that it reads. It is raised when an
// older reader would misunderstand a file, not when something is added.
//
//	1  the first one
//	2  a failure's facts are findings, and its reason is the first one's sentence
const SchemaVersion = 2

// Kinds of evidence. A report renders an unknown kind as text.
const (
	KindRows     = "rows"      // database rows, before and after
	KindPush     = "push"      // a LoadBalancerConfigCommand
	KindFileDiff = "file-diff" // rendered against live haproxy.cfg
	KindTrace    = "trace"     // which backend answered each request of a client
	KindTable    = "table"     // anything else with columns
	KindNote     = "note"      // a sentence
)

// TitleKnownDefect is the title of notes on defects that a scenario met beside what it is about.
const TitleKnownDefect = "known defect"

// Groups of scenarios; a report's class name and section.
const (
	GroupUsage     = "usage"
	GroupLB        = "lb"
	GroupAutoscale = "autoscale"
)

// Evidence is one thing that was seen. Text is complete for a reader; Data, where given, is the same for a program.
type Evidence struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Text  string `json:"text"`
	Data  any    `json:"data,omitempty"`
	// Step is the number of the step, from 1, in which it was seen; 0 where that is not told.
	Step int `json:"step,omitempty"`
}

// Step is one verb of a scenario, as it was shown while running.
type Step struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	State   string  `json:"state"`
	// At is when it began, in the target's time; zero where that is not known.
	At time.Time `json:"at,omitzero"`
}

// Case is the result of one scenario with all its repeats folded in. Its verdict is the worst of its repeats.
type Case struct {
	ID            string     `json:"id"`
	Title         string     `json:"title"`
	Verdict       Verdict    `json:"verdict"`
	Known         bool       `json:"known"`               // expected to fail on this release
	KnownWhy      string     `json:"known_why,omitempty"` // the defect, e.g. "#10789, fixed in 4.19.3.0"
	Reason        string     `json:"reason"`              // one line; never empty unless the verdict is pass
	Seconds       float64    `json:"seconds"`
	Repeats       int        `json:"repeats"` // how often it ran, whatever the outcome
	Failures      int        `json:"failures"`
	Inconclusives int        `json:"inconclusives"`
	Guards        []string   `json:"guards,omitempty"` // upstream issues
	Group         string     `json:"group,omitempty"`
	Steps         []Step     `json:"steps,omitempty"`
	Findings      []Finding  `json:"findings,omitempty"` // what a failure rests on; the first one says Reason
	Evidence      []Evidence `json:"evidence"`
	ByDesign      bool       `json:"by_design,omitempty"` // inconclusive by design: left out of the exit status
	Claim         string     `json:"claim,omitempty"`     // what the repeats allow one to say
	Calls         []Call     `json:"calls,omitempty"`     // the newest API calls of a failure that changed something
	// Log is what the management server logged from the story's beginning to its first failure, the newest lines.
	Log []string `json:"log,omitempty"`
	Views
}

// UnexpectedPass says that a known failure passed: either the defect was fixed here or the scenario is blind to it.
func (c Case) UnexpectedPass() bool { return c.Known && c.Verdict == Pass }

// Run is everything that one invocation found.
type Run struct {
	Schema  int       `json:"schema"`
	Target  string    `json:"target"`
	Release string    `json:"release"`
	Seed    int64     `json:"seed"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Planned []string  `json:"planned,omitempty"` // ids that should have a result
	Results []Case    `json:"results"`
	Router  string    `json:"router,omitempty"` // whose rules applied the pushes, e.g. "model, rules of 4.19.1.0"
	Notes   []string  `json:"notes,omitempty"`
	Shard   *Shard    `json:"shard,omitempty"` // the part of a larger run that this is; nil for a whole run
}

// Missing returns the planned ids that have no result, in planned order.
func (r Run) Missing() []string {
	have := make(map[string]bool, len(r.Results))
	for _, c := range r.Results {
		have[c.ID] = true
	}
	var missing []string
	for _, id := range r.Planned {
		if !have[id] {
			missing = append(missing, id)
		}
	}
	return missing
}

// Encode writes the run as indented JSON with a closing newline. The schema is always SchemaVersion, lists that a
// reader may index are never null, and a verdict that is none of the four is written as what it counts as:
// inconclusive.
func (r Run) Encode(w io.Writer) error {
	r.Schema = SchemaVersion
	results := make([]Case, len(r.Results))
	copy(results, r.Results)
	for i := range results {
		if results[i].Evidence == nil {
			results[i].Evidence = []Evidence{}
		}
		if v := results[i].Verdict; !v.Valid() {
			results[i].Verdict = Inconclusive
			results[i].Reason = strings.TrimSpace(
				fmt.Sprintf("no verdict was set (%q) %s", string(v), results[i].Reason),
			)
		}
	}
	r.Results = results
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("encode run result: %w", err)
	}
	return nil
}

// Decode reads what Encode wrote, now or in an older version. Unknown fields are ignored, so that an older reader takes
// what was added; a newer schema, none at all, and a verdict outside the four, are errors.
func Decode(rd io.Reader) (Run, error) {
	var read struct {
		Run
		// Document is what stackproof's other results say of themselves; a run's has none.
		Document string `json:"document"`
	}
	if err := json.NewDecoder(rd).Decode(&read); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return Run{}, errors.New(
				"decode run result: it ends in the middle: the run that wrote it, or the copy, was cut off",
			)
		}
		return Run{}, fmt.Errorf("decode run result: %w", err)
	}
	r := read.Run
	switch {
	case read.Document != "":
		return Run{}, fmt.Errorf("decode run result: it is no result of stackproof run but a %q", read.Document)
	case r.Schema > SchemaVersion:
		return Run{}, fmt.Errorf(
			"decode run result: it was written by a newer stackproof: its schema is %d, this program reads up to %d",
			r.Schema,
			SchemaVersion,
		)
	case r.Schema < 1:
		return Run{}, errors.New(`decode run result: it has no "schema": it is not a result of stackproof run`)
	}
	for i, c := range r.Results {
		if !c.Verdict.Valid() {
			return Run{}, fmt.Errorf(
				"decode run result: results[%d] (%s): verdict %q is none of pass, fail, inconclusive, unsupported",
				i,
				c.ID,
				c.Verdict,
			)
		}
	}
	return r, nil
}
