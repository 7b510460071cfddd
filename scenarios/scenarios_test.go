package scenarios_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/proof"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
	"github.com/stackproof/stackproof/scenarios"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	scripts.MaybeChild()
	goleak.VerifyTestMain(testhome.Around(m))
}

type silent struct{}

func (silent) Scenario(string, string, int) {}
func (silent) Step(string, string)          {}
func (silent) Finished(result.Case)         {}

// needLab skips where the lab's parts are missing; CI fails on a skip.
func needLab(t testing.TB) {
	t.Helper()
	_, noHAProxy := router.FindHAProxy("")
	_, noDatabase := database.Find("")
	if err := errors.Join(noHAProxy, noDatabase, network.Check()); err != nil {
		t.Skip(err)
	}
}

const ignored = "a server does nothing with a parameter that the command does not have"

// run tells the chosen scenarios on a lab.
func run(t *testing.T, name string, knobs []release.Knob, chosen harness.Catalogue) result.Run {
	t.Helper()
	set, err := release.ProfileKnobs(name)
	require.NoError(t, err)
	require.NoError(t, fault.Set(set, knobs...))
	// Two groups in place of fifty show the same here; the full sizes run in TestMainJob.
	var log bytes.Buffer
	target, err := lab.New(lab.Options{Release: name, Knobs: set, Workers: 2, Groups: []int{2},
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	got, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 2,
		Progress: silent{}})
	require.NoError(t, errors.Join(err, target.Close(t.Context())))
	require.NotContains(t, log.String(), zone.UnknownParameters, ignored)
	return got
}

// fails lists what failed, known or not.
func fails(r result.Run) (known, unknown []string) {
	for _, c := range r.Results {
		switch {
		case c.Verdict == result.Fail && c.Known:
			known = append(known, c.ID)
		case c.Verdict == result.Fail:
			unknown = append(unknown, c.ID)
		}
	}
	return known, unknown
}

func words(knobs []release.Knob) []string {
	all := make([]string, len(knobs))
	for i, k := range knobs {
		all[i] = string(k)
	}
	return all
}

func TestCatalogueIsSound(t *testing.T) {
	seen := map[string]bool{}
	var knobs []string
	for _, k := range fault.AllKnobs() {
		knobs = append(knobs, string(k.Name))
	}
	for _, s := range scenarios.Catalogue() {
		assert.False(t, seen[s.ID], "%s is there twice", s.ID)
		seen[s.ID] = true
		assert.NotEmpty(t, s.Title, s.ID)
		assert.NotEmpty(t, s.Guards, "%s names no upstream report", s.ID)
		for what, words := range map[string][]string{"report": s.Guards, "twin": words(s.Twins),
			"cure": words(s.Cures)} {
			once := slices.Compact(slices.Sorted(slices.Values(words)))
			assert.Len(t, words, len(once), "%s names a %s twice", s.ID, what)
		}
		assert.NotEmpty(t, s.Needs, s.ID)
		assert.Contains(t, []string{result.GroupUsage, result.GroupLB, result.GroupAutoscale}, s.Group, s.ID)
		for _, twin := range slices.Concat(s.Twins, s.Cures) {
			name, _, _ := strings.Cut(string(twin), "=")
			assert.Contains(t, knobs, name, "%s: the lab has no such knob", s.ID)
		}
		if s.Inconclusive == "" {
			assert.NotEmpty(t, s.Twins, "%s has no planted fault that it must catch", s.ID)
		}
	}
}

// TestEveryFaultIsNamed: with TestTwins, which plants what scenarios name, it means that no fault of the lab survives.
// It asks for those, too, that can be planted in another release only.
func TestEveryFaultIsNamed(t *testing.T) {
	for _, k := range fault.AllKnobs() {
		if k.Fault() && len(release.Where(k.Name).Profiles()) < len(release.All()) {
			assert.True(t, slices.ContainsFunc(scenarios.Catalogue(),
				func(s harness.Scenario) bool {
					return slices.Contains(s.Twins, k.Name) || slices.Contains(s.Cures, k.Name.Off())
				}),
				"no scenario names %s as its twin, or passes without it: %s", k.Name, k.About)
		}
	}
}

