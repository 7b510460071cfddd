package reports

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	require.Equal(t, string(want), string(got))
}

// sample has a case of every outcome.
func sample() result.Run {
	return result.Run{
		Schema: 1, Target: "lab", Release: "4.19.1.0", Seed: 20261121, Seconds: 18.25, Started: time.Date(2026, 11, 21,
			23, 1, 2, 0, time.UTC),
		Router: "model, rules of 4.19.1", Notes: []string{"Knob usage-close-by-helper-id is on."},
		Planned: []string{"U-01", "U-02", "U-03", "L-01", "L-02", "L-04", "A-02", "A-09", "X-01"},
		Results: []result.Case{
			{
				ID: "U-01", Title: "A deleted LB rule of a VPC tier is no longer billed", Group: result.GroupUsage,
				Verdict: result.Fail, Known: true,
				KnownWhy: "#10789, fixed in 4.19.3.0 and 4.20.1.0",
				Reason:   "LB rule B was deleted at 22:17:47 and is still billed: its usage row is open", Seconds: 1.5,
				Findings: []result.Finding{
					{Says: "usage was run", Numbers: []string{"3 windows"}},
					{Says: "LB rule B was deleted at 22:17:47 and is still billed: its usage row is open",
						Subject: "load balancer rule 6", Class: "leaked-row",
						Numbers: []string{"LB rule B: internal id 6, usage row (helper id) 4",
							"I4, cloud_usage.cloud_usage: 9 records with 0.136944 hours too many"},
						Codes: []string{"I1", "I4", "I5"}},
				},
				Repeats: 3, Failures: 3, Guards: []string{"#10789", "#9443"},
				Claim: "3 of 3 repeats failed (U-01, lab, 4.19.1.0). With 95 % confidence the failure rate under " +
					"these conditions is between 29.2 % and 100.0 %.",
				Steps: []result.Step{{Name: "create VPC", Seconds: 0.25, State: "done"},
					{Name: "drain usage", Seconds: 0.75, State: "done"}},
				Evidence: []result.Evidence{
					{Kind: result.KindRows, Title: "usage_load_balancer_policy",
						Text: "id  lb_id  deleted before  deleted after\n4   6      NULL            NULL\n6   8     " +
							" NULL            2026-11-21 22:17:47\n"},
					{Kind: result.KindNote, Title: "records after the delete",
						Text: "9 records of type 11, 0.136944 h too many"},
				},
			},
			{
				ID: "L-04", Title: "Stickiness changed while one of 50 groups is disabled reaches the router, and " +
					"is gone again after the policy was deleted", Group: result.GroupLB,
				Verdict: result.Fail, Reason: "client 10.2.0.7 moved: stickiness of rule grp-50 is not live",
				Seconds: 9.75, Repeats: 1, Failures: 1,
				Steps: []result.Step{{Name: "enable group", Seconds: 1, State: "done"},
					{Name: "probe clients", Seconds: 2.5, State: "failed: client 10.2.0.7 moved"}},
				Evidence: []result.Evidence{
					{Kind: result.KindFileDiff, Title: "rendered against live haproxy.cfg, listen 10_1_1_50-80",
						Text: "+\tstick-table type ip size 200k expire 30m\n+\tstick on src\n"},
					{Kind: result.KindTrace, Title: "client 10.2.0.7",
						Text: "vm-1 vm-1 \x1b[31mvm-2\x1b[0m vm-1 <-- moved & back ```\x00\ufffe"},
					{Kind: result.KindPush, Title: "last push",
						Text: `{"com.cloud.agent.api.routing.LoadBalancerConfigCommand":{"maxconn":"4096"}}`},
				},
			},
			{ID: "L-01", Title: "Two rules with equal policies", Group: result.GroupLB, Verdict: result.Pass,
				Known: true, KnownWhy: "#9822, fixed in 4.19.2.0", Seconds: 1, Repeats: 1},
			{ID: "L-02", Title: "A policy that is gone | no pipe breaks *this*", Group: result.GroupLB,
				Verdict: result.Pass, Seconds: 0.5, Repeats: 59,
				Claim: "0 of 59 repeats failed (L-02, lab, 4.19.1.0). With 95 % confidence the failure rate under " +
					"these conditions is below 5.0 %."},
			{ID: "U-03", Title: "Create and delete within one second", Group: result.GroupUsage,
				Verdict: result.Inconclusive, ByDesign: true,
				Reason: "the order of two events of one second is undefined", Seconds: 0.2, Repeats: 1,
				Inconclusives: 1},
			{ID: "U-02", Title: "A live rule's row stays open", Group: result.GroupUsage, Verdict: result.Inconclusive,
				Reason: "helper id and rule id are equal:\nthe fault cannot show", Seconds: 0.3, Repeats: 10,
				Inconclusives: 1},
			{ID: "A-02", Title: "Push counting", Group: result.GroupAutoscale, Verdict: result.Unsupported,
				Reason: "the target cannot count pushes", Repeats: 1},
			{ID: "A-09", Title: "Nobody set a verdict", Group: result.GroupAutoscale, Repeats: 1},
		},
	}
}

