package reports

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// textLimit bounds the text of one failure; dorny/test-reporter refuses whole reports beyond 65,535 bytes, and other
// consumers cut it anyway. What is cut is in system-out in full.
const textLimit = 32 << 10

type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Name    string     `xml:"name,attr"`
	Time    string     `xml:"time,attr"`
	Tests   int        `xml:"tests,attr"`
	Fails   int        `xml:"failures,attr"`
	Errors  int        `xml:"errors,attr"`
	Skipped int        `xml:"skipped,attr"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Time       string          `xml:"time,attr"`
	Tests      int             `xml:"tests,attr"`
	Fails      int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class      string          `xml:"classname,attr"`
	Name       string          `xml:"name,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Skipped    *junitOutcome   `xml:"skipped"`
	Error      *junitOutcome   `xml:"error"`
	Failure    *junitOutcome   `xml:"failure"`
	Out        *junitText      `xml:"system-out"`
}

type junitOutcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",cdata"`
}

// junitText is CDATA so that line ends stay line ends in the file.
type junitText struct {
	Text string `xml:",cdata"`
}

func output(s string) *junitText {
	if s = strings.TrimLeft(s, "\n"); s == "" {
		return nil
	}
	return &junitText{s}
}

// JUnit is the run as JUnit XML, for a gate that reads nothing else: it is red exactly when the exit status is not 0.
//
//   - A failure is a failure. A known one is skipped with a message that begins "known:", its evidence in system-out;
//     with strict it is a failure.
//   - A known failure that passes is a pass that says so in system-out; with strict it is a failure.
//   - Inconclusive is an error of type "unknown"; when it is so by design it is skipped.
//   - Unsupported is skipped. A planned scenario without a result is a failure of type "missing".
//
// Repeats are one case, with their counts as properties. Characters that XML does not allow are left out.
func JUnit(run result.Run, strict bool) ([]byte, error) {
	release := line(run.Release)
	suite := junitSuite{
		Name: strings.TrimSpace("stackproof " + line(run.Target) + " " + release),
		Time: seconds(run.Seconds),
	}
	if !run.Started.IsZero() {
		suite.Timestamp = run.Started.UTC().Format(time.RFC3339)
	}
	suite.property("target", run.Target)
	suite.property("release", run.Release)
	suite.property("seed", strconv.FormatInt(run.Seed, 10))
	suite.property("router", run.Router)
	suite.property("strict", strconv.FormatBool(strict))
	for _, n := range run.Notes {
		suite.property("note", n)
	}
	names := map[string]bool{}
	for _, c := range run.Results {
		suite.Cases = append(suite.Cases, junitOf(c, release, strict, names))
	}
	for _, id := range run.Missing() {
		m := "planned, and has no result: it did not finish"
		suite.Cases = append(suite.Cases, junitCase{
			Class: "not run", Name: unique(names, "not run", cmp.Or(name(id), "without a name")), Time: seconds(0),
			Failure: &junitOutcome{Message: m, Type: "missing", Text: m + "\n"},
		})
	}
	if len(suite.Cases) == 0 { // some consumers drop a suite without a case, and with it the fact that nothing ran
		m := "nothing ran: the run has no result"
		suite.Cases = append(
			suite.Cases,
			junitCase{
				Class:   "not run",
				Name:    "run",
				Time:    seconds(0),
				Failure: &junitOutcome{Message: m, Type: "missing", Text: m + "\n"},
			},
		)
	}
	if run.NothingShown() { // skips alone are green to every consumer
		m := "the target could show nothing of what was asked"
		suite.Cases = append(
			suite.Cases,
			junitCase{
				Class: "not run",
				Name:  unique(names, "not run", "anything"),
				Time:  seconds(0),
				Error: &junitOutcome{Message: m, Type: "inconclusive", Text: m + "\n"},
			},
		)
	}
	suite.count()
	doc := junitSuites{
		Name:    "stackproof",
		Time:    suite.Time,
		Tests:   suite.Tests,
		Fails:   suite.Fails,
		Errors:  suite.Errors,
		Skipped: suite.Skipped,
		Suite:   suite,
	}
	data, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JUnit report: %w", err)
	}
	return append([]byte(xml.Header), append(data, '\n')...), nil
}

func (s *junitSuite) property(name, value string) {
	if value = line(value); value != "" {
		s.Properties = append(s.Properties, junitProperty{name, value})
	}
}

func (s *junitSuite) count() {
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		switch {
		case c.Failure != nil:
			s.Fails++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
}

func junitOf(c result.Case, release string, strict bool, names map[string]bool) junitCase {
	class := cmp.Or(name(c.Group), "scenarios")
	label := cmp.Or(strings.TrimSpace(name(c.ID)+" "+shorten(line(c.Title), 2*longest)), "without a name")
	j := junitCase{Class: class, Name: unique(names, class, label), Time: seconds(c.Seconds)}
	for _, p := range []junitProperty{
		{"verdict", verdict(c)}, {"repeats", strconv.Itoa(c.Repeats)}, {"failures", strconv.Itoa(c.Failures)},
		{"inconclusives", strconv.Itoa(c.Inconclusives)}, {"guards", line(strings.Join(c.Guards, " "))},
	} {
		if p.Value != "" {
			j.Properties = append(j.Properties, p)
		}
	}
	msg := message(c, release)
	full := msg + "\n" + details(c)
	outcome, took := &junitOutcome{Message: msg}, steps(c)
	switch gates := c.Gates(strict); {
	case gates == result.ExitFailed:
		j.Failure = outcome
		outcome.Type = string(c.Verdict)
		if c.UnexpectedPass() {
			outcome.Type = "unexpected-pass"
		}
	case gates == result.ExitInconclusive:
		j.Error = outcome
		outcome.Type = "unknown"
	case c.Verdict == result.Pass:
		j.Out = output(full + took)
		return j
	default:
		j.Skipped, outcome.Text = outcome, msg+"\n"
		j.Out = output(full + took)
		return j
	}
	outcome.Text = cut(full, textLimit, "\n[cut; the whole is in system-out]\n")
	if outcome.Text != full {
		took = full + took
	}
	j.Out = output(took)
	return j
}

// unique makes a name that no other case of the class has: of two equal ones GitLab drops the second.
func unique(names map[string]bool, class, name string) string {
	u := name
	for i := 2; names[class+"\x00"+u]; i++ {
		u = fmt.Sprintf("%s (%d)", name, i)
	}
	names[class+"\x00"+u] = true
	return u
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }
