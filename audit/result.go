package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// SchemaVersion is the version of the audit's JSON. It grows when a reader of the last one would misread the next.
const SchemaVersion = 1

// documentKind tells an audit's JSON from a run's.
const documentKind = "stackproof audit"

// Outcome is what a check says.
type Outcome string

// The outcomes of a check.
const (
	Clean       Outcome = "clean"
	Found       Outcome = "found"
	Undecidable Outcome = "inconclusive" // it could not be decided; the reason says why
	NotLooked   Outcome = "unsupported"  // a database alone does not show it, or the schema does not have it
)

// Result is everything that an audit found.
type Result struct {
	Document string    `json:"document"`
	Schema   int       `json:"schema"`
	Site     Site      `json:"site"`
	Started  time.Time `json:"started"` // by our own clock
	Seconds  float64   `json:"seconds"`
	// Judged counts rows and lives without a row, by kind and verdict.
	Judged   map[usageprobe.Kind]map[usageprobe.AuditVerdict]int `json:"judged"`
	Checks   []Check                                             `json:"checks"`
	Findings []Finding                                           `json:"findings"`
	Money    []Money                                             `json:"money"`
	Stall    *Stall                                              `json:"stall,omitempty"`
	Jobs     Jobs                                                `json:"jobs"`
	Poison   []Poison                                            `json:"poison"`
	// KeysInTheWay are rows on which the schema step of a later upgrade fails, a sentence each. They are part of U11.
	KeysInTheWay []string `json:"keys_in_the_way,omitempty"`
	// Traffic is what was seen of the rules in routers and from here, as a baseline.
	Traffic []Traffic `json:"traffic,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
}

// Site says what was looked at.
type Site struct {
	// Fingerprint names the site: it stays the same when the site is upgraded or its database is moved.
	Fingerprint string `json:"fingerprint"`
	// Version is the newest entry of cloud.version, for the reader. No verdict depends on it.
	Version  string `json:"version,omitempty"`
	Database string `json:"database"`
	// Taken is the database's time of the snapshot; UsageTaken that of the second server, where there are two.
	Taken      time.Time  `json:"taken"`
	UsageTaken *time.Time `json:"usage_taken,omitempty"`
	// Covered is the end of the newest successful usage job: nothing is expected of what happened later.
	Covered *time.Time `json:"covered"`
	Rows    int        `json:"rows"`
	Events  int64      `json:"events"`
	Records int64      `json:"records"`
}

// Check is one of U1 to U13 and L1 to L7.
type Check struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Outcome Outcome `json:"outcome"`
	Count   int     `json:"count"`
	Text    string  `json:"text"` // one line
	// Evidence are the first lines of what was found, for a report that shows nothing else.
	Evidence []string `json:"evidence,omitempty"`
}

// Finding is one row, or one life without a row, that is not as it should be.
type Finding struct {
	usageprobe.AuditRow
	Class   string   `json:"class"` // the verdict, or DUPLICATE_OPEN for a second open row
	Checks  []string `json:"checks"`
	Table   string   `json:"table"` // with its schema
	Account string   `json:"account"`
	Events  []int64  `json:"events"` // ids in usage_event that are the evidence
	// SurplusHours were billed though the resource was dead, DeficitHours were not billed though it lived.
	SurplusHours float64 `json:"surplus_hours"`
	DeficitHours float64 `json:"deficit_hours"`
	Text         string  `json:"text"`
	// Rows is how many helper rows the resource has.
	Rows int `json:"rows"`

	money *ledgerLine
}

// Money is what an account was billed too much and too little in a month (GMT).
type Money struct {
	AccountID    int64   `json:"account_id"`
	Account      string  `json:"account"`
	Month        string  `json:"month"` // 2026-03
	UsageType    int64   `json:"usage_type"`
	SurplusHours float64 `json:"surplus_hours"`
	DeficitHours float64 `json:"deficit_hours"`
	// RepeatedHours are hours of records that are there more than once; they are not part of SurplusHours.
	RepeatedHours float64 `json:"repeated_hours"`
}

// Stall is a usage server that processes the same events again and again and bills the same time each time (#13399).
type Stall struct {
	// Blocking is the event that cannot be processed.
	BlockingEvent int64     `json:"blocking_event"`
	BlockingType  string    `json:"blocking_type"`
	BlockedSince  time.Time `json:"blocked_since"`
	Events        int       `json:"events"` // never processed, though older than the newest job
	ByType        []Counted `json:"by_type"`
	// Jobs that began at the same second as the one before.
	RepeatedJobs    int     `json:"repeated_jobs"`
	RepeatedRecords int64   `json:"repeated_records"`
	RepeatedHours   float64 `json:"repeated_hours"`
	Unmetered       int     `json:"unmetered"` // resources without a row because of it
}

// Counted is a name with how often it occurred.
type Counted struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Jobs is what usage_job tells.
type Jobs struct {
	Successful int        `json:"successful"`
	Failed     int        `json:"failed"`
	LastEnd    *time.Time `json:"last_end"`
	// AgeSeconds is the database's time minus LastEnd; -1 when no job ever succeeded.
	AgeSeconds   int64 `json:"age_seconds"`
	RangeMinutes int64 `json:"range_minutes"`
	Open         int   `json:"open"`
	// OpenHeartbeatSeconds is the age of the youngest heartbeat of an open job; -1 for none.
	OpenHeartbeatSeconds int64 `json:"open_heartbeat_seconds"`
}

// Damaged says whether any check found something.
func (r *Result) Damaged() bool {
	for _, c := range r.Checks {
		if c.Outcome == Found {
			return true
		}
	}
	return false
}

// Inconclusive says whether a check could not decide.
func (r *Result) Inconclusive() bool {
	for _, c := range r.Checks {
		if c.Outcome == Undecidable {
			return true
		}
	}
	return false
}

// Check is the check with this id; a zero one when there is none.
func (r *Result) Check(id string) Check {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return Check{ID: id}
}

// Classes counts the findings by class.
func (r *Result) Classes() map[string]int {
	n := map[string]int{}
	for _, f := range r.Findings {
		n[f.Class]++
	}
	return n
}

// Encode writes the result as indented JSON with a closing newline. Lists are never null.
func (r *Result) Encode(w io.Writer) error {
	r.Document, r.Schema = documentKind, SchemaVersion
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	if r.Money == nil {
		r.Money = []Money{}
	}
	if r.Poison == nil {
		r.Poison = []Poison{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("encode audit: %w", err)
	}
	return nil
}

// Decode reads what Encode wrote.
func Decode(in io.Reader) (*Result, error) {
	var r Result
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return nil, badInput(fmt.Errorf("decode audit: %w", err))
	}
	if r.Document != documentKind {
		return nil, badInput(fmt.Errorf("decode audit: this is not the JSON of an audit (document is %q)", r.Document))
	}
	if r.Schema != SchemaVersion {
		return nil, badInput(fmt.Errorf("decode audit: schema is %d, this program reads %d", r.Schema, SchemaVersion))
	}
	return &r, nil
}

// onlyLater says that a check has found nothing but what hurts a later upgrade.
func (r *Result) onlyLater(c Check) bool {
	return c.ID == "U11" && c.Outcome == Found && c.Count == len(r.KeysInTheWay)
}
