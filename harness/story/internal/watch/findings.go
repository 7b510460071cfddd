package watch

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// named puts the story's names to the kinds and ids of a text: the tables know numbers only.
func (w *Watch) named(text string) string {
	for _, kind := range usageprobe.Kinds() {
		if !strings.Contains(text, string(kind)) {
			continue
		}
		text = regexp.MustCompile(`\b`+string(kind)+` (\d+)\b`).ReplaceAllStringFunc(text, func(said string) string {
			id, err := strconv.ParseInt(said[len(kind)+1:], 10, 64)
			ref := usageprobe.Ref{Kind: kind, ID: id}
			if err != nil || w.known[ref].name == "" {
				return said
			}
			return fmt.Sprintf("%s (internal id %d)", w.called(ref), id)
		})
	}
	return text
}

// Subject names a thing for Finding.Subject.
func Subject(ref usageprobe.Ref) string {
	return strings.TrimSpace(fmt.Sprintf("%s %d %s", ref.Kind, ref.ID, ref.Part))
}

// called names a thing as a person of the story would.
func (w *Watch) called(ref usageprobe.Ref) string {
	name := w.known[ref].name
	switch {
	case name == "":
		return Subject(ref)
	case ref.Kind == usageprobe.KindLB:
		return "LB rule " + name
	}
	return string(ref.Kind) + " " + name
}

// explained says whether a stalled usage run brings a finding about (#13399). Rows of what it does handle are judged.
func (w *Watch) explained(f result.Finding) bool {
	if w.Last == nil {
		return false
	}
	stall, ok := w.Last.Stall()
	switch {
	case !ok:
		return false
	case slices.Contains([]result.Class{result.UsageJob, result.WrongHours, result.BilledAfterEnd}, f.Class):
		return true
	}
	rows := []result.Class{result.RowCount, result.NotBilled, result.WrongClose, result.WrongSize, result.LeakedRow}
	return slices.Contains(rows, f.Class) && slices.ContainsFunc(w.refs(), func(ref usageprobe.Ref) bool {
		return Subject(ref) == f.Subject && stall.Holds(ref)
	})
}

// refs are the things that the story knows.
func (w *Watch) refs() []usageprobe.Ref {
	all := slices.Collect(maps.Keys(w.known))
	for _, e := range w.Last.Events {
		for _, kind := range usageprobe.Kinds() {
			if ref := (usageprobe.Ref{Kind: kind, ID: e.ResourceID}); ref.Concerns(e) {
				all = append(all, ref)
			}
		}
	}
	return all
}

// seenBy is what an invariant saw.
func seenBy(v usageprobe.Violation) result.Seen {
	return result.Seen{What: v.Invariant, Of: fmt.Sprint(v.Table, " ", v.HelperID), At: v.At, Number: v.Number,
		Want: v.Want, Text: v.Seen}
}

// findings tells violations as facts: those of one thing and class are one, in the order of the violations.
func (w *Watch) findings(broken []usageprobe.Violation) []result.Finding {
	var all []result.Finding
	for i, v := range broken {
		same := func(o usageprobe.Violation) bool { return o.Ref == v.Ref && o.Class == v.Class }
		if v.Ref.Kind != "" && slices.IndexFunc(broken, same) < i {
			continue // told with the first of them
		}
		f := result.Finding{Class: ClassOf(v)}
		together := []usageprobe.Violation{v}
		if v.Ref.Kind != "" {
			f.Subject, together = Subject(v.Ref), nil
			for _, o := range broken {
				if same(o) {
					together = append(together, o)
				}
			}
			f.Numbers = w.Numbers(v.Ref)
		}
		for _, o := range together {
			f.Seen = append(f.Seen, seenBy(o))
			f.Numbers = append(f.Numbers, w.named(fmt.Sprintf("%s, %s%s: expected %s, seen %s", o.Invariant, rowOf(o),
				o.Table, o.Expected, o.Seen)))
			if !slices.Contains(f.Codes, o.Invariant) {
				f.Codes = append(f.Codes, o.Invariant)
			}
		}
		f.Says = w.sentence(together)
		all = append(all, f)
	}
	return all
}

