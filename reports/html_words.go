package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// verdictSentence says in one sentence what the run came to.
func verdictSentence(run result.Run, strict bool) (sentence, class, sign string) {
	fails, known, open := 0, 0, 0
	defects := map[string]bool{}
	bugs := knownBugs(run)
	for _, c := range run.Results {
		switch {
		case c.Verdict == result.Fail && c.Known:
			known++
			defects[why(c, "")] = true
		case c.Gates(strict) == result.ExitFailed:
			fails++
		case c.Gates(strict) == result.ExitInconclusive:
			open++
		}
	}
	release, n := name(run.Release), len(run.Results)
	asKnown := ""
	if known > 0 {
		asKnown = fmt.Sprintf(
			"%d of %d scenarios fail through %d known %s",
			known,
			n,
			len(defects),
			plural("defect", len(defects)),
		)
	}
	switch code := run.ExitCode(strict); {
	case n == 0:
		return "Nothing ran, so nothing is shown.", "fail", "✗"
	case fails > 0:
		sentence = fmt.Sprintf(
			"%s fails: %d of %d scenarios failed in a way that is not known of it",
			release,
			fails,
			n,
		)
		if asKnown != "" {
			sentence += "; besides, " + asKnown
		}
		return sentence + ".", "fail", "✗"
	case code == result.ExitFailed && known > 0 && len(run.Missing()) == 0:
		return release + " fails: " + asKnown + ".", "fail", "✗"
	case code == result.ExitFailed:
		return fmt.Sprintf("%s: %d planned scenarios have no result.", release, len(run.Missing())), "fail", "✗"
	case run.NothingShown():
		return "The target could show nothing of what was asked.", "inconclusive", "?"
	case open > 0:
		return fmt.Sprintf(
			"%s is undecided: %d of %d scenarios could not be judged.",
			release,
			open,
			n,
		), "inconclusive", "?"
	case asKnown != "":
		return release + ": " + onlyKnown(known, n, bugs), "known", "!"
	}
	return fmt.Sprintf("%s: no scenario of %d failed.", release, n), "pass", "✓"
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// mostNamed is how many bugs a sentence names.
const mostNamed = 8

// onlyKnown says that known bugs showed up and nothing else. Bugs are their numbers, as far as they have one.
func onlyKnown(failed, all int, bugs []string) string {
	through := fmt.Sprintf("%d of %d scenarios failed through", failed, all)
	if all == 1 {
		through = "its scenario failed through"
	}
	switch len(bugs) {
	case 0:
		return "only known bugs showed up; " + through + " them."
	case 1:
		return "only the known bug " + bugs[0] + " showed up; " + through + " it."
	}
	names := strings.Join(bugs[:min(len(bugs), mostNamed)], ", ")
	if more := len(bugs) - mostNamed; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "only known bugs showed up (" + names + "); " + through + " them."
}

// knownBugs are the numbers of the bugs that known failures of a run are failures of. None where a failure's bug has no
// number: then the numbers are not all of them.
func knownBugs(run result.Run) []string {
	var all []string
	for _, c := range run.Results {
		if !c.Known || c.Verdict != result.Fail {
			continue
		}
		for _, b := range bugsOf(why(c, "")) {
			if b.Issue == "" {
				return nil
			}
			if !slices.Contains(all, b.Issue) {
				all = append(all, b.Issue)
			}
		}
	}
	return all
}

// exitNote says why the exit status is 0 although something failed; empty where it needs no word.
func exitNote(run result.Run, strict bool) string {
	failed := slices.ContainsFunc(run.Results, func(c result.Case) bool { return c.Verdict == result.Fail })
	if run.ExitCode(strict) != result.ExitOK || !failed {
		return ""
	}
	return "Exit status 0: a failure that the release is known for does not change it. With --strict it does."
}

// conditions name what a claim is made under.
func conditions(run result.Run) string {
	all := []string{"release " + name(run.Release), "target " + name(run.Target)}
	if run.Router != "" {
		all = append(all, "router "+line(run.Router))
	}
	return strings.Join(append(all, fmt.Sprintf("seed %d", run.Seed)), ", ")
}

// took tells how long a run was, and why its scenarios were longer together.
func took(run result.Run) string {
	sum := 0.0
	for _, c := range run.Results {
		sum += c.Seconds
	}
	says := fmt.Sprintf("%.1f s", run.Seconds)
	if sum > run.Seconds && len(run.Results) > 1 {
		says += fmt.Sprintf(". Scenarios ran side by side: together they took %.1f s", sum)
	}
	return says
}

// farApart is how far a target's clock is from this machine's when it is a clock of its own.
const farApart = 24 * time.Hour

// ownClock says by which clock the dates of a run's events are, where that is not this machine's.
func ownClock(run result.Run) string {
	var first time.Time
	for _, c := range run.Results {
		for _, s := range c.Steps {
			if !s.At.IsZero() && (first.IsZero() || s.At.Before(first)) {
				first = s.At
			}
		}
	}
	if first.IsZero() || run.Started.IsZero() || cmp.Compare(first.Sub(run.Started).Abs(), farApart) < 0 {
		return ""
	}
	return "its own, from " + clockText(first) + " on. All dates of steps, events and usage rows are by it, not by " +
		"the date of the run"
}