// sound is the release that faults are planted in.
const sound = "4.20.1.0"

// TestReleases runs on each release what tells it from the one whose code it continues, beside one story of usage and
// one of balancing: what is known fails, and nothing else. On the sound one TestTwins runs the whole catalogue.
// STACKPROOF_MATRIX=1 (task matrix) runs it on all.
func TestReleases(t *testing.T) {
	needLab(t)
	all := release.All()
	whole := os.Getenv("STACKPROOF_MATRIX") != ""
	for _, name := range all {
		if name == sound {
			continue
		}
		t.Run(name, func(t *testing.T) {
			chosen := scenarios.Catalogue()
			if !whole {
				chosen = slices.DeleteFunc(chosen, func(s harness.Scenario) bool { return !tells(s, name) })
			}
			got := run(t, name, nil, chosen)
			asKnown(t, name, got.Results)
			assert.Len(t, got.Results, len(chosen))
			assert.Zero(t, got.ExitCode(false), verdicts(got))
			assert.Empty(t, got.Missing())
		})
	}
}

// tells says whether a scenario tells a release from the one whose code it continues, or is one of those that are run
// everywhere.
func tells(s harness.Scenario, name string) bool {
	if s.ID == "U-01" || s.ID == "L-01" {
		return true
	}
	profiles := release.Profiles()
	if s.ID == "U-26" { // dear, and the same on all that have its knobs
		return false
	}
	own := profiles[slices.IndexFunc(profiles, func(p release.Profile) bool { return p.Name == name })]
	return s.KnownBad.On(name) != s.KnownBad.On(own.After)
}

// asKnown wants that what is known to fail on a release fails, in the known way, and that everything else passes.
func asKnown(t *testing.T, release string, cases []result.Case) {
	t.Helper()
	for _, c := range cases {
		chosen, err := scenarios.Catalogue().Select(c.ID)
		require.NoError(t, err)
		bad, want := chosen[0].KnownBad.On(release), result.Pass
		switch {
		case bad, c.Known: // what others bring about is known where it shows
			want = result.Fail
		case c.ByDesign:
			want = result.Inconclusive
		case c.Verdict == result.Unsupported: // of another release
			want = result.Unsupported
		}
		assert.Equal(t, want, c.Verdict, "%s: %s", c.ID, c.Reason)
		assert.True(t, c.Known || !bad, c.ID)
	}
}

func verdicts(r result.Run) string {
	text := ""
	for _, c := range r.Results {
		text += c.ID + " " + string(c.Verdict) + " " + c.Reason + "\n"
	}
	return text
}

// TestTwins plants each scenario's faults, one at a time, in a sound release: each must be caught by it. It tells every
// scenario without a fault, too, and those that every release fails with their cures.
func TestTwins(t *testing.T) {
	needLab(t)
	var twins []proof.Twin
	for _, k := range fault.AllKnobs() {
		if slices.ContainsFunc(scenarios.Catalogue(), func(s harness.Scenario) bool {
			return slices.Contains(s.Twins,
				k.Name)
		}) {
			twins = append(twins, proof.Twin{ID: k.Name, Release: sound, Part: proof.Part(k.Part)})
		}
	}
	pool := lab.NewPool("")
	defer func() { require.NoError(t, pool.Close()) }()
	var told result.Run
	var log bytes.Buffer // of the sound zones
	logger := slog.New(slog.NewTextHandler(&log, nil))
	proof, err := proof.Prove(t.Context(), proof.Plan{Release: sound, Scenarios: scenarios.Catalogue(),
		Twins: twins, Named: true, Sound: func(c result.Case) { told.Results = append(told.Results, c) },
		Workers: 2, Seed: 1, Progress: silent{}, Target: func(knobs ...release.Knob) (harness.Target, error) {
			set, err := release.ProfileKnobs(sound)
			if err := errors.Join(err, fault.Set(set, knobs...)); err != nil {
				return nil, err
			}
			o := lab.Options{Release: sound, Knobs: set, Workers: 2, Pool: pool, Groups: []int{2}}
			if len(knobs) == 0 {
				o.Log = logger
			}
			return lab.New(o)
		}})
	require.NoError(t, err)
	assert.NoError(t, proof.Err())
	for _, s := range scenarios.Catalogue() {
		_, _, ok := s.Plantable(sound)
		assert.True(t, ok || len(s.Twins) == 0, s.ID)
	}
	require.Len(t, told.Results, len(scenarios.Catalogue()))
	asKnown(t, sound, told.Results)
	known, _ := fails(told)
	assert.Subset(t, known, knownUsage()[sound])
	require.NotContains(t, log.String(), zone.UnknownParameters, ignored)
}

