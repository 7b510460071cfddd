package proof

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/release"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// planted is a target with knobs; what they do is up to the scenarios of the test.
type planted struct {
	harnesstest.FakeTarget
	knobs []release.Knob
	uses  map[harness.Capability]bool
}

func (p *planted) Site(ctx context.Context, scenario string, seed int64) (*harness.Site, error) {
	s, err := p.FakeTarget.Site(ctx, scenario, seed)
	if s != nil {
		s.Release = "4.20.1.0"
		s.Missing = map[harness.Capability]string{}
		for _, k := range p.knobs {
			s.Missing[harness.Capability(k)] = "planted"
		}
		if p.uses != nil {
			uses := map[harness.Capability]bool{}
			for k, v := range p.uses {
				uses[k] = v
			}
			s.OnUsed(func(context.Context) (map[harness.Capability]bool, error) { return uses, nil })
		}
	}
	return s, err
}

func (p *planted) Describe() harness.Description {
	return harness.Description{Name: "planted", Release: "4.20.1.0"}
}

// seesThe is a scenario that fails when one of the twins is planted.
func seesThe(id string, priority int, twins ...release.Knob) harness.Scenario {
	return harness.Scenario{ID: id, Priority: priority, Twins: twins, Run: func(t *harness.Attempt, s *harness.Site) {
		t.Checked(1)
		for _, twin := range twins {
			if s.Missing[harness.Capability(twin)] != "" {
				t.Fail(result.WrongHours, "sees "+string(twin))
			}
		}
	}}
}

// lab makes planted targets and notes with which knobs.
type plantedLab struct {
	mu    sync.Mutex
	asked [][]release.Knob
	uses  map[harness.Capability]bool
}

func (l *plantedLab) target(knobs ...release.Knob) (harness.Target, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, knobs)
	return &planted{knobs: knobs, uses: l.uses}, nil
}

func (l *plantedLab) times(knobs ...release.Knob) int {
	n := 0
	for _, a := range l.asked {
		if slices.Equal(a, knobs) {
			n++
		}
	}
	return n
}

func twinsNamed(names ...release.Knob) (all []Twin) {
	for _, n := range names {
		all = append(all, Twin{ID: n, What: "breaks " + string(n), Release: "4.20.1.0", Part: PartAPI})
	}
	return all
}

func prove(t *testing.T, l *plantedLab, p Plan) *Proof {
	t.Helper()
	p.Release, p.Target, p.Workers, p.Progress = "4.20.1.0", l.target, 2, harnesstest.Silent{}
	proof, err := Prove(t.Context(), p)
	require.NoError(t, err)
	return proof
}

func TestProveMatrix(t *testing.T) {
	l := &plantedLab{}
	proof := prove(t, l, Plan{Scenarios: harness.Catalogue{seesThe("A", 0, "x"), seesThe("B", 0, "y", "x"),
		seesThe("C", 1, "z")},
		Twins: twinsNamed("x", "y", "z"), Repeat: 3})
	require.NoError(t, proof.Err())
	assert.True(t, proof.Complete)
	assert.Equal(t, 9, proof.SoundRuns)
	assert.Zero(t, proof.FalseAlarms)
	caught := map[release.Knob][]string{}
	for _, twin := range proof.Twins {
		assert.True(t, twin.Caught, twin.ID)
		caught[twin.ID] = twin.CaughtBy
	}
	assert.Equal(t, map[release.Knob][]string{"x": {"A", "B"}, "y": {"B"}, "z": {"C"}}, caught)
	assert.Equal(t, []string{"A", "B"}, proof.Twins[0].ExpectedBy)
	assert.Equal(t, 9, l.times(), "sound runs")
	assert.Equal(t, 2, l.times("x"), "the scenario of priority 1 does not name x")
	assert.Equal(t, 3, l.times("z"), "the whole P0 set and the one that names it")
	assert.Equal(t, 9+2+2+3, proof.Cells)
}

