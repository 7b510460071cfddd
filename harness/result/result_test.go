package result

import (
	"bytes"
	"encoding/json"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWorseFollowsTheOrder(t *testing.T) {
	order := []Verdict{Fail, Inconclusive, Unsupported, Pass}
	for i, a := range order {
		for j, b := range order {
			want := a
			if j < i {
				want = b
			}
			require.Equal(t, want, Worse(a, b), "Worse(%s, %s)", a, b)
		}
	}
	require.Equal(t, Verdict(""), Worse(Pass, ""), "an unset verdict must beat pass")
}

func TestExitCode(t *testing.T) {
	c := func(v Verdict) Case { return Case{ID: string(v), Verdict: v} }
	known := func(v Verdict) Case { return Case{ID: "known-" + string(v), Verdict: v, Known: true} }
	byDesign := Case{ID: "U-03", Verdict: Inconclusive, ByDesign: true}
	for _, tt := range []struct {
		name         string
		planned      []string
		cases        []Case
		want, strict int
	}{
		{name: "all pass", cases: []Case{c(Pass)}},
		{name: "nothing ran", want: 1, strict: 1},
		{name: "failure", cases: []Case{c(Pass), c(Fail)}, want: 1, strict: 1},
		{name: "known failure", cases: []Case{known(Fail)}, strict: 1},
		{name: "known failure passes", cases: []Case{known(Pass)}, strict: 1},
		{name: "inconclusive", cases: []Case{c(Pass), c(Inconclusive)}, want: 3, strict: 3},
		{name: "known but inconclusive", cases: []Case{known(Inconclusive)}, want: 3, strict: 3},
		{name: "inconclusive by design", cases: []Case{c(Pass), byDesign}},
		{name: "failure beats inconclusive", cases: []Case{c(Inconclusive), c(Fail)}, want: 1, strict: 1},
		{name: "failure by design still fails", cases: []Case{{ID: "x", Verdict: Fail, ByDesign: true}}, want: 1,
			strict: 1},
		{name: "unsupported beside a pass", cases: []Case{c(Pass), c(Unsupported)}},
		{name: "unsupported beside a known failure", cases: []Case{c(Unsupported), known(Fail)}, strict: 1},
		{name: "nothing but unsupported", cases: []Case{c(Unsupported), known(Unsupported)}, want: 3, strict: 3},
		{name: "verdict never set", cases: []Case{c("")}, want: 3, strict: 3},
		{name: "missing", planned: []string{"pass", "U-01"}, cases: []Case{c(Pass)}, want: 1, strict: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Run{Planned: tt.planned, Results: tt.cases}
			require.Equal(t, tt.want, r.ExitCode(false))
			require.Equal(t, tt.strict, r.ExitCode(true))
		})
	}
	r := Run{Planned: []string{"b", "pass", "a"}, Results: []Case{c(Pass)}}
	require.Equal(t, []string{"b", "a"}, r.Missing())
}

func TestUnexpectedPass(t *testing.T) {
	require.True(t, Case{Known: true, Verdict: Pass}.UnexpectedPass())
	require.False(t, Case{Known: true, Verdict: Fail}.UnexpectedPass())
	require.False(t, Case{Verdict: Pass}.UnexpectedPass())
}

func sample() Run {
	return Run{
		Schema: SchemaVersion, Target: "lab", Release: "4.19.1.0", Seed: -7, Seconds: 12.5,
		Started: time.Date(2026, 11, 21, 23, 1, 2, 0, time.UTC),
		Planned: []string{"U-01", "L-01"}, Router: "model, rules of 4.19.1.0", Notes: []string{"note"},
		Results: []Case{{
			ID: "U-01", Title: "delete an LB rule", Verdict: Fail, Known: true, KnownWhy: "#10789",
			Reason:  "row 6 <open>",
			Seconds: 1.5, Repeats: 3, Failures: 2, Inconclusives: 1, Guards: []string{"#10789"}, Group: GroupUsage,
			Steps:    []Step{{Name: "drain", Seconds: 0.5, State: "done"}},
			Evidence: []Evidence{{Kind: KindRows, Title: "rows", Text: "a\nb", Data: map[string]any{"id": "6"}}},
			ByDesign: true, Claim: "claim",
		}},
	}
}

func TestRoundTrip(t *testing.T) {
	var buf bytes.Buffer
	require.NoError(t, sample().Encode(&buf))
	got, err := Decode(bytes.NewReader(buf.Bytes()))
	require.NoError(t, err)
	require.Equal(t, sample(), got)
}

func TestJSONNames(t *testing.T) {
	var buf bytes.Buffer
	require.NoError(t, Run{Results: []Case{{ID: "x", Verdict: Pass}}}.Encode(&buf))
	var m map[string]any
	require.NoError(t, json.Unmarshal(buf.Bytes(), &m))
	require.Equal(t, []string{"release", "results", "schema", "seconds", "seed", "started", "target"}, keys(m))
	require.EqualValues(t, SchemaVersion, m["schema"], "a run made without a schema is written with the current one")
	c := m["results"].([]any)[0].(map[string]any)
	require.Equal(t, []string{"evidence", "failures", "id", "inconclusives", "known", "reason", "repeats", "seconds",
		"title", "verdict"}, keys(c))
	require.Equal(t, []any{}, c["evidence"], "no evidence is an empty list, not null")
}

func TestUnsetVerdictIsWrittenAsInconclusive(t *testing.T) {
	var buf bytes.Buffer
	run := Run{Results: []Case{{ID: "x", Reason: "r"}}}
	require.NoError(t, run.Encode(&buf))
	got, err := Decode(&buf)
	require.NoError(t, err)
	require.Equal(t, Inconclusive, got.Results[0].Verdict)
	require.Equal(t, `no verdict was set ("") r`, got.Results[0].Reason)
	require.Empty(t, run.Results[0].Verdict, "the caller's run is left alone")
}

func TestDecodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"not JSON":      {"<xml/>", "decode run result"},
		"newer schema":  {`{"schema":3}`, "newer stackproof: its schema is 3, this program reads up to 2"},
		"not ours":      {`{"results":[]}`, `has no "schema"`},
		"empty":         {``, "ends in the middle"},
		"truncated":     {`{"schema":2,"results":[{"id":"U-01"`, "ends in the middle"},
		"wrong verdict": {`{"schema":1,"results":[{"id":"U-01","verdict":"ok"}]}`, `results[0] (U-01): verdict "ok"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(strings.NewReader(tt.in))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func keys(m map[string]any) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	return ks
}
