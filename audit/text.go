package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Text is the audit for a terminal: it fits on one screen, whatever was found.
func (r *Result) Text() string {
	var b strings.Builder
	r.head(&b)
	r.verdicts(&b)
	r.checksText(&b)
	r.worst(&b)
	if len(r.Notes) > 0 {
		fmt.Fprintf(&b, "\nNot everything could be looked at: %s", r.Notes[0])
		if n := len(r.Notes) - 1; n > 0 {
			fmt.Fprintf(&b, "; and %d more (--json)", n)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\nNext: %s\n", r.Next())
	return b.String()
}

func (r *Result) head(b *strings.Builder) {
	version := r.Site.Version
	if version == "" {
		version = "release not told"
	}
	covered := "no usage job has ended well yet"
	if r.Site.Covered != nil {
		covered = "usage is covered up to " + stamp(*r.Site.Covered)
	}
	fmt.Fprintf(
		b,
		"Audit of site %s (%s, %s) at %s GMT; %s.\n%d helper rows, %d events, %d records in %.1f s.\n\n",
		r.Site.Fingerprint,
		r.Site.Database,
		version,
		stamp(r.Site.Taken),
		covered,
		r.Site.Rows,
		r.Site.Events,
		r.Site.Records,
		r.Seconds,
	)
}

// verdicts is a table of what is wrong, with the hours that it cost.
func (r *Result) verdicts(b *strings.Builder) {
	type line struct {
		class            string
		n                int
		surplus, deficit float64
		kinds            map[usageprobe.Kind]int
	}
	lines := map[string]*line{}
	for _, f := range r.Findings {
		l := lines[f.Class]
		if l == nil {
			l = &line{class: f.Class, kinds: map[usageprobe.Kind]int{}}
			lines[f.Class] = l
		}
		l.n++
		l.kinds[f.Kind]++
		l.surplus += f.SurplusHours
		l.deficit += f.DeficitHours
	}
	if len(lines) == 0 {
		b.WriteString("No damaged row.\n\n")
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CLASS\tROWS\tHOURS TOO MUCH\tHOURS TOO LITTLE\tOF")
	for _, class := range classOrder() {
		l := lines[class]
		if l == nil {
			continue
		}
		kinds := sortedKeys(l.kinds)
		slices.SortStableFunc(kinds, func(a, c usageprobe.Kind) int { return l.kinds[c] - l.kinds[a] })
		var words []string
		for i, k := range kinds {
			if i == 3 {
				words = append(words, fmt.Sprintf("%d other kinds", len(kinds)-i))
				break
			}
			words = append(words, fmt.Sprintf("%d %s", l.kinds[k], plural(k, l.kinds[k])))
		}
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%.2f\t%s\n", l.class, l.n, l.surplus, l.deficit, strings.Join(words, ", "))
	}
	_ = w.Flush() // of a strings.Builder
	b.WriteByte('\n')
}

func plural(k usageprobe.Kind, n int) string {
	switch {
	case n == 1:
		return string(k)
	case strings.HasSuffix(string(k), "s"):
		return string(k) + "es"
	}
	return string(k) + "s"
}

func classOrder() []string {
	var all []string
	for _, v := range usageprobe.AuditVerdicts() {
		all = append(all, string(v))
	}
	return append(all, duplicateOpen)
}

// checksText shows what was found in a line each, and the rest in one.
func (r *Result) checksText(b *strings.Builder) {
	var clean, other []string
	for _, c := range r.Checks {
		switch c.Outcome {
		case Clean:
			clean = append(clean, c.ID)
		case NotLooked:
			other = append(other, c.ID)
		default:
			word := "FOUND"
			if c.Outcome == Undecidable {
				word = "?    "
			}
			fmt.Fprintf(b, "%s %-3s %s: %s\n", word, c.ID, c.Title, clip(c.Text, 150))
		}
	}
	if len(clean) > 0 {
		fmt.Fprintf(b, "clean %s\n", strings.Join(clean, " "))
	}
	if len(other) > 0 {
		fmt.Fprintf(b, "not looked at %s (--json says why)\n", strings.Join(other, " "))
	}
}

func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}

// worstAccounts is how many accounts the text names.
const worstAccounts = 5

func (r *Result) worst(b *strings.Builder) {
	type sum struct {
		name                       string
		id                         int64
		surplus, deficit, repeated float64
	}
	sums := map[int64]*sum{}
	for _, m := range r.Money {
		if sums[m.AccountID] == nil {
			sums[m.AccountID] = &sum{name: m.Account, id: m.AccountID}
		}
		s := sums[m.AccountID]
		s.surplus, s.deficit, s.repeated = s.surplus+m.SurplusHours, s.deficit+m.DeficitHours, s.repeated+
			m.RepeatedHours
	}
	if len(sums) == 0 {
		return
	}
	ids := sortedKeys(sums)
	slices.SortStableFunc(ids, func(x, y int64) int {
		a, c := sums[x], sums[y]
		return cmp.Compare(c.surplus+c.deficit+c.repeated, a.surplus+a.deficit+a.repeated)
	})
	fmt.Fprintf(b, "\nWorst accounts (%d of %d):\n", min(worstAccounts, len(ids)), len(ids))
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "account\tid\ttoo much h\ttoo little h\trepeated h\t")
	for _, id := range ids[:min(worstAccounts, len(ids))] {
		s := sums[id]
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%.2f\t%.2f\t\n", clip(s.name, 40), s.id, s.surplus, s.deficit, s.repeated)
	}
	_ = w.Flush() // of a strings.Builder
}

// Next is what to do now.
func (r *Result) Next() string {
	classes := r.Classes()
	repairable := classes[string(usageprobe.AuditOpenButDead)] + classes[string(usageprobe.AuditWrongDate)] +
		classes[string(usageprobe.AuditClosedButLive)]
	switch {
	case r.Stall != nil:
		return fmt.Sprintf(
			"the usage server stands still since %s. Upgrade to a release with the wider key of usage_volume "+
				"(4.23), or ask for help with event %d. "+
				"Never set processed back: all types would be billed again. Repair rows only afterwards.",
			stamp(r.Stall.BlockedSince),
			r.Stall.BlockingEvent,
		)
	case repairable > 0:
		return "upgrade to a fixed release first (4.19.3, 4.20.1 or later), stop the usage server, then: stackproof " +
			"repair plan."
	case r.Check("L1").Outcome == Found:
		return "mend the rules of L1 before an upgrade to 4.22: stackproof audit --gate 4.22.1.0 names the order of " +
			"steps."
	case r.Damaged():
		return "look at the findings in --json or --html; none of them can be repaired by a statement."
	case r.Inconclusive():
		return "nothing could be decided yet: run the audit again after a successful usage job."
	}
	return "nothing to do."
}