// TestSweptIsWhatTheScenarioDoesNotName: sound runs and a scenario's own twins get the whole story.
func TestSweptIsWhatTheScenarioDoesNotName(t *testing.T) {
	var mu sync.Mutex
	swept := map[bool]int{}
	a := seesThe("A", 0, "x")
	look := a.Run
	a.Run = func(t *harness.Attempt, s *harness.Site) {
		mu.Lock()
		swept[t.Swept()]++
		mu.Unlock()
		look(t, s)
	}
	prove(t, &plantedLab{}, Plan{Scenarios: harness.Catalogue{a, seesThe("B", 0, "y", "z")},
		Twins: twinsNamed("x", "y", "z"), Repeat: 1})
	assert.Equal(t, map[bool]int{false: 2, true: 2}, swept, "the sound run and x; y and z")
}

func TestProveFindsWhatIsWrong(t *testing.T) {
	blind := seesThe("BLIND", 0, "y")
	blind.Twins = []release.Knob{"y", "x"}
	alarm := harness.Scenario{ID: "ALARM",
		Run: func(t *harness.Attempt, _ *harness.Site) { t.Checked(1); t.Fail(result.WrongHours, "always") }}
	stuck := harness.Scenario{ID: "STUCK",
		Run: func(t *harness.Attempt, _ *harness.Site) { t.Inconclusive("never knows") }}
	known := harness.Scenario{ID: "KNOWN", KnownBad: harness.Known{Releases: release.Everywhere(),
		Classes: []result.Class{result.WrongHours}},
		Run: func(t *harness.Attempt, _ *harness.Site) { t.Checked(1); t.Fail(result.WrongHours, "as known") }}
	control := harness.Scenario{ID: "CONTROL", Inconclusive: "by design", Run: harnesstest.Checked}
	for name, c := range map[string]struct {
		scenarios harness.Catalogue
		twins     []release.Knob
		says      string
	}{
		"survivor": {harness.Catalogue{seesThe("A", 0, "x")}, []release.Knob{"x", "unseen"},
			"1 twins survive: [unseen]"},
		"blind": {harness.Catalogue{seesThe("A", 0, "x"), blind}, []release.Knob{"x"},
			"x is not caught by [BLIND], which name it"},
		"false alarm": {harness.Catalogue{seesThe("A", 0, "x"), alarm}, []release.Knob{"x"},
			"1 false alarms in 2 sound runs: [ALARM (seed 0): always]"},
		"undecided": {harness.Catalogue{seesThe("A", 0, "x"), stuck}, []release.Knob{"x"},
			"1 sound runs could not decide: [STUCK (seed 0): never knows]"},
		"no twins": {harness.Catalogue{seesThe("A", 0, "x")}, nil, "no twin was planted"},
		"clean":    {harness.Catalogue{seesThe("A", 0, "x"), known, control}, []release.Knob{"x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			proof := prove(t, &plantedLab{}, Plan{Scenarios: c.scenarios, Twins: twinsNamed(c.twins...)})
			if c.says == "" {
				assert.NoError(t, proof.Err())
			} else {
				assert.ErrorContains(t, proof.Err(), c.says)
			}
		})
	}
}

// TestProveNeverCountsWhatAlwaysFails: a scenario that fails without the twin, too, has not caught it.
func TestProveNeverCountsWhatAlwaysFails(t *testing.T) {
	alarm := harness.Scenario{ID: "ALARM",
		Run: func(t *harness.Attempt, _ *harness.Site) { t.Checked(1); t.Fail(result.WrongHours, "always") }}
	proof := prove(t, &plantedLab{}, Plan{Scenarios: harness.Catalogue{alarm}, Twins: twinsNamed("x")})
	assert.Equal(t, []string{"x"}, proof.Survivors)
	assert.Empty(t, proof.Twins[0].CaughtBy)
}

