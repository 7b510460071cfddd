package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Plan is a list of changes of helper rows, as a file: a line about the plan, then one line a row.
type Plan struct {
	Head PlanHead
	Rows []PlanRow
}

// The documents that a plan's file may be.
const (
	documentPlan = "stackproof repair plan"
	documentUndo = "stackproof repair undo"
)

// PlanHead is the first line of a plan's file.
type PlanHead struct {
	Document string `json:"document"`
	Schema   int    `json:"schema"`
	// Site is the fingerprint of the site that was audited: no other one takes the plan.
	Site     string    `json:"site"`
	Database string    `json:"database"`
	Version  string    `json:"version,omitempty"`
	Made     time.Time `json:"made"`
	Rows     int       `json:"rows"`
	// Digest is that of all following lines.
	Digest string `json:"digest"`
}

// PlanRow is the change of one helper row's close date.
type PlanRow struct {
	Table    string `json:"table"` // in cloud_usage
	HelperID int64  `json:"helper_id"`
	// IDColumn and ResourceID name what is metered, Column is that of the close date. "" is NULL: open.
	IDColumn     string  `json:"id_column"`
	ResourceID   int64   `json:"resource_id"`
	AccountID    int64   `json:"account_id"`
	Column       string  `json:"column"`
	Old          string  `json:"old"`
	New          string  `json:"new"`
	Kind         string  `json:"kind"`
	Class        string  `json:"class"`
	Event        int64   `json:"event,omitempty"` // whose date the row gets
	SurplusHours float64 `json:"surplus_hours"`
	// Decision says that a person decided: a live resource is billed again from now on.
	Decision bool `json:"decision,omitempty"`
}

// MakePlan derives a plan from an audit. left are the findings that no statement can put right. reopen takes in the
// rows of live resources that another one's delete has closed: their owners will be billed again, which somebody
// must have decided.
func MakePlan(r *Result, reopen bool) (p *Plan, left []Finding) {
	p = &Plan{
		Head: PlanHead{
			Document: documentPlan,
			Schema:   SchemaVersion,
			Site:     r.Site.Fingerprint,
			Database: r.Site.Database,
			Version:  r.Site.Version,
			Made:     r.Site.Taken,
		},
	}
	for _, f := range r.Findings {
		row, ok := planRow(f)
		if !ok || row.Decision && !reopen {
			left = append(left, f)
			continue
		}
		p.Rows = append(p.Rows, row)
	}
	p.Head.Rows = len(p.Rows)
	p.Head.Digest = digest(p.Rows)
	return p, left
}

// planRow is the change that puts a finding right; false when none does. Which ones do is decided by
// usageprobe.PlanRepairs.
func planRow(f Finding) (PlanRow, bool) {
	m := usageprobe.MeterOf(f.Kind)
	if f.Rows != 1 || f.Duplicate || m.Loose || f.Class == duplicateOpen {
		return PlanRow{}, false
	}
	repairs, _ := usageprobe.PlanRepairs([]usageprobe.AuditRow{f.AuditRow})
	if len(repairs) != 1 {
		return PlanRow{}, false
	}
	r := repairs[0]
	return PlanRow{
		Table:      m.Table,
		HelperID:   r.HelperID,
		IDColumn:   m.IDColumn,
		ResourceID: r.ID,
		AccountID:  r.AccountID,
		Column:     m.ClosedAt,
		Old:        dated(r.Old),
		New:        dated(r.New),
		Kind: string(
			r.Kind,
		),
		Class:        string(r.Verdict),
		Event:        r.Event,
		SurplusHours: f.SurplusHours,
		Decision:     r.Decision,
	}, true
}

func dated(t *time.Time) string {
	if t == nil {
		return ""
	}
	return stamp(*t)
}