// TestMainJob runs story B in full size on a release that has the defect and on one that has not.
func TestMainJob(t *testing.T) {
	needLab(t)
	chosen, err := scenarios.Catalogue().Select("L-04")
	require.NoError(t, err)
	for release, want := range map[string]result.Verdict{"4.19.1.0": result.Fail, "4.20.1.0": result.Pass} {
		t.Run(release, func(t *testing.T) {
			target, err := lab.New(lab.Options{Release: release, Workers: 1})
			require.NoError(t, err)
			got, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 1,
				Progress: silent{}})
			require.NoError(t, errors.Join(err, target.Close(t.Context())))
			assert.Equal(t, want, got.Results[0].Verdict, got.Results[0].Reason)
			if want == result.Fail { // as counted on a running 4.19.1.0
				assert.Contains(t, evidence(got), "1 of 49 rules have their policy in the live file")
				assert.Contains(t, evidence(got), "1 of 50 rules have their policy in the live file")
			}
		})
	}
}

// evidence is what the run found and what it showed of it.
func evidence(r result.Run) string {
	text := ""
	for _, c := range r.Results {
		for _, f := range c.Findings {
			text += f.Says + "\n" + strings.Join(f.Numbers, "\n") + "\n"
		}
		for _, e := range c.Evidence {
			text += e.Text + "\n"
		}
	}
	return text
}

// TestEqualIDsHideTheFault shows why U-03 is there: a server with the defect closes the right row when ids are equal.
func TestEqualIDsHideTheFault(t *testing.T) {
	needLab(t)
	chosen, err := scenarios.Catalogue().Select("U-03")
	require.NoError(t, err)
	got := run(t, "4.20.0.0", nil, chosen)
	assert.Equal(t, result.Inconclusive, got.Results[0].Verdict)
	assert.True(t, got.Results[0].ByDesign)
}

// TestOneGroupShowsNothing: on a router with the defect every change of a group that is alone there is in force, so
// that the story alone with one group proves nothing; with two groups it fails.
func TestOneGroupShowsNothing(t *testing.T) {
	needLab(t)
	chosen, err := scenarios.Catalogue().Select("L-04")
	require.NoError(t, err)
	for _, one := range []struct {
		groups []int
		want   result.Verdict
		reason string
	}{
		{[]int{1}, result.Inconclusive, "with one group alone nothing is shown"},
		{[]int{1, 2}, result.Fail, "1 of 2 rules have their policy in the live file"},
	} {
		target, err := lab.New(lab.Options{Release: "4.19.1.0", Workers: 1, Groups: one.groups})
		require.NoError(t, err)
		got, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 1,
			Progress: silent{}})
		require.NoError(t, errors.Join(err, target.Close(t.Context())))
		assert.Equal(t, one.want, got.Results[0].Verdict, "%v", one.groups)
		assert.Contains(t, got.Results[0].Reason, one.reason, "%v", one.groups)
	}
}

// BenchmarkDefaultSet is the whole default set on one release.
func BenchmarkDefaultSet(b *testing.B) {
	chosen, err := scenarios.Catalogue().Select()
	require.NoError(b, err)
	for b.Loop() {
		target, err := lab.New(lab.Options{Release: "4.20.1.0", Workers: 2})
		require.NoError(b, err)
		_, err = harness.Run(b.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 2,
			Progress: silent{}})
		require.NoError(b, errors.Join(err, target.Close(b.Context())))
	}
}