// TestProveLeavesOut: a pair is left out only when the scenario was seen to use nothing of the twin's part and does not
// name the twin.
func TestProveLeavesOut(t *testing.T) {
	for name, c := range map[string]struct {
		part    Part
		uses    map[harness.Capability]bool
		named   bool
		every   bool
		leftOut int
	}{
		"usage twin, no usage run": {PartUsage, map[harness.Capability]bool{harness.RouterFiles: true},
			false, false, 1},
		"usage twin, usage run": {PartUsage, map[harness.Capability]bool{harness.UsageRun: true}, false,
			false, 0},
		"usage twin, not known what was used": {PartUsage, nil, false, false, 0},
		"usage twin, named": {PartUsage, map[harness.Capability]bool{harness.RouterFiles: true},
			true, false, 0},
		"usage twin, every pair": {PartUsage, map[harness.Capability]bool{harness.RouterFiles: true},
			false, true, 0},
		"router twin, no look": {PartRouter, map[harness.Capability]bool{harness.UsageRun: true}, false,
			false, 1},
		"router twin, look": {PartRouter, map[harness.Capability]bool{harness.RouterFiles: true},
			false, false, 0},
		"api twin concerns every scenario":     {PartAPI, map[harness.Capability]bool{}, false, false, 0},
		"unknown part concerns every scenario": {"new", map[harness.Capability]bool{}, false, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := seesThe("A", 0)
			if c.named {
				s.Twins = []release.Knob{"x"}
			}
			l := &plantedLab{uses: c.uses}
			proof := prove(t, l, Plan{Scenarios: harness.Catalogue{s}, Twins: []Twin{{ID: "x", Part: c.part}},
				Every: c.every})
			assert.Equal(t, c.leftOut, proof.LeftOut)
			assert.Equal(t, 1-c.leftOut, l.times("x"))
		})
	}
}

// TestProveRouterTwinOfFailingPushes: who makes pushes fail sees whether they are sent, also without a look.
func TestProveRouterTwinOfFailingPushes(t *testing.T) {
	s := seesThe("A", 0)
	inner := s.Run
	s.Run = func(t *harness.Attempt, site *harness.Site) { t.UsesPushFaults(); inner(t, site) }
	l := &plantedLab{uses: map[harness.Capability]bool{}}
	proof := prove(t, l, Plan{Scenarios: harness.Catalogue{s}, Twins: []Twin{{ID: "x", Part: PartRouter}}})
	assert.Zero(t, proof.LeftOut)
	assert.Equal(t, 1, l.times("x"))
}

func TestProveFirst(t *testing.T) {
	sweep := harness.Catalogue{seesThe("NAMES", 0, "x")}
	for _, id := range []string{"B", "C", "D"} {
		s := seesThe(id, 0, "x")
		s.Twins = nil
		sweep = append(sweep, s)
	}
	for first, want := range map[bool]int{true: 1, false: 4} {
		l := &plantedLab{}
		p := Plan{Scenarios: sweep, Twins: twinsNamed("x"), First: first, Release: "4.20.1.0", Target: l.target,
			Workers: 1, Progress: harnesstest.Silent{}}
		proof, err := Prove(t.Context(), p)
		require.NoError(t, err)
		assert.NoError(t, proof.Err())
		assert.Len(t, proof.Twins[0].CaughtBy, want)
	}
}

// TestProveNamed: only pairs that name each other, whatever the priority.
func TestProveNamed(t *testing.T) {
	l := &plantedLab{}
	proof := prove(t, l, Plan{Scenarios: harness.Catalogue{seesThe("A", 0, "x"), seesThe("B", 1, "y"), seesThe("C", 0)},
		Twins: twinsNamed("x", "y"), Named: true})
	require.NoError(t, proof.Err())
	assert.Equal(t, 1, l.times("x"))
	assert.Equal(t, 1, l.times("y"))
	assert.Equal(t, 5, proof.Cells)
}

// TestProveWithCures: what the release always fails is proven on top of its cures.
func TestProveWithCures(t *testing.T) {
	s := harness.Scenario{ID: "A", Twins: []release.Knob{"x"}, Cures: []release.Knob{"defect=off"},
		KnownBad: harness.Known{Releases: release.Everywhere(), Classes: []result.Class{result.WrongHours}},
		Run: func(t *harness.Attempt, s *harness.Site) {
			t.Checked(1)
			if s.Missing["defect=off"] == "" || s.Missing["x"] != "" {
				t.Fail(result.WrongHours, "defect or twin")
			}
		}}
	l := &plantedLab{}
	proof := prove(t, l, Plan{Scenarios: harness.Catalogue{s}, Twins: twinsNamed("x")})
	require.NoError(t, proof.Err())
	assert.Equal(t, []string{"A"}, proof.Twins[0].CaughtBy)
	assert.Equal(t, 1, l.times("defect=off", "x"))
	assert.Equal(t, 1, proof.SoundRuns, "the cured run is not a sound run of the release")

	s.Cures = []release.Knob{"wrong=off"}
	proof = prove(t, &plantedLab{}, Plan{Scenarios: harness.Catalogue{s}, Twins: twinsNamed("x")})
	assert.ErrorContains(t, proof.Err(), "A with [wrong=off]: fail")
}

