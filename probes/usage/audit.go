package usageprobe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// AuditVerdict is what the tables say of one row of a resource that was ever billed.
type AuditVerdict string

// The eight verdicts of an audit.
const (
	AuditOK                  AuditVerdict = "OK"
	AuditMissing             AuditVerdict = "MISSING"                // no helper row
	AuditLiveWithDeleteEvent AuditVerdict = "LIVE_WITH_DELETE_EVENT" // a delete that was rolled back; do not close
	AuditClosedButLive       AuditVerdict = "CLOSED_BUT_LIVE"        // a live resource is not billed
	AuditOpenButDead         AuditVerdict = "OPEN_BUT_DEAD"          // a dead resource is billed
	AuditOpenNoDeleteEvent   AuditVerdict = "OPEN_NO_DELETE_EVENT"   // dead and billed, and nothing says since when
	AuditWrongDate           AuditVerdict = "WRONG_DATE"             // closed, not at the resource's own delete event
	// AuditUndecided: on its way in or out, not yet covered by a usage job, or its events are gone.
	AuditUndecided AuditVerdict = "UNDECIDED"
)

// AuditVerdicts are all verdicts, the harmless ones last.
func AuditVerdicts() []AuditVerdict {
	return []AuditVerdict{AuditOpenButDead, AuditClosedButLive, AuditWrongDate, AuditMissing, AuditOpenNoDeleteEvent,
		AuditLiveWithDeleteEvent, AuditUndecided, AuditOK}
}

// AuditRow is one resource, next to one of its helper rows.
type AuditRow struct {
	Ref
	AccountID int64        `json:"account_id"`
	Born      time.Time    `json:"born"` // first create event of the life; zero when it is not known
	Died      *time.Time   `json:"died"` // first delete event after it
	HelperID  int64        `json:"helper_id"`
	Stored    *time.Time   `json:"stored"` // the helper row's close date
	UUID      string       `json:"uuid,omitempty"`
	Verdict   AuditVerdict `json:"verdict"`
	// CrossedBy is the id of the resource whose delete event closed this row by its helper id; 0 when none did.
	CrossedBy int64 `json:"crossed_by,omitempty"`
	// Creates and Deletes count the resource's events; CreateEvent and DeleteEvent are the ids of those that date
	// the life.
	Creates     int   `json:"creates"`
	Deletes     int   `json:"deletes"`
	Lives       int   `json:"lives"`
	CreateEvent int64 `json:"create_event,omitempty"`
	DeleteEvent int64 `json:"delete_event,omitempty"`
	// Stalled: that event was copied and never processed, though a later job ended well. Lost: it was never copied.
	Stalled bool `json:"stalled,omitempty"`
	Lost    bool `json:"lost,omitempty"`
	// Duplicate: an older row of the same life is open as well, so it is billed twice.
	Duplicate bool `json:"duplicate,omitempty"`
}

// Of is the audit's row for a judgement on a resource of an account.
func (j Judgement) Of(ref Ref, account int64, uuid string) AuditRow {
	return AuditRow{
		Ref:         ref,
		AccountID:   account,
		Born:        j.Born.Time(),
		Died:        j.Died.pointer(),
		HelperID:    j.Row.ID,
		Stored:      j.Row.Closed.pointer(),
		UUID:        uuid,
		Verdict:     j.Verdict,
		CrossedBy:   j.CrossedBy,
		Creates:     j.Creates,
		Deletes:     j.Deletes,
		Lives:       j.Lives,
		CreateEvent: j.BornEvent,
		DeleteEvent: j.DiedEvent,
		Stalled:     j.Stalled,
		Lost:        j.Lost,
		Duplicate:   j.Duplicate,
	}
}

// Time is the moment as a time in GMT; the zero time for none.
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.Unix(int64(m), 0).UTC()
}

func (m Moment) pointer() *time.Time {
	if m == 0 {
		return nil
	}
	t := m.Time()
	return &t
}

// MomentOf cuts a time to the second; 0 for the zero time.
func MomentOf(t time.Time) Moment {
	if t.IsZero() {
		return 0
	}
	return Moment(t.Unix())
}

// String is the finding in one line.
func (a AuditRow) String() string {
	s := fmt.Sprintf("%s: %s %d", a.Verdict, a.Kind, a.ID)
	if a.Part != "" {
		s += " (" + a.Part + ")"
	}
	s += fmt.Sprintf(" of account %d, ", a.AccountID)
	if a.Born.IsZero() {
		s += "no create event"
	} else {
		s += "created at " + stamp(a.Born)
	}
	if a.Died != nil {
		s += ", deleted at " + stamp(*a.Died)
	} else {
		s += ", no delete event"
	}
	switch {
	case a.HelperID == 0:
		s += ": no helper row"
	case a.Stored == nil:
		s += fmt.Sprintf(": helper row %d is open", a.HelperID)
	default:
		s += fmt.Sprintf(": helper row %d is closed at %s", a.HelperID, stamp(*a.Stored))
	}
	if a.CrossedBy != 0 {
		s += fmt.Sprintf(", by the delete of %s %d", a.Kind, a.CrossedBy)
	}
	if a.Stalled {
		s += ", the event was never processed"
	}
	if a.Lost {
		s += ", the event was never copied to cloud_usage"
	}
	return s
}