// ClassOf is the class of a violation. Those of no defect that a probe knows by its looks go by what they break.
func ClassOf(v usageprobe.Violation) result.Class {
	if v.Class != usageprobe.ClassOther {
		return result.Class(v.Class)
	}
	return result.UsageInvariant
}

func rowOf(v usageprobe.Violation) string {
	if v.HelperID == 0 {
		return ""
	}
	return fmt.Sprintf("row with helper id %d of ", v.HelperID)
}

// UUID is that of a thing; "" where it is not known.
func (w *Watch) UUID(ref usageprobe.Ref) string { return w.known[ref].uuid }

// Numbers are the numbers by which an administrator finds a thing.
func (w *Watch) Numbers(ref usageprobe.Ref) []string {
	line := fmt.Sprintf("%s: internal id %d", w.called(ref), ref.ID)
	if uuid := w.known[ref].uuid; uuid != "" {
		line += ", uuid " + uuid
	}
	for _, row := range w.Rows(Billed{Ref: ref}) {
		line += fmt.Sprintf(", usage row with helper id %d", row.HelperID)
	}
	return []string{line}
}

// sentence says what the violations of one thing come to.
func (w *Watch) sentence(together []usageprobe.Violation) string {
	v := together[0]
	if v.Ref.Kind == "" {
		return fmt.Sprintf("%s: expected %s, seen %s", v.Table, v.Expected, v.Seen)
	}
	name := w.called(v.Ref)
	var row *usageprobe.HelperRow
	for _, r := range w.Last.Rows {
		if r.Ref == v.Ref {
			row = &r
		}
	}
	billed := slices.ContainsFunc(together, func(o usageprobe.Violation) bool { return o.Invariant == "I4" })
	died := w.EndOf(Billed{Ref: v.Ref})
	switch {
	case v.Class == usageprobe.ClassLeakedRow && row != nil && row.Open() && died != nil:
		says := fmt.Sprintf("%s was deleted at %s, and its usage row is still open: it will be billed for ever", name,
			stage.Stamp(*died))
		if billed {
			says = fmt.Sprintf("%s was deleted at %s and is still billed: its usage row is open", name,
				stage.Stamp(*died))
		}
		return says + w.victims(v.Ref, row)
	case v.Class == usageprobe.ClassCrossedClose && row != nil && row.Closed != nil:
		by := "another rule"
		if crossed := w.lifeOf(*row).ClosedBy; crossed != "" {
			by = crossed
		}
		if died == nil {
			return fmt.Sprintf("%s is alive and no longer billed: its usage row was closed at %s, when %s was deleted",
				name, stage.Stamp(*row.Closed), by)
		}
		return fmt.Sprintf("%s was deleted at %s, but its usage row was closed at %s, when %s was deleted", name,
			stage.Stamp(*died), stage.Stamp(*row.Closed), by)
	}
	if v.Class == usageprobe.ClassRolledBackDelete && row != nil && row.Closed != nil {
		return fmt.Sprintf("%s is alive and no longer billed: its delete failed, but its delete event closed its "+
			"usage row at %s", name, stage.Stamp(*row.Closed))
	}
	return fmt.Sprintf("%s: expected %s, seen %s", name, v.Expected, v.Seen)
}

// victims tells whose row a delete closed in place of its own.
func (w *Watch) victims(ref usageprobe.Ref, row *usageprobe.HelperRow) string {
	for _, o := range w.Last.Rows {
		if o.Kind == ref.Kind && o.HelperID == ref.ID && o.ID != ref.ID && o.AccountID == row.AccountID &&
			o.Closed != nil && w.lifeOf(o).ClosedBy == w.called(ref) {
			return fmt.Sprintf("; the row of %s was closed instead", w.called(o.Ref))
		}
	}
	return ""
}
