package reports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// pictured is a run whose failures have all that a report draws.
func pictured() result.Run {
	at := func(s int) *time.Time {
		t := time.Date(2026, 11, 25, 2, 35, s, 0, time.UTC)
		return &t
	}
	run := result.Run{Schema: result.SchemaVersion, Target: "lab", Release: "4.20.0.0", Seed: 7, Seconds: 12.5,
		Started: *at(0), Router: "model, rules of 4.20.0.0"}
	crossed := result.Case{ID: "U-02", Title: "deleting an LB rule leaves the usage row of another, live rule alone",
		Group: result.GroupUsage, Verdict: result.Fail, Known: true,
		KnownWhy: "#10789: usage rows are looked up by helper id; fixed by #10712 in 4.19.3.0",
		Guards:   []string{"#10789", "#9443"}, Seconds: 1.25, Repeats: 1, Failures: 1,
		Reason: "LB rule A was deleted at 02:36:03 and is still billed: its usage row is open",
		Findings: []result.Finding{
			{Says: "LB rule A was deleted at 02:36:03 and is still billed: its usage row is open",
				Subject: "load balancer rule 3", Class: "leaked-row", Codes: []string{"I1", "I4"},
				Numbers: []string{"internal id 3, helper id 1"}},
			{Says: "LB rule R3 is alive and no longer billed: its usage row was closed at 02:36:03, when LB rule A " +
				"was deleted", Subject: "load balancer rule 5", Class: "crossed-close", Codes: []string{"I3"},
				Numbers: []string{"internal id 5, helper id 3"}},
		},
		Steps: []result.Step{{Name: "delete A", Seconds: .25, State: "done", At: *at(60)},
			{Name: "usage run", Seconds: .5, State: "fail", At: *at(65)}},
		Evidence: []result.Evidence{{Kind: result.KindRows, Title: "usage rows", Text: "id  lb_id\n1   3\n3   5"},
			{Kind: result.KindRows, Title: "usage rows of kind load balancer rule, before and after the usage run",
				Step: 2, Text: rowsText("open", "2026-11-25 02:36:03")}}}
	crossed.Moments = []result.Moment{{Step: 0, Kind: result.MomentPush, Count: 2, Says: "pushed to the router"},
		{Step: 1, Kind: result.MomentUsageRun, At: *at(119), Says: "usage run up to 02:36:59"}}
	life := result.Life{Kind: "load balancer rule", Table: "usage_load_balancer_policy", Name: "LB rule A", ID: 3,
		HelperID: 1, Born: at(10), Died: at(63), Opened: *at(10), Class: "leaked-row",
		Billed: []result.Billed{{From: *at(0), To: *at(180), Hours: 170. / 3600}}}
	victim := result.Life{Kind: life.Kind, Table: life.Table, Name: "LB rule R3", ID: 5, HelperID: 3, Born: at(20),
		Opened: *at(20), Closed: at(63), ClosedBy: "LB rule A", Class: "crossed-close",
		Records: []result.Billed{{From: *at(0), To: *at(60), Hours: 40. / 3600},
			{From: *at(60), To: *at(120), Hours: 3. / 3600}}}
	crossed.Lives = []result.Life{life, victim, {Kind: life.Kind, Table: life.Table, Name: "LB rule R4", ID: 6,
		HelperID: 4, Born: at(20), Opened: *at(20)}}

	moved := result.Case{ID: "L-01", Title: "a source policy that equals a sibling's is applied", Group: result.GroupLB,
		Verdict: result.Fail, Seconds: 2, Repeats: 1, Failures: 1,
		Reason: "LB rule B has a stickiness policy, but does not keep its clients: 1 of 2 changed their backend",
		Findings: []result.Finding{{Says: "LB rule B has a stickiness policy, but does not keep its clients: 1 of 2 " +
			"changed their backend", Class: "not-sticky"}},
		Steps: []result.Step{{Name: "clients of B stay", Seconds: 1, State: "fail"}}}
	moved.Grids = []result.Grid{{Rule: "B", Control: "free", Verdict: "NOT STICKY", Backends: []string{"10.1.1.2:80",
		"10.1.1.3:80"},
		Clients: []result.GridRow{{Client: "10.9.0.1", Rule: []int{0, 1, 0}, Control: []int{1, 0, 1}},
			{Client: "10.9.0.2", Rule: []int{1, 1, 1}, Control: []int{0, 1}}}}}
	bind := "bind 10.1.1.5:80"
	moved.Sections = []result.Section{{Router: "r-3-VM", Name: "10_1_1_5-80", Rule: "B",
		Push: []string{bind, "stick on src"}, Written: []string{bind, "stick on src"}, Live: []string{bind},
		Process: []string{bind}}}
	run.Results = []result.Case{crossed, moved,
		{ID: "U-03", Title: "control", Verdict: result.Inconclusive, ByDesign: true,
			Reason: "with equal ids nothing is shown", Seconds: .5, Repeats: 1, Inconclusives: 1},
		{ID: "L-02", Title: "a policy is removed", Verdict: result.Pass, Seconds: .5, Repeats: 59,
			Claim: "0 of 59 repeats failed (L-02, lab, 4.20.0.0). With 95 % confidence the failure rate under these " +
				"conditions is below 5.0 %."}}
	return run
}

