package usageprobe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// stream is I6: events up to the cutoff are in cloud_usage, equal, and processed.
func (c *checker) stream() {
	copies := make(map[int64]UsageEvent, len(c.UsageEvents))
	for _, e := range c.UsageEvents {
		copies[e.ID] = e
	}
	for _, e := range c.Events {
		if e.Created.After(c.Cutoff) {
			continue
		}
		copied, ok := copies[e.ID]
		same := copied
		same.Processed = e.Processed
		seen := ""
		switch {
		case !ok:
			seen = "it is not there"
		case same != e:
			seen = fmt.Sprintf("the copy says %s of %s, account %d, resource %d", copied.Type, stamp(copied.Created),
				copied.AccountID, copied.ResourceID)
		case !copied.Processed:
			seen = "processed=0"
		default:
			continue
		}
		c.report(Violation{Invariant: "I6", Table: schemaUsage + ".usage_event", HelperID: e.ID, AccountID: e.AccountID,
			Ref: eventResource(e), Seen: seen,
			Expected: fmt.Sprintf("event %d (%s of %s, resource %d) copied and processed by the job that ended %s",
				e.ID, e.Type, stamp(e.Created), e.ResourceID, stamp(c.Cutoff))}, nil)
	}
}

// eventResource is the first kind that the event is about; empty for events that no helper table of ours follows.
func eventResource(e UsageEvent) Ref {
	for _, s := range kindSpecs() {
		if s.concerns(e) {
			return s.eventRef(e)
		}
	}
	return Ref{}
}

// jobs is I7. With an earlier snapshot only jobs since then are looked at, each against the one before it; of some
// accounts only those that can have billed them. What was before is the audit's business.
func (c *checker) jobs() {
	var last int64
	if c.before != nil {
		for _, j := range c.before.Jobs {
			if j.Success {
				last = max(last, j.ID)
			}
		}
	}
	var done []Job
	for _, j := range c.Jobs {
		if j.Success {
			done = append(done, j)
		}
	}
	slices.SortFunc(done, func(a, b Job) int { return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.ID, b.ID)) })
	for i := 1; i < len(done); i++ {
		prev, j := done[i-1], done[i]
		gap := j.Start.Sub(prev.End) - time.Millisecond
		if gap == 0 || j.ID <= last || len(c.Accounts) > 0 && !later(prev.End, j.Start).After(c.begin()) {
			continue // over before the accounts had anything to bill
		}
		word := "gap"
		if gap < 0 {
			word, gap = "overlap", -gap
		}
		c.report(Violation{
			Invariant: "I7", Table: schemaUsage + ".usage_job", HelperID: j.ID,
			Expected: fmt.Sprintf("its start 1 ms after the end %s of successful job %d", millis(prev.End), prev.ID),
			Seen:     fmt.Sprintf("start %s: %s of %s", millis(j.Start), word, gap),
		}, nil)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// begin is when the first event of the accounts was.
func (c *checker) begin() (first time.Time) {
	for _, e := range c.Events {
		if first.IsZero() || e.Created.Before(first) {
			first = e.Created
		}
	}
	return first
}

func millis(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// untouched is I9. A resource with an event that before had not processed yet counts as touched.
func untouched(before, after Snapshot, touched Touched) []Violation {
	processed := map[int64]bool{}
	for _, e := range before.UsageEvents {
		processed[e.ID] = e.Processed
	}
	acted := map[Ref]bool{}
	for _, spec := range kindSpecs() {
		for _, e := range after.Events {
			if spec.concerns(e) && !processed[e.ID] {
				acted[spec.eventRef(e)] = true
			}
		}
	}
	type key struct {
		table string
		id    int64
	}
	now := map[key]HelperRow{}
	for _, r := range after.Rows {
		now[key{r.Table, r.HelperID}] = r
	}
	was := map[key]bool{}
	c := &checker{Snapshot: after, before: &before, past: histories(after.Events, nil)}
	add := func(row HelperRow, expected, seen string) {
		v := Violation{Invariant: "I9", Expected: expected, Seen: seen}
		if row.Closed != nil && c.crossedBy(row) != nil {
			v.Class = ClassCrossedClose
		}
		if row.Closed != nil && seen == specOf(row.Kind).closedAt+"="+stamp(*row.Closed) {
			v.At = *row.Closed // and nothing else of the row has changed
		}
		c.report(v, &row)
	}
	skip := func(r HelperRow) bool {
		return touched.has(r.Ref) || acted[r.Ref] || acted[Ref{Kind: r.Kind, ID: r.ID}] || r.Kind == KindStorage &&
			storageActed(r, after, processed)
	}
	for _, r := range before.Rows {
		k := key{r.Table, r.HelperID}
		was[k] = true
		if skip(r) {
			continue
		}
		switch a, ok := now[k]; {
		case !ok:
			add(r, "the row of an untouched resource as before: "+plain(r.Raw), "it is gone")
		case a.Raw != r.Raw:
			add(a, "the row of an untouched resource as before: "+plain(r.Raw), changedColumns(r.Raw, a.Raw))
		}
	}
	for _, r := range after.Rows {
		if !was[key{r.Table, r.HelperID}] && !skip(r) {
			add(r, "no new row for a resource without a new event", "a new row: "+plain(r.Raw))
		}
	}
	return c.found
}

// storageActed: an entity of usage_storage is touched by any new event with its id about templates, ISOs, snapshots or
// volumes.
func storageActed(r HelperRow, after Snapshot, processed map[int64]bool) bool {
	return slices.ContainsFunc(after.Events, func(e UsageEvent) bool {
		family, _, _ := strings.Cut(e.Type, ".")
		return e.ResourceID == r.ID && !processed[e.ID] &&
			slices.Contains([]string{"TEMPLATE", "ISO", "SNAPSHOT", "VOLUME"}, family)
	})
}

// changedColumns lists what differs between two raw rows of one table.
func changedColumns(before, after string) string {
	was, is := strings.Split(before, columnSeparator), strings.Split(after, columnSeparator)
	var parts []string
	for i, kv := range is {
		if i >= len(was) || was[i] != kv {
			parts = append(parts, kv)
		}
	}
	return strings.Join(parts, ", ")
}

func plain(raw string) string { return strings.ReplaceAll(raw, columnSeparator, " ") }

func helperIDs(rows []HelperRow) string {
	var ids []string
	for _, r := range rows {
		ids = append(ids, fmt.Sprint(r.HelperID))
	}
	return strings.Join(ids, ", ")
}

func sortedRefs(resources map[Ref]Resource) []Ref {
	refs := make([]Ref, 0, len(resources))
	for r := range resources {
		refs = append(refs, r)
	}
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Part, b.Part))
	})
	return refs
}