// digest is that of the rows as they are written.
func digest(rows []PlanRow) string {
	var b bytes.Buffer
	e := encoder(&b)
	for _, r := range rows {
		_ = e.Encode(r) // of numbers and texts into a buffer
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// Encode writes the plan's file.
func (p *Plan) Encode(w io.Writer) error {
	e := encoder(w)
	if err := e.Encode(p.Head); err != nil {
		return fmt.Errorf("write repair plan: %w", err)
	}
	for _, r := range p.Rows {
		if err := e.Encode(r); err != nil {
			return fmt.Errorf("write repair plan: %w", err)
		}
	}
	return nil
}

// ReadPlan reads a plan, and refuses one that was changed since it was made.
func ReadPlan(in io.Reader) (*Plan, error) { return readPlan(in, documentPlan) }

// ReadUndo reads the file that Apply has written.
func ReadUndo(in io.Reader) (*Plan, error) { return readPlan(in, documentUndo) }

func readPlan(in io.Reader, document string) (*Plan, error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		return nil, badInput(fmt.Errorf("this is no %s: it is empty", document))
	}
	var p Plan
	if err := json.Unmarshal(lines.Bytes(), &p.Head); err != nil || p.Head.Document != document {
		return nil, badInput(fmt.Errorf("this is no %s: its first line does not say so", document))
	}
	if p.Head.Schema != SchemaVersion {
		return nil, badInput(
			fmt.Errorf("the %s has schema %d, this program reads %d", document, p.Head.Schema, SchemaVersion),
		)
	}
	if !oneLine(p.Head.Site) {
		return nil, badInput(fmt.Errorf("the %s names no site: %q", document, p.Head.Site))
	}
	sum := sha256.New()
	for n := 2; lines.Scan(); n++ {
		var r PlanRow
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			return nil, badInput(fmt.Errorf("line %d of the %s is not a row: %w", n, document, err))
		}
		if err := r.check(); err != nil {
			return nil, badInput(fmt.Errorf("line %d of the %s: %w", n, document, err))
		}
		_, _ = sum.Write(append(lines.Bytes(), '\n')) // of a hash
		p.Rows = append(p.Rows, r)
	}
	if err := lines.Err(); err != nil {
		return nil, badInput(fmt.Errorf("reading the %s: %w", document, err))
	}
	if hex.EncodeToString(sum.Sum(nil)) != p.Head.Digest || len(p.Rows) != p.Head.Rows {
		return nil, badInput(
			fmt.Errorf("the %s was changed since it was made (its digest does not fit): make a new one", document),
		)
	}
	return &p, nil
}

// check refuses names that are no helper table's, because they become part of statements.
func (r PlanRow) check() error {
	known := slices.ContainsFunc(usageprobe.Meters(), func(m usageprobe.Meter) bool {
		return m.Table == r.Table && m.IDColumn == r.IDColumn && m.ClosedAt == r.Column
	})
	if !known {
		return fmt.Errorf("%q, %q and %q are not a helper table and its columns", r.Table, r.IDColumn, r.Column)
	}
	for _, value := range []string{r.Old, r.New} {
		if value == "" {
			continue
		}
		if _, err := time.Parse(time.DateTime, value); err != nil {
			return fmt.Errorf("%q is not a date and time", value)
		}
	}
	if !oneLine(r.Kind) || !oneLine(r.Class) {
		return fmt.Errorf("%q and %q are not words of a plan: they would end the comment that they stand in", r.Kind,
			r.Class)
	}
	if r.Old == r.New {
		return errors.New("the old and the new value are the same")
	}
	return nil
}

// oneLine says whether a text stays within the line of a comment in SQL that it is written into.
func oneLine(text string) bool { return !strings.ContainsFunc(text, unicode.IsControl) }

// undo are the same rows the other way round, in the opposite order.
func (p *Plan) undo() *Plan {
	u := &Plan{Head: p.Head}
	u.Head.Document = documentUndo
	for _, r := range slices.Backward(p.Rows) {
		r.Old, r.New = r.New, r.Old
		u.Rows = append(u.Rows, r)
	}
	u.Head.Rows, u.Head.Digest = len(u.Rows), digest(u.Rows)
	return u
}

// statement names the row by its key and its old value, so that it changes nothing when it is run again.
func (r PlanRow) statement() string {
	return fmt.Sprintf("UPDATE cloud_usage.%s SET %s = %s WHERE id = %d AND %s = %d AND account_id = %d AND %s <=> %s",
		r.Table, r.Column, literal(r.New), r.HelperID, r.IDColumn, r.ResourceID, r.AccountID, r.Column, literal(r.Old))
}

func literal(value string) string {
	if value == "" {
		return "NULL"
	}
	return "'" + value + "'"
}

// SQL is the plan for a person who runs it by hand: each statement must change exactly one row.
func (p *Plan) SQL() string {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"-- %s of site %s, made at %s GMT, %d rows.\n-- Run it on a fixed release only, with the usage server "+
			"stopped and both databases dumped.\n"+
			"-- Each statement must change exactly one row; stop at the first that does not.\n",
		p.Head.Document,
		p.Head.Site,
		stamp(p.Head.Made),
		len(p.Rows),
	)
	for _, r := range p.Rows {
		fmt.Fprintf(&b, "%s; -- %s %s %d", r.statement(), r.Class, r.Kind, r.ResourceID)
		if r.Event != 0 {
			fmt.Fprintf(&b, ", usage event %d", r.Event)
		}
		if r.Decision {
			b.WriteString(", decided by a person")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// String is the change in one line.
func (r PlanRow) String() string {
	return fmt.Sprintf(
		"%s row %d of %s %d (account %d): %s from %s to %s",
		r.Table,
		r.HelperID,
		r.Kind,
		r.ResourceID,
		r.AccountID,
		r.Column,
		literal(r.Old),
		literal(r.New),
	)
}
