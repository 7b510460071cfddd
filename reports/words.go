package reports

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stackproof/stackproof/harness/result"
)

// ansi matches terminal escape sequences: once their first byte is stripped the rest would stay as rubbish.
var ansi = regexp.MustCompile(`\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\^_])`)

// clean leaves the characters that XML 1.0 allows; they are also the ones that are safe on a terminal.
func clean(s string) string {
	s = ansi.ReplaceAllString(s, "")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, r < 0x20 && r != '\t' && r != '\n', r == 0x7f, r == 0xfffe, r == 0xffff:
			return -1
		case r >= 0x80 && r < 0xa0: // C1 controls: legal in XML, an escape on some terminals
			return -1
		case unicode.Is(unicode.Bidi_Control, r): // they turn the rest of a line around
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// line is clean text on one line.
func line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// verdict is how a case's outcome is called, known and by-design outcomes included.
func verdict(c result.Case) string {
	switch {
	case c.UnexpectedPass():
		return "pass (known to fail)"
	case c.Known && c.Verdict == result.Fail:
		return "fail (known)"
	case c.ByDesign && c.Verdict == result.Inconclusive:
		return "inconclusive (by design)"
	case !c.Verdict.Valid():
		return "inconclusive"
	}
	return string(c.Verdict)
}

// message is the case's outcome in one line. It is never empty unless the case passed as expected.
func message(c result.Case, release string) string {
	reason, why := headline(c), why(c, release)
	switch {
	case c.UnexpectedPass():
		return strings.TrimSpace(
			fmt.Sprintf(
				"known to fail on %s (%s) and passed: fixed by a patch, or the scenario is blind. %s",
				release,
				why,
				reason,
			),
		)
	case c.Known && c.Verdict == result.Fail:
		return fmt.Sprintf("known: %s: %s", why, reason)
	case c.ByDesign && c.Verdict == result.Inconclusive:
		return "inconclusive by design: " + reason
	}
	return reason
}

// why names the defect that a case is known for.
func why(c result.Case, release string) string {
	if w := line(c.KnownWhy); w != "" {
		return w
	}
	return "known on release " + release
}

// counts tells repeats, when there was more than one.
func counts(c result.Case) string {
	if c.Repeats <= 1 {
		return ""
	}
	s := fmt.Sprintf("%d repeats: %d failed", c.Repeats, c.Failures)
	if c.Inconclusives > 0 {
		s += fmt.Sprintf(", %d inconclusive", c.Inconclusives)
	}
	return s
}

// details is all that a person needs to act on the case, without any markup.
func details(c result.Case) string {
	var b strings.Builder
	for _, s := range []string{counts(c), line(c.Claim)} {
		if s != "" {
			b.WriteString(s + "\n")
		}
	}
	if len(c.Guards) > 0 {
		b.WriteString("Guards: " + line(strings.Join(c.Guards, ", ")) + "\n")
	}
	for _, l := range factLines(c) {
		b.WriteString(l + "\n")
	}
	for _, e := range c.Evidence {
		b.WriteString("\n" + line(e.Title) + " [" + line(e.Kind) + "]\n")
		for _, l := range strings.Split(strings.TrimRight(clean(e.Text), "\n"), "\n") {
			b.WriteString("  " + l + "\n")
		}
	}
	return b.String()
}

// steps tells where the time went.
func steps(c result.Case) string {
	var b strings.Builder
	for _, s := range c.Steps {
		fmt.Fprintf(&b, "%8.3f s  %s (%s)\n", s.Seconds, line(s.Name), line(s.State))
	}
	return b.String()
}

// summary is the last line of a report.
func summary(run result.Run, strict bool) string { return summaryExit(run, run.ExitCode(strict)) }

// summaryExit is the summary of a run that ends the program with the given status.
func summaryExit(run result.Run, code int) string {
	n := map[result.Verdict]int{}
	known, byDesign := 0, 0
	for _, c := range run.Results {
		v := c.Verdict
		if !v.Valid() {
			v = result.Inconclusive
		}
		n[v]++
		if v == result.Fail && c.Known {
			known++
		}
		if v == result.Inconclusive && c.ByDesign {
			byDesign++
		}
	}
	s := fmt.Sprintf(
		"%s in %.1f s: %d passed, %d failed",
		counted(len(run.Results), "scenario"),
		run.Seconds,
		n[result.Pass],
		n[result.Fail],
	)
	if known > 0 {
		s += fmt.Sprintf(" (%d known)", known)
	}
	s += fmt.Sprintf(", %d inconclusive", n[result.Inconclusive])
	if byDesign > 0 {
		s += fmt.Sprintf(" (%d by design)", byDesign)
	}
	s += fmt.Sprintf(", %d unsupported", n[result.Unsupported])
	if m := len(run.Missing()); m > 0 {
		s += fmt.Sprintf(", %d not run", m)
	}
	if code < 0 {
		return s + "."
	}
	return s + fmt.Sprintf(". Exit status %d.", code)
}

// counted is a number with its word: 1 scenario, 2 scenarios.
func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// alarms are what must not be overlooked: planned scenarios without a result, and known failures that passed.
func alarms(run result.Run) []string {
	var all []string
	if len(run.Results) == 0 {
		all = append(all, "NOTHING RAN: a run without a result counts as a failure.")
	}
	if run.NothingShown() {
		all = append(
			all,
			"NOTHING SHOWN: the target could show nothing of what was asked; this counts as inconclusive.",
		)
	}
	for _, id := range run.Missing() {
		all = append(all, fmt.Sprintf("NOT RUN: %s was planned and has no result; this counts as a failure.", line(id)))
	}
	for _, c := range run.Results {
		if c.UnexpectedPass() {
			all = append(all, fmt.Sprintf("ATTENTION: %s is %s", line(c.ID), message(c, line(run.Release))))
		}
	}
	return all
}

// cut shortens to at most limit bytes, at a rune, and says so.
func cut(s string, limit int, note string) string {
	if len(s) <= limit {
		return s
	}
	s = s[:max(0, limit-len(note))]
	for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
		s = s[:len(s)-1]
	}
	return s + note
}