func TestGolden(t *testing.T) {
	for _, strict := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "strict"}[strict]
		xmlText, err := JUnit(sample(), strict)
		require.NoError(t, err)
		golden(t, name+".junit.xml", xmlText)
		golden(t, name+".md", []byte(markdown(t, sample(), strict)))
		golden(t, name+".txt", []byte(Text(sample(), TextOptions{Strict: strict})))
	}
	golden(t, "narrow.colour.txt", []byte(Text(sample(), TextOptions{Width: 72, Color: true})))
	data, err := JSON(sample())
	require.NoError(t, err)
	golden(t, "run.json", data)
	back, err := result.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, "L-04", back.Results[1].ID)
}

func markdown(t *testing.T, run result.Run, strict bool) string {
	t.Helper()
	md, err := Markdown(run, strict)
	require.NoError(t, err)
	return string(md)
}

func TestEmptyRunIsNeverGreen(t *testing.T) {
	run := result.Run{Target: "lab", Release: "4.20.1.0"}
	data, err := JUnit(run, false)
	require.NoError(t, err)
	doc := parse(t, data)
	require.Equal(t, "1", doc.suite(t).attr("failures"))
	require.Contains(t, Text(run, TextOptions{}), "NOTHING RAN")
	require.Contains(t, markdown(t, run, false), "NOTHING RAN")
}

func TestRunThatCouldShowNothingIsNeverGreen(t *testing.T) {
	run := result.Run{Target: "existing", Release: "4.20.1.0",
		Results: []result.Case{{ID: "L-01", Verdict: result.Unsupported}, {ID: "L-02", Verdict: result.Unsupported}}}
	data, err := JUnit(run, false)
	require.NoError(t, err)
	validate(t, data)
	require.Equal(t, "1", parse(t, data).suite(t).attr("errors"))
	require.Contains(t, Text(run, TextOptions{}), "NOTHING SHOWN")
	require.Contains(t, markdown(t, run, false), "NOTHING SHOWN")
	run.Results[0].Verdict = result.Pass
	require.NotContains(t, Text(run, TextOptions{}), "NOTHING SHOWN")
}

// The gate that reads JUnit and the gate that reads the exit status must agree.
func TestJUnitAgreesWithTheExitStatus(t *testing.T) {
	for _, v := range []result.Verdict{result.Fail, result.Inconclusive, result.Unsupported, result.Pass, ""} {
		for _, known := range []bool{false, true} {
			for _, byDesign := range []bool{false, true} {
				for _, strict := range []bool{false, true} {
					run := result.Run{Target: "lab", Release: "4.20.1.0",
						Results: []result.Case{{ID: "x", Verdict: v, Known: known, ByDesign: byDesign}}}
					data, err := JUnit(run, strict)
					require.NoError(t, err)
					s := parse(t, data).suite(t)
					red := s.attr("failures") != "0" || s.attr("errors") != "0"
					require.Equal(t, run.ExitCode(strict) != 0, red, "%q known=%t byDesign=%t strict=%t\n%s", v, known,
						byDesign, strict, data)
				}
			}
		}
	}
}

func TestJUnitNamesAreUnique(t *testing.T) {
	run := result.Run{Planned: []string{"U-01", "U-02", "U-02"}, Results: []result.Case{{ID: "U-01", Title: "t"},
		{ID: "U-01", Title: "t"}, {ID: "U-01", Title: "t (2)"}}}
	data, err := JUnit(run, false)
	require.NoError(t, err)
	validate(t, data)
}

