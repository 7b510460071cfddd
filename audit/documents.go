package audit

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// CSV is one line a finding, for a spreadsheet.
func (r *Result) CSV() ([]byte, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{
		{
			"class",
			"checks",
			"kind",
			"resource_id",
			"part",
			"uuid",
			"account_id",
			"account",
			"table",
			"helper_id",
			"born",
			"died",
			"stored",
			"crossed_by",
			"events",
			"surplus_hours",
			"deficit_hours",
			"stalled",
			"lost",
			"text",
		},
	}
	for _, f := range r.Findings {
		born := ""
		if !f.Born.IsZero() {
			born = stamp(f.Born)
		}
		rows = append(
			rows,
			[]string{
				f.Class,
				strings.Join(f.Checks, " "),
				string(f.Kind),
				strconv.FormatInt(f.ID, 10),
				f.Part,
				f.UUID,
				strconv.FormatInt(f.AccountID, 10),
				plain(
					f.Account,
				),
				f.Table,
				strconv.FormatInt(f.HelperID, 10),
				born,
				dated(f.Died),
				dated(f.Stored),
				strconv.FormatInt(f.CrossedBy, 10),
				words(f.Events),
				hours(
					f.SurplusHours,
				),
				hours(f.DeficitHours),
				strconv.FormatBool(f.Stalled),
				strconv.FormatBool(f.Lost),
				plain(f.Text),
			},
		)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return []byte(b.String()), nil
}

// MoneyCSV is the table of surplus and deficit, by account, month and usage type (U13).
func (r *Result) MoneyCSV() ([]byte, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{
		{"account_id", "account", "month", "usage_type", "surplus_hours", "deficit_hours", "repeated_hours"},
	}
	for _, m := range r.Money {
		rows = append(
			rows,
			[]string{
				strconv.FormatInt(m.AccountID, 10),
				plain(m.Account),
				m.Month,
				strconv.FormatInt(m.UsageType, 10),
				hours(m.SurplusHours),
				hours(m.DeficitHours),
				hours(m.RepeatedHours),
			},
		)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return []byte(b.String()), nil
}

// Credits is what to give back, by account, month and usage type, as CSV for a billing system. cloud_usage itself is
// never changed.
func (r *Result) Credits() ([]byte, error) {
	return r.billing(func(m Money) float64 { return m.SurplusHours + m.RepeatedHours })
}

// Debits is what was not billed.
func (r *Result) Debits() ([]byte, error) {
	return r.billing(func(m Money) float64 { return m.DeficitHours })
}

func (r *Result) billing(of func(Money) float64) ([]byte, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{{"account_id", "account", "month", "usage_type", "hours"}}
	for _, m := range r.Money {
		if h := of(m); h > 0 {
			rows = append(
				rows,
				[]string{
					strconv.FormatInt(m.AccountID, 10),
					plain(m.Account),
					m.Month,
					strconv.FormatInt(m.UsageType, 10),
					hours(h),
				},
			)
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return []byte(b.String()), nil
}

func hours(h float64) string { return strconv.FormatFloat(h, 'f', 6, 64) }

func words(ids []int64) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(all, " ")
}

// plain keeps a spreadsheet from taking a name that somebody chose for a formula.
func plain(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

type junitSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"time,attr"`
	Suite    junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitOutcome `xml:"failure"`
	Error   *junitOutcome `xml:"error"`
	Skipped *junitOutcome `xml:"skipped"`
}

type junitOutcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit is one case a check: what was found is a failure, what could not be decided an error, what a database does
// not show is skipped.
func (r *Result) JUnit() ([]byte, error) {
	s := junitSuite{
		Name:      "stackproof audit",
		Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"),
		Time:      fmt.Sprintf("%.3f", r.Seconds),
	}
	for _, c := range r.Checks {
		one := junitCase{Class: "stackproof.audit", Name: c.ID + " " + c.Title, Time: "0"}
		out := &junitOutcome{
			Message: clip(c.Text, 300),
			Type:    string(c.Outcome),
			Text:    clip(strings.Join(append([]string{c.Text}, c.Evidence...), "\n"), 30_000),
		}
		switch c.Outcome {
		case Found:
			one.Failure = out
			s.Failures++
		case Undecidable:
			one.Error = out
			s.Errors++
		case NotLooked:
			one.Skipped = out
			s.Skipped++
		}
		s.Cases = append(s.Cases, one)
	}
	s.Tests = len(s.Cases)
	data, err := xml.MarshalIndent(
		junitSuites{
			Name:     s.Name,
			Tests:    s.Tests,
			Failures: s.Failures,
			Errors:   s.Errors,
			Skipped:  s.Skipped,
			Time:     s.Time,
			Suite:    s,
		},
		"",
		"  ",
	)
	if err != nil {
		return nil, fmt.Errorf("write JUnit: %w", err)
	}
	return append([]byte(xml.Header), append(data, '\n')...), nil
}

// Metrics are the numbers for monitoring, in the OpenMetrics text format.
func (r *Result) Metrics() []byte {
	var b strings.Builder
	gauge := func(name, help string) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	}
	gauge("stackproof_audit_up", "Whether the site could be audited.")
	b.WriteString("stackproof_audit_up 1\n")
	classes := r.Classes()
	gauge("stackproof_audit_rows", "Damaged usage rows by class.")
	for _, class := range classOrder() {
		if class != "OK" && class != "UNDECIDED" {
			fmt.Fprintf(&b, "stackproof_audit_rows{class=%q} %d\n", class, classes[class])
		}
	}
	var surplus, deficit, repeated float64
	for _, m := range r.Money {
		surplus, deficit, repeated = surplus+m.SurplusHours, deficit+m.DeficitHours, repeated+m.RepeatedHours
	}
	gauge("stackproof_audit_hours", "Hours billed too much, too little, and in repeated records.")
	fmt.Fprintf(
		&b,
		"stackproof_audit_hours{kind=\"surplus\"} %g\nstackproof_audit_hours{kind=\"deficit\"} "+
			"%g\nstackproof_audit_hours{kind=\"repeated\"} %g\n",
		surplus,
		deficit,
		repeated,
	)
	gauge(
		"stackproof_audit_check_found",
		"What each check has found; -1 when it could not be decided or was not looked at.",
	)
	for _, c := range r.Checks {
		n := c.Count
		if c.Outcome == Undecidable || c.Outcome == NotLooked {
			n = -1
		}
		fmt.Fprintf(&b, "stackproof_audit_check_found{check=%q} %d\n", c.ID, n)
	}
	gauge("stackproof_audit_refused_rules", "Load balancer rules and policies that a router refuses.")
	fmt.Fprintf(&b, "stackproof_audit_refused_rules %d\n", r.Check("L1").Count)
	gauge(
		"stackproof_audit_last_job_age_seconds",
		"Age of the end of the last successful usage job; -1 when there was none.",
	)
	fmt.Fprintf(&b, "stackproof_audit_last_job_age_seconds %d\n", r.Jobs.AgeSeconds)
	gauge("stackproof_audit_stalled_events", "Usage events that were never processed though later jobs ended well.")
	stalled := 0
	if r.Stall != nil {
		stalled = r.Stall.Events
	}
	fmt.Fprintf(&b, "stackproof_audit_stalled_events %d\n", stalled)
	gauge("stackproof_audit_taken_timestamp_seconds", "Database time of the audit.")
	fmt.Fprintf(&b, "stackproof_audit_taken_timestamp_seconds %d\n", r.Site.Taken.Unix())
	gauge("stackproof_audit_duration_seconds", "How long the audit took.")
	fmt.Fprintf(&b, "stackproof_audit_duration_seconds %g\n# EOF\n", r.Seconds)
	return []byte(b.String())
}

// MetricsDown are the metrics of a site that could not be audited.
func MetricsDown() []byte {
	return []byte(
		"# HELP stackproof_audit_up Whether the site could be audited.\n# TYPE stackproof_audit_up " +
			"gauge\nstackproof_audit_up 0\n# EOF\n",
	)
}

// The states of a Nagios-style check.
const (
	MonitorOK       = 0
	MonitorWarning  = 1
	MonitorCritical = 2
	MonitorUnknown  = 3
)

// Monitor is the audit as one line and a state that a Nagios-style check understands. Money that is being lost now
// is critical: rows that lie, a usage server that stands still or is not running. The rest is a warning.
func (r *Result) Monitor() (state int, line string) {
	var critical, warning []string
	for _, c := range r.Checks {
		switch {
		case c.Outcome != Found || c.ID == "U13":
		case strings.HasPrefix(c.ID, "U") && c.ID != "U6" && c.ID != "U12" && !r.onlyLater(c):
			critical = append(critical, c.ID)
		default:
			warning = append(warning, c.ID)
		}
	}
	var surplus float64
	for _, m := range r.Money {
		surplus += m.SurplusHours
	}
	numbers := fmt.Sprintf("| rows=%d surplus_hours=%.2f job_age=%ds", len(r.Findings), surplus, r.Jobs.AgeSeconds)
	switch {
	case len(critical) > 0:
		return MonitorCritical, fmt.Sprintf(
			"STACKPROOF CRITICAL - %s %s",
			strings.Join(append(critical, warning...), " "),
			numbers,
		)
	case len(warning) > 0:
		return MonitorWarning, fmt.Sprintf("STACKPROOF WARNING - %s %s", strings.Join(warning, " "), numbers)
	case r.Inconclusive():
		return MonitorUnknown, "STACKPROOF UNKNOWN - nothing could be decided yet " + numbers
	}
	return MonitorOK, "STACKPROOF OK - nothing found " + numbers
}
