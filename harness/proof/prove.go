// Package proof holds scenarios against planted faults: a matrix of scenarios and twins, and what it shows of the
// scenarios' sensitivity. It is not the runner (package harness) and plants nothing itself: Plan.Target makes a target
// with knobs set. Before changing it know that a scenario which fails on the sound release has not caught a twin: only
// a fail beside a sound pass counts.
package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

// Twin is a planted fault.
type Twin struct {
	ID      release.Knob `json:"id"`
	What    string       `json:"what"`
	Release string       `json:"release"` // sound release that it is planted in
	// Part is what it changes; a scenario that is seen to use nothing that depends on it is not run with it.
	Part Part `json:"-"`
}

// Part is a part of a target that a fault is planted in.
type Part string

// The parts. Any other, and PartAPI, is taken to concern every scenario.
const (
	PartAPI    Part = "api"
	PartUsage  Part = "usage"  // the usage server: without a usage run nobody sees it
	PartRouter Part = "router" // pushes and routers: seen by who looks at them, or makes one fail
)

// concerns says whether a scenario that used these capabilities can tell a fault in the part.
func (p Part) concerns(used map[harness.Capability]bool) bool {
	switch p {
	case PartUsage:
		return used[harness.UsageRun]
	case PartRouter:
		return used[harness.PushLog] || used[harness.RouterFiles] || used[harness.DataPlane] || used[harness.PushFault]
	}
	return true
}

// Plan says what to prove.
type Plan struct {
	Release   string
	Scenarios harness.Catalogue
	Twins     []Twin
	// Target makes a target with knobs set; without any it is the sound one. It is closed by Prove.
	Target  func(knobs ...release.Knob) (harness.Target, error)
	Repeat  int // sound runs of each scenario
	Workers int
	Seed    int64
	// First ends a twin's sweep over the scenarios that do not name it as soon as one scenario caught it: CaughtBy is
	// then not complete.
	First bool
	// Every runs every twin under every scenario of priority 0, those too that were seen to use nothing of the twin's
	// part.
	Every bool
	// Named runs only the pairs of a twin and a scenario that names it.
	Named    bool
	Progress harness.Progress
	// Sound is told the case of each sound run without cures, one call after another; nil for nobody.
	Sound func(result.Case)
}

// Totalling is a Progress that is told how many cells the matrix has, as soon as that is known.
type Totalling interface{ Total(cells int) }

// proofRun is one cell of the matrix.
type proofRun struct {
	scenario harness.Scenario
	twin     Twin           // without an id it is the sound run
	cures    []release.Knob // a scenario that the release always fails is planted on top of its cures
	seed     int64
	named    bool // the scenario names the twin as its own
}

// Prove runs every scenario on the sound profile, every twin under the scenarios that name it, and every twin under all
// scenarios of priority 0 that its part concerns. The error says that the matrix could not be completed: the proof then
// holds what was found until then.
func Prove(ctx context.Context, p Plan) (*Proof, error) {
	began := time.Now()
	proof := newProof(p)
	sound := soundRuns(p)
	tell(p.Progress, len(sound)+len(proof.twinRuns(p)))
	err := proof.all(ctx, p, sound)
	if err == nil {
		cells := proof.twinRuns(p)
		proof.Cells = len(sound) + len(cells)
		tell(p.Progress, proof.Cells)
		err = proof.all(ctx, p, cells)
	}
	proof.conclude(p)
	proof.Complete = err == nil
	proof.Seconds = time.Since(began).Seconds()
	return proof, err
}

func tell(p harness.Progress, cells int) {
	if t, ok := p.(Totalling); ok {
		t.Total(cells)
	}
}

func (proof *Proof) all(ctx context.Context, p Plan, cells []proofRun) error {
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, p.Workers))
	for _, one := range cells {
		group.Go(func() error { return proof.run(gctx, p, one) })
	}
	return group.Wait()
}

func soundRuns(p Plan) []proofRun {
	var runs []proofRun
	for i := range max(1, p.Repeat) {
		for _, at := range harness.LongestFirst(p.Scenarios) {
			runs = append(runs, proofRun{scenario: p.Scenarios[at], seed: p.Seed + int64(i)})
			if s, cures, ok := p.Scenarios[at].Plantable(p.Release); ok && len(cures) > 0 && i == 0 {
				runs = append(runs, proofRun{scenario: s, cures: cures, seed: p.Seed})
			}
		}
	}
	return runs
}

// twinRuns are the cells with a twin: those that name each other first, the dearest first, so that the longest does not
// start last. A pair that the sound run showed to have nothing to do with each other is left out and counted.
func (proof *Proof) twinRuns(p Plan) []proofRun {
	var runs []proofRun
	proof.LeftOut = 0
	for _, twin := range p.Twins {
		for _, one := range p.Scenarios {
			s, cures, ok := one.Plantable(p.Release)
			named := slices.Contains(s.Twins, twin.ID)
			if !ok || !named && (s.Priority != 0 || p.Named) {
				continue
			}
			if used, seen := proof.used[s.ID]; seen && !named && !p.Every && !twin.Part.concerns(used) {
				proof.LeftOut++
				continue
			}
			runs = append(runs, proofRun{scenario: s, twin: twin, cures: cures, seed: p.Seed, named: named})
		}
	}
	slices.SortStableFunc(runs, func(a, b proofRun) int {
		if a.named != b.named {
			return map[bool]int{true: -1, false: 1}[a.named]
		}
		return cmp.Compare(proof.took[b.scenario.ID], proof.took[a.scenario.ID])
	})
	return runs
}

func (proof *Proof) run(ctx context.Context, p Plan, one proofRun) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p.First && !one.named && proof.isCaught(one.twin.ID) {
		p.Progress.Finished(result.Case{ID: one.scenario.ID})
		return nil
	}
	knobs := slices.Clone(one.cures)
	if one.twin.ID != "" {
		knobs = append(knobs, one.twin.ID)
	}
	target, err := p.Target(knobs...)
	if err != nil {
		return fmt.Errorf("a target with %v: %w", knobs, err)
	}
	var used map[harness.Capability]bool
	var left error
	c := harness.RunScenario(ctx, target, one.scenario, harness.Plan{Seed: one.seed, Repeat: 1, Progress: p.Progress,
		Brief: one.twin.ID != "", Swept: one.twin.ID != "" && !one.named,
		Used: func(all map[harness.Capability]bool) { used = all },
		Left: func(_ string, err error) { left = errors.Join(left, err) }})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := errors.Join(left, target.Close(ctx)); err != nil {
		return fmt.Errorf("closing a target with %v: %w", knobs, err)
	}
	proof.mu.Lock()
	proof.note(one, c, used)
	if p.Sound != nil && one.twin.ID == "" && len(one.cures) == 0 {
		p.Sound(c)
	}
	proof.mu.Unlock()
	p.Progress.Finished(c)
	return nil
}

func (proof *Proof) isCaught(twin release.Knob) bool {
	proof.mu.Lock()
	defer proof.mu.Unlock()
	return len(proof.caught[twin]) > 0
}
