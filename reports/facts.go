package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// facts are the findings of a case, those with a class first: a class says what a customer feels, what has none is
// often only how it came about. A case without findings has its reason as the only fact.
func facts(c result.Case) []result.Finding {
	all := slices.Clone(c.Findings)
	slices.SortStableFunc(all, func(a, b result.Finding) int {
		switch {
		case a.Class != "" && b.Class == "":
			return -1
		case a.Class == "" && b.Class != "":
			return 1
		}
		return 0
	})
	if len(all) == 0 && c.Verdict != result.Pass {
		all = []result.Finding{{Says: reasonOf(c)}}
	}
	return all
}

// reasonOf is a case's reason on one line; never empty unless the case passed.
func reasonOf(c result.Case) string {
	reason := line(c.Reason)
	if !c.Verdict.Valid() {
		reason = strings.TrimSpace(fmt.Sprintf("no verdict was set (%q) %s", c.Verdict, reason))
	}
	if reason == "" && c.Verdict != result.Pass {
		reason = "no reason was given"
	}
	return reason
}

// headline is the sentence that a person would say of the case. Where several repeats were made, the reason names the
// one that it is from.
func headline(c result.Case) string {
	if c.Verdict != result.Fail || len(c.Findings) == 0 {
		return reasonOf(c)
	}
	says := line(facts(c)[0].Says)
	if at, _, named := strings.Cut(line(c.Reason), ": "); named && c.Repeats > 1 && strings.HasPrefix(at, "repeat ") {
		return at + ": " + says
	}
	return says
}

// codes are the class and the invariants of a fact, for the end of its sentence; empty when it has none.
func codes(f result.Finding) string {
	class, list := line(string(f.Class)), line(strings.Join(f.Codes, " "))
	switch {
	case class == "" && list == "":
		return ""
	case class == "":
		return "[" + list + "]"
	case list == "":
		return "[" + class + "]"
	}
	return "[" + class + ": " + list + "]"
}

// factLines tells the facts below the headline, which is the sentence of the first one: numbers, then codes.
func factLines(c result.Case) []string {
	if len(c.Findings) == 0 {
		return nil
	}
	var lines []string
	for i, f := range facts(c) {
		if i > 0 {
			lines = append(lines, line(f.Says))
		}
		for _, n := range f.Numbers {
			lines = append(lines, "     "+line(n))
		}
		if code := codes(f); code != "" {
			lines = append(lines, "     "+code)
		}
	}
	return lines
}
