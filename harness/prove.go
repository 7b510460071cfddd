package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/result/stats"
)

// Twin is a planted fault.
type Twin struct {
	ID      string `json:"id"`
	What    string `json:"what"`
	Release string `json:"release"` // sound release that it is planted in
}

// TwinResult says which scenarios caught a twin.
type TwinResult struct {
	Twin
	Caught   bool     `json:"caught"`
	CaughtBy []string `json:"caught_by"`
	// ExpectedBy are the scenarios that name it as their twin; each of them must catch it.
	ExpectedBy []string `json:"expected_by"`
	// Blind are those of them that did not.
	Blind []string `json:"blind,omitempty"`
}

// Proof is what a matrix of scenarios and twins showed.
type Proof struct {
	Schema      int          `json:"schema"`
	Release     string       `json:"release"`
	Seed        int64        `json:"seed"`
	Twins       []TwinResult `json:"twins"`
	FalseAlarms int          `json:"false_alarms"` // sound runs that failed, but for defects that the release is known for
	SoundRuns   int          `json:"sound_runs"`
	// SoundBound is the upper 95 % bound of the rate of false alarms.
	SoundBound float64 `json:"sound_bound"`
	// Undecided are sound runs that were inconclusive and should not have been.
	Undecided []string       `json:"undecided,omitempty"`
	Alarms    []string       `json:"alarms,omitempty"` // each false alarm: scenario, seed, reason
	Survivors []string       `json:"survivors,omitempty"`
	Seconds   float64        `json:"seconds"`
	Cost      []ScenarioCost `json:"cost"` // where the time went, dearest first

	mu        sync.Mutex
	scenarios Catalogue
	cost      map[string]*ScenarioCost
	sound     map[string]result.Verdict // worst of the sound runs, by scenario
	caught    map[string][]string
	missed    map[string][]string
}

// ScenarioCost is the time of all runs of a scenario.
type ScenarioCost struct {
	ID      string  `json:"id"`
	Runs    int     `json:"runs"`
	Seconds float64 `json:"seconds"`
}

// ProvePlan says what to prove.
type ProvePlan struct {
	Release   string
	Scenarios Catalogue
	Twins     []Twin
	// Target makes a target with knobs set; without any it is the sound one. It is closed by Prove.
	Target   func(knobs ...string) (Target, error)
	Repeat   int // sound runs of each scenario
	Workers  int
	Seed     int64
	Progress Progress
}

// proofRun is one cell of the matrix.
type proofRun struct {
	scenario Scenario
	twin     string
	cures    []string // a scenario that the release always fails is planted on top of its cures
	seed     int64
}

// Prove runs every scenario on the sound profile, every twin under the scenarios that name it, and every twin under
// all scenarios of priority 0. The error says that the matrix could not be completed.
func Prove(ctx context.Context, p ProvePlan) (*Proof, error) {
	began := time.Now()
	proof := &Proof{Schema: 1, Release: p.Release, Seed: p.Seed, cost: map[string]*ScenarioCost{}, sound: map[string]result.Verdict{},
		caught: map[string][]string{}, missed: map[string][]string{}, scenarios: p.Scenarios}
	for _, batch := range [][]proofRun{soundRuns(p), twinRuns(p)} {
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(max(1, p.Workers))
		for _, one := range batch {
			group.Go(func() error { return proof.run(gctx, p, one) })
		}
		if err := group.Wait(); err != nil {
			return proof, err
		}
	}
	proof.conclude(p)
	proof.Seconds = time.Since(began).Seconds()
	return proof, nil
}

func soundRuns(p ProvePlan) []proofRun {
	var runs []proofRun
	for i := range max(1, p.Repeat) {
		for _, at := range longestFirst(p.Scenarios) {
			runs = append(runs, proofRun{scenario: p.Scenarios[at], seed: p.Seed + int64(i)})
			if s, cures, ok := p.Scenarios[at].Plantable(p.Release); ok && len(cures) > 0 && i == 0 {
				runs = append(runs, proofRun{scenario: s, cures: cures, seed: p.Seed})
			}
		}
	}
	return runs
}

func twinRuns(p ProvePlan) []proofRun {
	var runs []proofRun
	for _, twin := range p.Twins {
		for _, at := range longestFirst(p.Scenarios) {
			s, cures, ok := p.Scenarios[at].Plantable(p.Release)
			if ok && (s.Priority == 0 || slices.Contains(s.Twins, twin.ID)) {
				runs = append(runs, proofRun{scenario: s, twin: twin.ID, cures: cures, seed: p.Seed})
			}
		}
	}
	return runs
}

func plantable(s Scenario, release string) bool {
	_, _, ok := s.Plantable(release)
	return ok
}