// rowsText is a table of usage rows as a story shows it: the row of R3 is closed so before and so after.
func rowsText(before, after string) string {
	const columns = "%-40s  %-11s  %-9s  %-19s  %-19s  %-19s  %s\n"
	return fmt.Sprintf(columns, "name", "internal id", "helper id", "created", "closed before", "closed after",
		"delete event") +
		fmt.Sprintf(columns, "A d3d10253-c85c-49a3-837e-dc67ea6fe927", "3", "1", "2026-11-25 02:35:10", "open", "open",
			"2026-11-25 02:36:03") +
		fmt.Sprintf(columns, "R3 5f529e7e-1795-4eff-9f3f-f6a49ca96b56", "5", "3", "2026-11-25 02:35:20", before, after,
			"–") +
		fmt.Sprintf(columns, "R4", "6", "4", "2026-11-25 02:35:20", "open", "open", "–")
}

// large is a run of count cases that all fail with much to show.
func large(count int) result.Run {
	run := pictured()
	one := run.Results[0]
	one.Evidence = []result.Evidence{{Kind: result.KindRows, Title: "rows",
		Text: strings.Repeat("load balancer rule 3  cloud_usage.usage_load_balancer_policy  2026-11-25 02:37:03\n",
			150)}}
	run.Results = nil
	for i := range count {
		one.ID = fmt.Sprintf("U-02-%d", i)
		run.Results = append(run.Results, one)
	}
	return run
}

// hostile are names that somebody might give to what a report shows.
func hostile() []string {
	return []string{
		`<script>window.harmed = 1</script>`, `"><img src=x onerror="window.harmed = 1">`,
		`</style></script></textarea>--><svg onload=harmed()>`,
		"]]>&amp;&#x0;&lt;", "{{.Title}} ${7*7} <%= 1 %>", "```\n# heading\n| a | b |\n</details>",
		"*a* _b_ [c](javascript:harmed) `d` \\|",
		`=HYPERLINK("http://x")`, "+1+1|cmd", "-2", "@SUM(A1)", "\t=1+1", "a,b;\"c\"\r\nd",
		"\x00\x01\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u0085\u2028\ufffe", "\u202egnp.exe\u2066\u200f", "\xff\xfe\xc3\x28",
		strings.Repeat("W", 10000), strings.Repeat("<", 3000), "", " ", "\n",
	}
}

// everywhere is a run that has a text wherever a text can be.
func everywhere(s string) result.Run {
	at := time.Date(2026, 11, 25, 2, 35, 0, 0, time.UTC)
	c := result.Case{ID: s, Title: s, Group: s, Verdict: result.Fail, Known: true, KnownWhy: s, Reason: s,
		Guards: []string{s}, Claim: s, Repeats: 1, Failures: 1,
		Findings: []result.Finding{{Says: s, Subject: s, Class: result.Class(s), Codes: []string{s},
			Numbers: []string{s}}},
		Steps: []result.Step{{Name: s, State: s, At: at}}, Evidence: []result.Evidence{{Kind: s, Title: s, Text: s}}}
	c.Moments = []result.Moment{{Kind: s, Says: s}}
	c.Lives = []result.Life{{Kind: s, Table: s, Name: s, UUID: s, Opened: at, ClosedBy: s, Class: s}}
	c.Grids = []result.Grid{{Rule: s, Control: s, Verdict: s, Reason: s, Backends: []string{s},
		Clients: []result.GridRow{{Client: s, Rule: []int{0, 7, -1}, Control: []int{0}}}}}
	c.Sections = []result.Section{{Router: s, Name: s, Rule: s, Push: []string{s}, Refusal: s}}
	open := c
	open.Verdict, open.Known = result.Inconclusive, false
	return result.Run{Target: s, Release: s, Router: s, Notes: []string{s}, Planned: []string{s, s + "x"},
		Results: []result.Case{c, open}}
}

// TestPageTellsWhyAtOnce: the failure of a small run is unfolded, the colours of its bars are named, and two pieces of
// evidence of one title are told apart.
func TestPageTellsWhyAtOnce(t *testing.T) {
	c := result.Case{ID: "U-02", Verdict: result.Fail, Known: true, KnownWhy: "#1", Reason: "A is billed",
		Evidence: []result.Evidence{{Kind: result.KindRows, Title: "rows", Text: "a"},
			{Kind: result.KindRows, Title: "rows", Text: "b"}, {Kind: result.KindRows, Title: "other", Text: "c"}}}
	run := result.Run{Schema: result.SchemaVersion, Release: "4.20.0.0", Planned: []string{"U-02"},
		Results: []result.Case{c}}
	page, err := HTML(run, false)
	require.NoError(t, err)
	require.Contains(t, string(page), "<details open>")
	require.Contains(t, string(page), `rows <span class="dim">(1 of 2, in the order of the story)`)
	require.Contains(t, string(page), `rows <span class="dim">(2 of 2, in the order of the story)`)
	c.Steps = []result.Step{{Name: "usage run"}, {Name: "delete"}}
	c.Evidence[1].Step = 2
	told, err := HTML(result.Run{Results: []result.Case{c}}, false)
	require.NoError(t, err)
	require.Contains(t, string(told), "(seen in step 2, delete)")
	require.Contains(t, string(page), "<summary>other</summary>")
	for i := range fewCases {
		run.Results = append(run.Results, result.Case{ID: fmt.Sprintf("U-1%d", i), Verdict: result.Pass})
	}
	page, err = HTML(run, false)
	require.NoError(t, err)
	require.NotContains(t, string(page), "<details open>", "a known failure of many cases")
}