func TestJUnitKeepsLongEvidenceWhole(t *testing.T) {
	long := strings.Repeat("ä long line of evidence\n", 5000)
	run := result.Run{Results: []result.Case{{ID: "U-01", Verdict: result.Fail, Reason: "r",
		Evidence: []result.Evidence{{Title: "e", Text: long}}}}}
	data, err := JUnit(run, false)
	require.NoError(t, err)
	validate(t, data)
	c := parse(t, data).suite(t).children("testcase")[0]
	text := c.children("failure")[0].text
	require.LessOrEqual(t, len(text), textLimit)
	require.True(t, strings.HasPrefix(text, "r\n"))
	require.Contains(t, text, "system-out")
	require.Equal(t, 5000, strings.Count(c.children("system-out")[0].text, "ä long line"))
}

func TestIllegalCharacters(t *testing.T) {
	bad := "a\x00b\x0bc\x1b[1;31md\x1b]0;title\x07e\xfff\ufffeg\u0085h\r\ni\x7f"
	require.Equal(t, "abcdefgh\ni", clean(bad))
	run := result.Run{Target: bad, Release: bad, Router: bad, Notes: []string{bad}, Planned: []string{bad},
		Results: []result.Case{{
			ID: bad, Title: bad, Group: bad, Verdict: result.Fail, Reason: bad, KnownWhy: bad, Guards: []string{bad},
			Claim:    bad,
			Steps:    []result.Step{{Name: bad, State: bad}},
			Evidence: []result.Evidence{{Kind: bad, Title: bad, Text: bad}},
		}}}
	data, err := JUnit(run, false)
	require.NoError(t, err)
	validate(t, data)
	for name, text := range map[string]string{"junit": string(data), "text": Text(run, TextOptions{}),
		"markdown": markdown(t, run, false)} {
		require.True(t, utf8.ValidString(text), name)
		require.NotContains(t, text, "\ufffd", name)
		require.False(t, strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' }),
			name)
		require.NotContains(t, text, "[1;31m", name)
	}
}

func TestMarkdownLimit(t *testing.T) {
	run := result.Run{Target: "lab"}
	for i := range 40 {
		run.Results = append(run.Results, result.Case{ID: fmt.Sprintf("U-%02d", i), Verdict: result.Fail, Reason: "r",
			Evidence: []result.Evidence{{Title: "e", Text: strings.Repeat("0123456789\n", 5000)}}})
	}
	md := markdown(t, run, false)
	require.LessOrEqual(t, len(md), MarkdownLimit)
	require.Greater(t, len(md), MarkdownLimit/2, "what fits is there")
	require.Equal(t, strings.Count(md, "<details>"), strings.Count(md, "</details>"))
	left := 40 - strings.Count(md, "<details>")
	require.Contains(t, md, fmt.Sprintf("Details of %d case(s) did not fit", left))
	require.Contains(t, md, "| U-39 |", "the table is complete")

	for range 10000 {
		run.Results = append(run.Results, result.Case{ID: "x", Title: strings.Repeat("t", 300), Verdict: result.Pass})
	}
	require.LessOrEqual(t, len(markdown(t, run, false)), MarkdownLimit, "also when the table alone is too long")
}

func TestMarkdownFenceHolds(t *testing.T) {
	md := markdown(t, sample(), false)
	require.Contains(t, md, "\n````\nclient 10.2.0.7 moved")
	require.Contains(t, md, `no pipe breaks`)
	for _, l := range strings.Split(md, "\n") {
		if strings.HasPrefix(l, "| ") {
			require.Equal(t, 6, strings.Count(strings.ReplaceAll(l, `\|`, ""), "|"), l)
		}
	}
}

func TestTextFitsTheTerminal(t *testing.T) {
	text := Text(sample(), TextOptions{Width: 72})
	for _, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, "L-04  ") {
			require.LessOrEqual(t, utf8.RuneCountInString(l), 72)
			require.True(t, strings.HasSuffix(l, "…"), l)
		}
	}
	require.NotContains(t, text, "\x1b")
	require.Contains(t, text, "stick-table type ip size 200k expire 30m", "evidence is never cut")
}

func TestValidatorCanFail(t *testing.T) {
	good, err := JUnit(sample(), false)
	require.NoError(t, err)
	require.Empty(t, problems(t, good))
	for name, change := range map[string][2]string{
		"suite without name": {`<testsuite name="stackproof lab 4.19.1.0"`, `<testsuite`},
		"wrong count":        {`skipped="3"`, `skipped="2"`},
		"two outcomes":       {`<failure `, `<skipped message="x">x</skipped><failure `},
		"equal names": {`name="U-02 A live rule&#39;s row stays open"`,
			`name="U-03 Create and delete within one second"`},
		"time that is not one": {`time="9.750"`, `time="NaN"`},
		"message not in text":  {`message="client 10.2.0.7 moved`, `message="client moved`},
		"unknown element":      {`<system-out>`, `<sysout></sysout><system-out>`},
		"case without class":   {`classname="autoscale"`, `class="autoscale"`},
		"nested suite": {`<testcase classname="usage"`,
			`<testsuite name="n"></testsuite><testcase classname="usage"`},
		"property without name": {`<property name="seed"`, `<property key="seed"`},
	} {
		require.Contains(t, string(good), change[0], name)
		bad := strings.Replace(string(good), change[0], change[1], 1)
		require.NotEmpty(t, problems(t, []byte(bad)), name)
	}
}