// Audit judges every LB and PF rule that was ever billed, of the given accounts (all when none is given), in one
// transaction. A rule whose create event no successful usage job covers yet, and which has no row, is not listed.
// Package audit does the same for a whole site, of any size and of all kinds.
func (p *Probe) Audit(ctx context.Context, accountIDs ...int64) ([]AuditRow, error) {
	var all []AuditRow
	err := p.inTransaction(ctx, func(q querier) error {
		s, err := readAudited(ctx, q, accountIDs)
		if err != nil {
			return err
		}
		for _, m := range Meters() {
			if m.Kind == KindLB || m.Kind == KindPF {
				all = append(all, s.judge(m)...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit usage: %w", err)
	}
	return all, nil
}

// audited is what an audit of some accounts reads.
type audited struct {
	rows       map[Kind][]HelperRow
	events     []UsageEvent // of cloud_usage, and those of cloud that were not copied
	copied     map[int64]bool
	cutoff     Moment
	lastCopied int64
	rules      map[Ref]Resource
}

func readAudited(ctx context.Context, q querier, accountIDs []int64) (*audited, error) {
	of := accounts(accountIDs)
	s := &audited{rows: map[Kind][]HelperRow{}, copied: map[int64]bool{}, rules: map[Ref]Resource{}}
	var types []any
	for _, kind := range []Kind{KindLB, KindPF} {
		rows, err := helperRows(ctx, q, specOf(kind), of)
		if err != nil {
			return nil, err
		}
		s.rows[kind] = rows
		for _, name := range slices.Concat(specOf(kind).opens, specOf(kind).closes) {
			types = append(types, name)
		}
	}
	jobs, err := readInto(ctx, q, schemaUsage, "usage_job", filter{}, parseJob)
	if err != nil {
		return nil, err
	}
	s.cutoff = MomentOf(lastSuccess(jobs))
	last, err := readInto(
		ctx,
		q,
		schemaUsage,
		"usage_event",
		filter{where: "id = (SELECT MAX(id) FROM cloud_usage.usage_event)"},
		parseEvent,
	)
	if err != nil {
		return nil, err
	}
	for _, e := range last {
		s.lastCopied = e.ID
	}
	of = of.and("type IN (?, ?, ?, ?)", types...)
	if s.events, err = readInto(ctx, q, schemaUsage, "usage_event", of, parseEvent); err != nil {
		return nil, err
	}
	for _, e := range s.events {
		s.copied[e.ID] = true
	}
	events, err := readInto(ctx, q, schemaCloud, "usage_event", of, parseEvent)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if !s.copied[e.ID] {
			s.events = append(s.events, e)
		}
	}
	return s, s.readRules(ctx, q)
}

func (s *audited) readRules(ctx context.Context, q querier) error {
	rows, _, err := read(ctx, q, schemaCloud, "firewall_rules", filter{}, liveColumns()...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, res := range ruleResources(r) {
			res.UUID, res.AccountID = r.text("uuid"), r.number("account_id")
			s.rules[res.Ref] = res
		}
	}
	return nil
}

// owned is a resource of one account.
type owned struct {
	id, account int64
}

func (s *audited) judge(m Meter) []AuditRow {
	subjects, closed := map[owned]*Subject{}, map[owned][]Moment{}
	of := func(id, account int64) *Subject {
		k := owned{id, account}
		if subjects[k] == nil {
			subjects[k] = &Subject{Life: Dead}
			if r, found := s.rules[Ref{Kind: m.Kind, ID: id}]; found && r.AccountID == account {
				subjects[k].Life = r.Life
			}
		}
		return subjects[k]
	}
	for _, e := range s.events {
		act := m.Act(e.Type)
		if act == 0 {
			continue
		}
		at := MomentOf(e.Created)
		act |= Standing(e.ID, at, s.copied[e.ID], e.Processed, s.cutoff, s.lastCopied)
		subject := of(e.ResourceID, e.AccountID)
		subject.Happenings = append(subject.Happenings, Happening{ID: e.ID, At: at, Act: act})
		if act&ActClose != 0 {
			closed[owned{e.ResourceID, e.AccountID}] = append(closed[owned{e.ResourceID, e.AccountID}], at)
		}
	}
	for _, h := range s.rows[m.Kind] {
		row := Metering{ID: h.HelperID, Opened: MomentOf(h.Created)}
		if h.Closed != nil {
			row.Closed = MomentOf(*h.Closed)
		}
		subject := of(h.ID, h.AccountID)
		subject.Rows = append(subject.Rows, row)
	}
	var all []AuditRow
	for _, k := range sortedOwned(subjects) {
		subject := subjects[k]
		subject.Crossed = func(r Metering) int64 {
			if r.ID != k.id && slices.Contains(closed[owned{r.ID, k.account}], r.Closed) {
				return r.ID
			}
			return 0
		}
		ref := Ref{Kind: m.Kind, ID: k.id}
		for _, j := range subject.Judge(nil) {
			all = append(all, j.Of(ref, k.account, s.rules[ref].UUID))
		}
	}
	return all
}

func sortedOwned(subjects map[owned]*Subject) []owned {
	keys := make([]owned, 0, len(subjects))
	for k := range subjects {
		keys = append(keys, k)
	}
	slices.SortFunc(
		keys,
		func(a, b owned) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.account, b.account)) },
	)
	return keys
}
