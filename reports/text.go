package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stackproof/stackproof/harness/result"
)

// NoExit is for a program that does not end with the status of the run that it shows.
const NoExit = -1

// TextOptions says how a terminal takes the report.
type TextOptions struct {
	Width  int  // columns of the terminal; 0 for no limit. Only titles and rules are fitted to it, evidence never is
	Color  bool // ANSI colours
	Strict bool // as the run was judged
	// Verbose shows all evidence, of known failures too. Otherwise a failure fits a screen and a known one a line.
	Verbose bool
	// Quiet shows what must not be overlooked and the summary, nothing else.
	Quiet bool
	// Exit is the status that the program ends with where it is not the run's own, because the run was broken off; 0 is
	// the run's own, and NoExit says nothing of it.
	Exit int
}

// Text is what the command prints at the end: what was tested, a table, what there is to say of each case that did not
// pass, and the summary as the last line.
func Text(run result.Run, o TextOptions) string {
	var b strings.Builder
	if !o.Quiet {
		fmt.Fprintf(&b, "Target %s, release %s, seed %d", line(run.Target), line(run.Release), run.Seed)
		if run.Router != "" {
			fmt.Fprintf(&b, ", router: %s", line(run.Router))
		}
		b.WriteString("\n")
		for _, n := range run.Notes {
			b.WriteString(line(n) + "\n")
		}
		if len(run.Results) > 0 {
			b.WriteString("\n")
			textTable(&b, run, o)
		}
	}
	for _, c := range run.Results {
		if o.inFull(c) {
			textCase(&b, c, line(run.Release), o)
		}
	}
	if !o.Quiet {
		textBriefly(&b, run, o)
		textClaims(&b, run)
	}
	if all := alarms(run); len(all) > 0 {
		b.WriteString("\n")
		for _, a := range all {
			b.WriteString(o.paint(result.Fail, a) + "\n")
		}
	}
	code := o.Exit
	if code == 0 {
		code = run.ExitCode(o.Strict)
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	b.WriteString(summaryExit(run, code) + "\n")
	return b.String()
}

// inFull says whether a case has a section of its own.
func (o TextOptions) inFull(c result.Case) bool {
	if o.Verbose {
		return c.Verdict != result.Pass
	}
	return c.Verdict != result.Pass && c.Gates(o.Strict) != result.ExitOK
}

func textTable(b *strings.Builder, run result.Run, o TextOptions) {
	idWidth, verdictWidth := len("ID"), len("VERDICT")
	for _, c := range run.Results {
		idWidth = max(idWidth, utf8.RuneCountInString(name(c.ID)))
		verdictWidth = max(verdictWidth, len(verdict(c)))
	}
	titleWidth := longest
	if o.Width > 0 {
		titleWidth = max(20, o.Width-idWidth-verdictWidth-len("  ")*3-len("SECONDS"))
	}
	fmt.Fprintf(b, "%-*s  %-*s  %7s  %s\n", idWidth, "ID", verdictWidth, "VERDICT", "SECONDS", "TITLE")
	for _, c := range run.Results {
		v := verdict(c)
		pad := strings.Repeat(" ", verdictWidth-len(v))
		fmt.Fprintf(
			b,
			"%-*s  %s%s  %7.2f  %s\n",
			idWidth,
			name(c.ID),
			o.paint(c.Verdict, v),
			pad,
			c.Seconds,
			shorten(line(c.Title), titleWidth),
		)
	}
}

// screen is how many lines a case may take unless all is asked for: with its table line it fits a terminal of 24.
const screen = 22

func textCase(b *strings.Builder, c result.Case, release string, o TextOptions) {
	rule := 78
	if o.Width > 0 {
		rule = min(rule, o.Width)
	}
	fmt.Fprintf(b, "\n%s\n", strings.Repeat("-", rule))
	textOf(b, c, release, o)
}

// Case tells one case as Text does for a terminal without colours, in as many lines as fit a screen. Its first line has
// the id, the verdict and the sentence of a person.
func Case(c result.Case, release string) string {
	var b strings.Builder
	textOf(&b, c, line(release), TextOptions{})
	return strings.TrimRight(b.String(), "\n")
}

func textOf(b *strings.Builder, c result.Case, release string, o TextOptions) {
	fmt.Fprintf(b, "%s %s: %s\n", name(c.ID), o.paint(c.Verdict, verdict(c)), headline(c))
	if c.Known {
		b.WriteString("Known: " + why(c, release) + "\n")
	}
	fmt.Fprintf(b, "Scenario: %s\n", shorten(line(c.Title), longest))
	text := details(c)
	if claim := line(c.Claim); claim != "" { // claims have their own section
		text = strings.Replace(text, claim+"\n", "", 1)
	}
	var lines []string
	if text = strings.TrimRight(text, "\n"); text != "" {
		lines = strings.Split(text, "\n")
	}
	for _, s := range c.Steps {
		if s.State != "" && s.State != "done" {
			at := fmt.Sprintf("Step %q after %.2f s: %s", line(s.Name), s.Seconds, line(s.State))
			if o.Verbose {
				lines = append(lines, "", at)
			} else {
				lines = slices.Insert(lines, 0, at)
			}
		}
	}
	if more := len(lines) - screen; more > 1 && !o.Verbose {
		lines = append(lines[:screen], fmt.Sprintf("  ... and %d lines more: --verbose, or the report of --html", more))
	}
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
}

// textBriefly tells in a line each what needs no action: known failures under their defect, and what is undecided by
// design or unsupported under its reason.
func textBriefly(b *strings.Builder, run result.Run, o TextOptions) {
	type group struct {
		title string
		lines []string
	}
	var groups []group
	add := func(title, text string) {
		i := slices.IndexFunc(groups, func(g group) bool { return g.title == title })
		if i < 0 {
			groups = append(groups, group{title: title})
			i = len(groups) - 1
		}
		groups[i].lines = append(groups[i].lines, text)
	}
	for _, c := range run.Results {
		id := fmt.Sprintf("%-6s ", name(c.ID))
		switch {
		case o.inFull(c):
		case c.Verdict == result.Fail:
			add("Known defect of "+line(run.Release)+", "+why(c, line(run.Release))+":", id+headline(c))
		case c.Verdict == result.Inconclusive:
			add("Undecided by design:", id+reasonOf(c))
		case c.Verdict == result.Unsupported:
			add("Not shown by this target, "+reasonOf(c)+":", id+shorten(line(c.Title), longest))
		}
		for _, e := range c.Evidence {
			// A pass says nothing of what every release does wrong beside it, or no longer does.
			if e.Title == result.TitleKnownDefect && c.Verdict == result.Pass {
				add("Seen beside what was tested:", id+line(e.Text))
			}
		}
	}
	for _, g := range groups {
		b.WriteString("\n" + g.title + "\n")
		for _, l := range g.lines {
			b.WriteString("  " + l + "\n")
		}
	}
}

func textClaims(b *strings.Builder, run result.Run) {
	first := true
	for _, c := range run.Results {
		if c.Claim == "" {
			continue
		}
		if first {
			b.WriteString("\n")
			first = false
		}
		b.WriteString(line(c.Claim) + "\n")
	}
}

func (o TextOptions) paint(v result.Verdict, s string) string {
	if !o.Color {
		return s
	}
	code := "33" // yellow: inconclusive, unsupported
	switch v {
	case result.Pass:
		code = "32"
	case result.Fail:
		code = "31"
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// longest is the most runes of a title or name in a table: a hostile one must not push the rest away.
const longest = 160

// name is an id or a label, fit for a column.
func name(s string) string { return shorten(line(s), 40) }

// shorten fits s into width runes; 0 is no limit.
func shorten(s string, width int) string {
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:width-1]), " ") + "…"
}
