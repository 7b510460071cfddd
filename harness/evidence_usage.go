package harness

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// asked notes what kind of thing the scenario is about.
func (w *watch) asked(kind usageprobe.Kind) {
	if !slices.Contains(w.kinds, kind) {
		w.kinds = append(w.kinds, kind)
	}
}

// evidence shows the helper rows of the kinds that were asked about, before and after, with the deletes and the newest
// records beside them.
func (w *watch) evidence() []result.Evidence {
	if w.last == nil {
		return nil
	}
	kinds := w.kinds
	if len(kinds) == 0 {
		kinds = []usageprobe.Kind{usageprobe.KindLB}
	}
	var all []result.Evidence
	for _, kind := range kinds {
		all = append(all, result.Evidence{Kind: result.KindRows, Title: "usage rows of kind " + string(kind) + ", before and after", Text: w.helperTable(kind)},
			result.Evidence{Kind: result.KindRows, Title: "cloud_usage.cloud_usage, newest records of kind " + string(kind), Text: w.recordTable(kind)})
	}
	return all
}

func (w *watch) helperTable(kind usageprobe.Kind) string {
	then := map[int64]string{}
	if w.before != nil {
		for _, r := range w.before.Rows {
			if r.Kind == kind {
				then[r.HelperID] = stampOf(r.Closed)
			}
		}
	}
	return table("name\tresource id\thelper id\tcreated\tclosed before\tclosed after\tdelete event", func(row func(...any)) {
		for _, r := range w.last.Rows {
			if r.Kind != kind {
				continue
			}
			was, seen := then[r.HelperID]
			if !seen {
				was = "(no row)"
			}
			ended := "–"
			if end := w.t.endOf(Billed{Ref: r.Ref}); end != nil {
				ended = stamp(*end)
			}
			row(w.name(r.ID), strings.TrimSpace(fmt.Sprintf("%d %s", r.ID, r.Part)), r.HelperID, stamp(r.Created), was, stampOf(r.Closed), ended)
		}
	})
}

// recordWindows is how many of the newest windows the evidence shows.
const recordWindows = 4

func (w *watch) recordTable(kind usageprobe.Kind) string {
	starts := []time.Time{}
	for _, r := range slices.Backward(w.last.Records) {
		if !slices.ContainsFunc(starts, r.Start.Equal) && len(starts) < recordWindows {
			starts = append(starts, r.Start)
		}
	}
	return table("name\tusage_id\tstart_date\tend_date\traw_usage (h)", func(row func(...any)) {
		for _, r := range w.last.Records {
			if r.Type == usageprobe.RecordType(kind) && slices.ContainsFunc(starts, r.Start.Equal) {
				row(w.name(r.UsageID), r.UsageID, stamp(r.Start), stamp(r.End), fmt.Sprintf("%.9f", r.RawUsage))
			}
		}
	})
}

// table lays out rows under a tab-separated heading.
func table(heading string, fill func(row func(...any))) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, heading)
	fill(func(cells ...any) {
		words := make([]string, len(cells))
		for i, c := range cells {
			words[i] = fmt.Sprint(c)
		}
		fmt.Fprintln(tw, strings.Join(words, "\t"))
	})
	_ = tw.Flush() // a strings.Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}