func (proof *Proof) run(ctx context.Context, p ProvePlan, one proofRun) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	knobs := slices.Clone(one.cures)
	if one.twin != "" {
		knobs = append(knobs, one.twin)
	}
	target, err := p.Target(knobs...)
	if err != nil {
		return fmt.Errorf("a target with %q: %w", one.twin, err)
	}
	c := runScenario(ctx, target, one.scenario, Plan{Seed: one.seed, Repeat: 1, Progress: p.Progress})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := target.Close(ctx); err != nil {
		return fmt.Errorf("closing a target with %q: %w", one.twin, err)
	}
	proof.mu.Lock()
	proof.note(one, c)
	proof.mu.Unlock()
	p.Progress.Finished(c)
	return nil
}

// note records one cell.
func (proof *Proof) note(one proofRun, c result.Case) {
	id := one.scenario.ID
	if proof.cost[id] == nil {
		proof.cost[id] = &ScenarioCost{ID: id}
	}
	proof.cost[id].Runs++
	proof.cost[id].Seconds += c.Seconds
	switch {
	case one.twin == "" && len(one.cures) > 0:
		if proof.sound[id] = c.Verdict; c.Verdict != result.Pass {
			proof.Undecided = append(proof.Undecided, fmt.Sprintf("%s with %v: %s: %s", id, one.cures, c.Verdict, c.Reason))
		}
	case one.twin == "":
		proof.SoundRuns++
		if _, cures, ok := one.scenario.Plantable(proof.Release); ok && len(cures) > 0 {
			// Its twins are held against the cured run.
		} else if v, seen := proof.sound[id]; !seen || result.Worse(c.Verdict, v) == c.Verdict {
			proof.sound[id] = c.Verdict
		}
		if c.Verdict == result.Fail && !c.Known {
			proof.FalseAlarms++
			proof.Alarms = append(proof.Alarms, fmt.Sprintf("%s (seed %d): %s", id, one.seed, c.Reason))
		}
		if c.Verdict == result.Inconclusive && !c.ByDesign {
			proof.Undecided = append(proof.Undecided, fmt.Sprintf("%s (seed %d): %s", id, one.seed, c.Reason))
		}
	case c.Verdict == result.Fail:
		proof.caught[one.twin] = append(proof.caught[one.twin], id)
	default:
		proof.missed[one.twin] = append(proof.missed[one.twin], fmt.Sprintf("%s (%s: %s)", id, c.Verdict, c.Reason))
	}
}

// conclude turns cells into rows, in the order of the twins and of the catalogue.
func (proof *Proof) conclude(p ProvePlan) {
	order := proof.scenarios.IDs()
	for _, twin := range p.Twins {
		r := TwinResult{Twin: twin, CaughtBy: []string{}, ExpectedBy: []string{}}
		for _, id := range order {
			if slices.Contains(proof.caught[twin.ID], id) && proof.sound[id] == result.Pass {
				r.CaughtBy = append(r.CaughtBy, id)
			}
		}
		for _, s := range p.Scenarios {
			if slices.Contains(s.Twins, twin.ID) {
				r.ExpectedBy = append(r.ExpectedBy, s.ID)
				if !slices.Contains(r.CaughtBy, s.ID) && plantable(s, p.Release) {
					r.Blind = append(r.Blind, s.ID)
				}
			}
		}
		r.Caught = len(r.CaughtBy) > 0
		if !r.Caught {
			proof.Survivors = append(proof.Survivors, twin.ID)
		}
		proof.Twins = append(proof.Twins, r)
	}
	proof.SoundBound = stats.Upper(proof.FalseAlarms, proof.SoundRuns, stats.Confidence95)
	for _, c := range proof.cost {
		proof.Cost = append(proof.Cost, *c)
	}
	slices.SortFunc(proof.Cost, func(a, b ScenarioCost) int {
		if a.Seconds != b.Seconds {
			if a.Seconds > b.Seconds {
				return -1
			}
			return 1
		}
		return 0
	})
}

// Err is nil when the matrix is complete and clean: no twin survives, no scenario is blind to a twin of its own, the
// sound profile shows no failure and decides everywhere.
func (proof *Proof) Err() error {
	var errs []error
	if len(proof.Survivors) > 0 {
		errs = append(errs, fmt.Errorf("%d twins survive: %v", len(proof.Survivors), proof.Survivors))
	}
	for _, t := range proof.Twins {
		if len(t.Blind) > 0 {
			errs = append(errs, fmt.Errorf("%s is not caught by %v, which name it: %v", t.ID, t.Blind, proof.missed[t.ID]))
		}
	}
	if proof.FalseAlarms > 0 {
		errs = append(errs, fmt.Errorf("%d false alarms in %d sound runs: %v", proof.FalseAlarms, proof.SoundRuns, proof.Alarms))
	}
	if len(proof.Undecided) > 0 {
		errs = append(errs, fmt.Errorf("%d sound runs could not decide: %v", len(proof.Undecided), proof.Undecided))
	}
	if len(proof.Twins) == 0 {
		errs = append(errs, errors.New("no twin was planted: nothing is proven"))
	}
	return errors.Join(errs...)
}