// element is any XML, as a consumer that knows no schema of ours would read it.
type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Nodes   []element  `xml:",any"`
	text    string
	Raw     string `xml:",chardata"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) children(name string) []element {
	var found []element
	for _, n := range e.Nodes {
		if n.XMLName.Local == name {
			n.text = n.Raw
			found = append(found, n)
		}
	}
	return found
}

func (e element) suite(t *testing.T) element {
	t.Helper()
	suites := e.children("testsuite")
	require.Len(t, suites, 1)
	return suites[0]
}

func parse(t *testing.T, data []byte) element {
	t.Helper()
	var e element
	require.NoError(t, xml.Unmarshal(data, &e))
	return e
}

func validate(t *testing.T, data []byte) {
	t.Helper()
	require.Empty(t, problems(t, data), "%s", data)
}

// schema is what JUnit consumers agree on: attributes that must be there, and children that may be.
var schema = map[string]struct{ attrs, children []string }{
	"testsuites": {[]string{"name", "time", "tests", "failures", "errors", "skipped"}, []string{"testsuite"}},
	"testsuite": {[]string{"name", "time", "tests", "failures", "errors", "skipped"},
		[]string{"properties", "testcase"}},
	"testcase": {[]string{"classname", "name", "time"}, []string{"properties", "skipped", "error", "failure",
		"system-out"}},
	"properties": {nil, []string{"property"}},
	"property":   {[]string{"name", "value"}, nil},
	"failure":    {[]string{"message", "type"}, nil},
	"error":      {[]string{"message", "type"}, nil},
	"skipped":    {[]string{"message"}, nil},
	"system-out": {nil, nil},
}

// problems checks the structure and the rules for consumers.
func problems(t *testing.T, data []byte) []string {
	t.Helper()
	root := parse(t, data)
	var found []string
	if root.XMLName.Local != "testsuites" {
		found = append(found, "root is "+root.XMLName.Local)
	}
	structure(root, &found)
	for _, s := range root.children("testsuite") {
		counts := map[string]int{}
		names := map[string]bool{}
		for _, c := range s.children("testcase") {
			id := c.attr("classname") + "\x00" + c.attr("name")
			if names[id] {
				found = append(found, "twice: "+id)
			}
			names[id] = true
			outcomes := 0
			for attr, el := range map[string]string{"failures": "failure", "errors": "error", "skipped": "skipped"} {
				for _, o := range c.children(el) {
					outcomes++
					counts[attr]++
					first, _, _ := strings.Cut(o.text, "\n")
					if first != o.attr("message") {
						found = append(found, "first line is not the message: "+first)
					}
				}
			}
			if outcomes > 1 {
				found = append(found, "more than one outcome: "+id)
			}
		}
		counts["tests"] = len(s.children("testcase"))
		for _, attr := range []string{"tests", "failures", "errors", "skipped"} {
			if s.attr(attr) != strconv.Itoa(counts[attr]) || root.attr(attr) != s.attr(attr) {
				found = append(found, fmt.Sprintf("%s is %s, counted %d", attr, s.attr(attr), counts[attr]))
			}
		}
	}
	return found
}

func structure(e element, found *[]string) {
	rule, ok := schema[e.XMLName.Local]
	if !ok {
		*found = append(*found, "unknown element "+e.XMLName.Local)
	}
	for _, a := range rule.attrs {
		v := e.attr(a)
		if v == "" {
			*found = append(*found, e.XMLName.Local+" has no "+a)
		}
		if seconds, err := strconv.ParseFloat(v, 64); a == "time" && (err != nil || !(seconds >= 0)) {
			*found = append(*found, "time is "+v)
		}
	}
	for _, n := range e.Nodes {
		if !slices.Contains(rule.children, n.XMLName.Local) {
			*found = append(*found, n.XMLName.Local+" in "+e.XMLName.Local)
		}
		structure(n, found)
	}
}