// endsWith ends a proof as soon as a twin was caught.
type endsWith struct {
	harnesstest.Silent
	cancel context.CancelCauseFunc
}

func (e endsWith) Finished(c result.Case) {
	if c.Verdict == result.Fail {
		e.cancel(harness.ErrInterrupted)
	}
}

// TestProveBrokenOff: an interrupted proof keeps what it found and proves nothing. Which cell comes first is not fixed.
func TestProveBrokenOff(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	l := &plantedLab{}
	proof, err := Prove(ctx, Plan{Release: "4.20.1.0", Scenarios: harness.Catalogue{seesThe("A", 0, "x"),
		seesThe("B", 1, "y")}, Twins: twinsNamed("x", "y"),
		Target: l.target, Workers: 1, Progress: endsWith{cancel: cancel}})
	require.ErrorIs(t, err, harness.ErrInterrupted)
	assert.False(t, proof.Complete)
	assert.ErrorContains(t, proof.Err(), "not complete")
	assert.Equal(t, 2, proof.SoundRuns)
	assert.True(t, proof.Twins[0].Caught != proof.Twins[1].Caught, "what was found until then stays: %+v", proof.Twins)
}

func TestProveTargetThatCannotBeMade(t *testing.T) {
	_, err := Prove(t.Context(), Plan{Scenarios: harness.Catalogue{seesThe("A", 0, "x")}, Twins: twinsNamed("x"),
		Progress: harnesstest.Silent{},
		Target:   func(...release.Knob) (harness.Target, error) { return nil, errors.New("no room") }})
	assert.ErrorContains(t, err, "no room")
}

// TestBriefStopsAtTheFirstFailure: the rest of the story is not told to who wants the verdict only.
func TestBriefStopsAtTheFirstFailure(t *testing.T) {
	for brief, want := range map[bool]int{true: 1, false: 2} {
		told := 0
		s := harness.Scenario{ID: "A", Run: func(t *harness.Attempt,
			_ *harness.Site) {
			told++
			t.Fail(result.WrongHours, "one")
			told++
		}}
		c := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, s, harness.Plan{Progress: harnesstest.Silent{},
			Brief: brief})
		assert.Equal(t, want, told)
		assert.Equal(t, result.Fail, c.Verdict)
	}
}

// TestSensitivityIsPartOfTheClaim, as a proof measured it.
func TestSensitivityIsPartOfTheClaim(t *testing.T) {
	const proof = `{"schema":1,"complete":true,"twins":[
		{"id":"x","caught":true,"caught_by":["X-01","X-02"],"expected_by":["X-01"]},
		{"id":"y","caught":true,"caught_by":["X-01"],"expected_by":["X-01","X-02"]},
		{"id":"z","caught":false,"caught_by":[],"expected_by":["X-01"]}]}`
	p, err := Read(strings.NewReader(proof))
	require.NoError(t, err)
	measured := p.Sensitivities()
	assert.Equal(t, map[string]harness.Sensitivity{"X-01": {Planted: 3, Caught: 2}, "X-02": {Planted: 1}}, measured)
	s := harness.Scenario{ID: "X-01", Run: harnesstest.Checked}
	c := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, s, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 59, Progress: harnesstest.Silent{}, Sensitivity: measured})
	assert.Contains(t, c.Claim, "allowing for measured sensitivity 2/3 (at least 14 %), below 36.6 %")
}

func TestReadProofRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"no json":                       "reading a proof",
		`{"schema":2,"complete":true}`:  "this program reads 1",
		`{"schema":1,"complete":false}`: "broken off",
	} {
		_, err := Read(strings.NewReader(text))
		assert.ErrorContains(t, err, says, text)
	}
}
