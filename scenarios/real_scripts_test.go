package scenarios_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router/scripts"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
	"github.com/stackproof/stackproof/scenarios"
)

// onScripts tells scenarios on a lab of 4.20.1.0 whose routers run a variant of our own tree.
func onScripts(t testing.TB, variant string, limit time.Duration, groups []int, knobs []release.Knob,
	ids ...string) result.Run {
	t.Helper()
	tree, err := fleet.OpenScripts(t.Context(), scripts.Options{Tree: scriptstest.Tree(t, variant), Limit: limit}, "")
	var u *scripts.Unsupported
	if errors.As(err, &u) {
		t.Skip(err)
	}
	require.NoError(t, err)
	chosen, err := scenarios.Catalogue().Select(ids...)
	require.NoError(t, err)
	set, err := release.ProfileKnobs("4.20.1.0")
	require.NoError(t, err)
	require.NoError(t, fault.Set(set, knobs...))
	target, err := lab.New(lab.Options{Release: "4.20.1.0", Knobs: set, Workers: 2, Groups: groups, Scripts: tree})
	require.NoError(t, err)
	got, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 2,
		Progress: silent{}})
	require.NoError(t, errors.Join(err, target.Close(t.Context())))
	require.Len(t, got.Results, len(chosen))
	assert.Contains(t, got.Router, "real scripts of")
	return got
}

// Scripts that compare files as sets of lines lose the changes of #9583; nothing is known of a tree that does not tell
// its release, so each of these failures counts. Two routers, with a sandbox each, work at once.
func TestRealScriptsThatCompareSets(t *testing.T) {
	needLab(t)
	for _, c := range onScripts(t, scriptstest.Set, 0, []int{2}, nil, "L-01", "L-02", "L-03", "L-04").Results {
		assert.Equal(t, result.Fail, c.Verdict, "%s: %s", c.ID, c.Reason)
		assert.False(t, c.Known, c.ID)
	}
}

func TestRealScriptsThatCompareLists(t *testing.T) {
	needLab(t)
	got := onScripts(t, scriptstest.List, 0, []int{2}, []release.Knob{release.AppCookieAccepted.Off()},
		"L-01", "L-02", "L-03", "L-04", "L-05", "L-06", "L-08", "L-12", "L-13", "L-15")
	for _, c := range got.Results {
		assert.Equal(t, result.Pass, c.Verdict, "%s: %s", c.ID, c.Reason)
	}
}

// Scripts that do not work decide nothing, and the reason is theirs.
func TestRealScriptsThatBreak(t *testing.T) {
	needLab(t)
	for variant, want := range map[string]string{
		scriptstest.Crash: "the router's scripts crashed on push 1 (exit status 1, no new file): RuntimeError: " +
			"planted crash before the new file",
		scriptstest.Hang: "the router's scripts hung on push 1 and were ended after",
	} {
		for _, c := range onScripts(t, variant, 2*time.Second, []int{2}, nil, "L-01", "L-04").Results {
			assert.Equal(t, result.Inconclusive, c.Verdict, "%s %s: %s", variant, c.ID, c.Reason)
			assert.Contains(t, c.Reason, want, "%s %s", variant, c.ID)
		}
	}
}

// What refuses a file before it is used fails the call, as on a server of 4.22; the siblings go on.
func TestRealScriptsThatCheck(t *testing.T) {
	needLab(t)
	got := onScripts(t, scriptstest.Check, 0, nil, nil, "L-01", "L-05")
	verdicts := map[string]result.Verdict{}
	for _, c := range got.Results {
		verdicts[c.ID] = c.Verdict
		assert.False(t, slices.ContainsFunc(c.Evidence,
			func(e result.Evidence) bool { return e.Title == "a router in trouble" }), c.ID)
	}
	assert.Equal(t, result.Pass, verdicts["L-01"])
}

// BenchmarkFiftyGroups is story B with fifty autoscale groups on routers of real scripts.
func BenchmarkFiftyGroups(b *testing.B) {
	for b.Loop() {
		got := onScripts(b, scriptstest.List, 0, []int{50}, nil, "L-04")
		require.Equal(b, result.Pass, got.Results[0].Verdict, got.Results[0].Reason)
	}
}

// A router's own health check is the zone's model: beside a tree, whose own check nobody runs, it would speak for what
// it never saw. On the model's routers the evidence says whose check it is.
func TestHealthChecksSayWhoseTheyAre(t *testing.T) {
	needLab(t)
	c := onScripts(t, scriptstest.List, 0, nil, nil, "L-23").Results[0]
	assert.Equal(t, result.Unsupported, c.Verdict, c.Reason)
	assert.Contains(t, c.Reason, "the tree's own haproxy_check.py is not run")

	chosen, err := scenarios.Catalogue().Select("L-23")
	require.NoError(t, err)
	target, err := lab.New(lab.Options{Release: "4.20.1.0", Workers: 1})
	require.NoError(t, err)
	got, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 1,
		Progress: silent{}})
	require.NoError(t, errors.Join(err, target.Close(t.Context())))
	c = got.Results[0]
	require.Equal(t, result.Pass, c.Verdict, c.Reason)
	told := 0
	for _, e := range c.Evidence {
		if e.Title == result.TitleKnownDefect {
			assert.Contains(t, e.Text, "in the zone's model, haproxy_check.py alarms")
			told++
		}
		if e.Kind == result.KindTable {
			assert.Contains(t, e.Title, "the zone's model of haproxy_check.py")
			told++
		}
	}
	assert.Equal(t, 4, told, "three looks and the known defect")
}

// Scripts that check their file end at what they refused, also when a port is to be forwarded; those that check nothing
// block nothing. The evidence says that scripts answered, and what their firewall did.
func TestRealScriptsAnswerForForwarding(t *testing.T) {
	needLab(t)
	for variant, want := range map[string]result.Verdict{scriptstest.Check: result.Fail,
		scriptstest.List: result.Pass, scriptstest.Deaf: result.Fail} {
		got := onScripts(t, variant, 0, nil, nil, "L-66")
		c := got.Results[0]
		assert.Equal(t, want, c.Verdict, "%s: %s", variant, c.Reason)
		assert.False(t, c.Known, variant)
		switch variant {
		case scriptstest.Check:
			assert.Equal(t, []result.Class{result.RouterBlocked}, classesOf(c), variant)
		case scriptstest.Deaf:
			assert.Equal(t, []result.Class{result.WrongFile}, classesOf(c), variant)
		}
		tables := 0
		for _, e := range c.Evidence {
			if strings.Contains(e.Title, "who answered for port forwarding on r-") {
				assert.Contains(t, e.Title, "real scripts of", variant)
				assert.Contains(t, e.Text, "forwarding_rules", variant)
				assert.Equal(t, variant == scriptstest.Check, strings.Contains(e.Text, "appsession"), e.Text)
				tables++
			}
		}
		assert.Equal(t, 1, tables, "%s: the isolated network's router is the zone's model", variant)
	}
}

func classesOf(c result.Case) []result.Class {
	var all []result.Class
	for _, f := range c.Findings {
		if !slices.Contains(all, f.Class) {
			all = append(all, f.Class)
		}
	}
	return all
}
