package result

import "slices"

// Verdict is the outcome of a scenario.
type Verdict string

// The four verdicts. The worst wins: fail, inconclusive, unsupported, pass.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive" // could not be decided; the reason says why
	Unsupported  Verdict = "unsupported"  // the target lacks a capability that the scenario needs
)

// Valid says whether v is one of the four.
func (v Verdict) Valid() bool {
	switch v {
	case Pass, Fail, Inconclusive, Unsupported:
		return true
	default:
		return false
	}
}

// rank orders verdicts by badness. Anything that is not one of the four (also the empty one) counts as inconclusive, so
// that a verdict that nobody set can never look like a pass.
func (v Verdict) rank() int {
	switch v {
	case Pass:
		return 0
	case Unsupported:
		return 1
	case Fail:
		return 3
	default:
		return 2
	}
}

// Worse returns the worse of a and b; a when they rank alike.
func Worse(a, b Verdict) Verdict {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// Exit codes of a finished run. 2 (wrong use) and 4 (could not run) belong to the command.
const (
	ExitOK           = 0
	ExitFailed       = 1
	ExitInconclusive = 3
)

// Gates says what the case does to the exit status.
//
//   - A failure gates unless it is known; with strict a known one gates too.
//
// - A known failure that passes does not gate, but with strict it does: a gate that trusts the list of known failures
// must
//
//	  hear that the list is wrong (fixed by a patch, or the scenario is blind).
//	- Inconclusive gates as 3 unless it is so by design.
//
// - Unsupported does not gate; it stays visible in every report. A run of which nothing else is left proves nothing and
// is
//
//	inconclusive as a whole (ExitCode).
func (c Case) Gates(strict bool) int {
	switch c.Verdict {
	case Pass:
		if strict && c.Known {
			return ExitFailed
		}
		return ExitOK
	case Unsupported:
		return ExitOK
	case Fail:
		if c.Known && !strict {
			return ExitOK
		}
		return ExitFailed
	default:
		if c.ByDesign {
			return ExitOK
		}
		return ExitInconclusive
	}
}

// ExitCode is the exit status of the run: 0 all as expected, 1 a failure, 3 inconclusive and nothing failed. A planned
// scenario without a result is a failure, and so is a run without any result. A run that could show nothing of what was
// asked is inconclusive: its green tick would stand for nothing.
func (r Run) ExitCode(strict bool) int {
	if len(r.Results) == 0 || len(r.Missing()) > 0 {
		return ExitFailed
	}
	code := ExitOK
	if r.NothingShown() {
		code = ExitInconclusive
	}
	for _, c := range r.Results {
		switch c.Gates(strict) {
		case ExitFailed:
			return ExitFailed
		case ExitInconclusive:
			code = ExitInconclusive
		}
	}
	return code
}

// NothingShown says that the target could show nothing of what was asked: every scenario is unsupported.
func (r Run) NothingShown() bool {
	return len(r.Results) > 0 && !slices.ContainsFunc(r.Results, func(c Case) bool { return c.Verdict != Unsupported })
}
