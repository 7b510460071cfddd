package reports

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stackproof/stackproof/harness/result"
)

// TextOptions says how a terminal takes the report.
type TextOptions struct {
	Width  int  // columns of the terminal; 0 for no limit. Only titles and rules are fitted to it, evidence never is
	Color  bool // ANSI colours
	Strict bool // as the run was judged
	// Exit is the status that the program ends with where it is not the run's own, because the run was broken off; 0 is the
	// run's own.
	Exit int
}

// Text is what the command prints at the end: what was tested, a table, everything about each case that did not pass as
// expected, and the summary as the last line.
func Text(run result.Run, o TextOptions) string {
	var b strings.Builder
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
	for _, c := range run.Results {
		if c.Verdict != result.Pass {
			textCase(&b, c, line(run.Release), o)
			continue
		}
		for _, e := range c.Evidence {
			// A pass says nothing of what every release does wrong beside it, or no longer does.
			if e.Title == result.TitleKnownDefect {
				fmt.Fprintf(&b, "\n%s %s: %s\n", line(c.ID), e.Title, line(e.Text))
			}
		}
	}
	textClaims(&b, run)
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
	b.WriteString("\n" + summaryExit(run, code) + "\n")
	return b.String()
}

func textTable(b *strings.Builder, run result.Run, o TextOptions) {
	idWidth, verdictWidth := len("ID"), len("VERDICT")
	for _, c := range run.Results {
		idWidth = max(idWidth, utf8.RuneCountInString(line(c.ID)))
		verdictWidth = max(verdictWidth, len(verdict(c)))
	}
	titleWidth := 0
	if o.Width > 0 {
		titleWidth = max(20, o.Width-idWidth-verdictWidth-len("  ")*3-len("SECONDS"))
	}
	fmt.Fprintf(b, "%-*s  %-*s  %7s  %s\n", idWidth, "ID", verdictWidth, "VERDICT", "SECONDS", "TITLE")
	for _, c := range run.Results {
		v := verdict(c)
		pad := strings.Repeat(" ", verdictWidth-len(v))
		fmt.Fprintf(b, "%-*s  %s%s  %7.2f  %s\n", idWidth, line(c.ID), o.paint(c.Verdict, v), pad, c.Seconds, shorten(line(c.Title), titleWidth))
	}
}

func textCase(b *strings.Builder, c result.Case, release string, o TextOptions) {
	rule := 78
	if o.Width > 0 {
		rule = min(rule, o.Width)
	}
	fmt.Fprintf(b, "\n%s\n%s %s: %s\n", strings.Repeat("-", rule), line(c.ID), line(c.Title), o.paint(c.Verdict, verdict(c)))
	b.WriteString(message(c, release) + "\n")
	text := details(c)
	if claim := line(c.Claim); claim != "" { // claims have their own section
		text = strings.Replace(text, claim+"\n", "", 1)
	}
	b.WriteString(text)
	for _, s := range c.Steps {
		if s.State != "" && s.State != "done" {
			fmt.Fprintf(b, "\nStep %q after %.2f s: %s\n", line(s.Name), s.Seconds, line(s.State))
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

// shorten fits s into width runes; 0 is no limit.
func shorten(s string, width int) string {
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:width-1]), " ") + "…"
}
