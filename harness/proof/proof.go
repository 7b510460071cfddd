package proof

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/result/stats"
	"github.com/stackproof/stackproof/release"
)

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
	Schema   int    `json:"schema"`
	Release  string `json:"release"`
	Seed     int64  `json:"seed"`
	Complete bool   `json:"complete"` // every cell was run; otherwise nothing is proven
	Cells    int    `json:"cells"`    // of the matrix, sound runs included
	// pairs of a scenario and a twin of a part that the scenario was seen not to use
	LeftOut int          `json:"left_out"`
	Twins   []TwinResult `json:"twins"`
	// sound runs that failed, but for defects that the release is known for
	FalseAlarms int `json:"false_alarms"`
	SoundRuns   int `json:"sound_runs"`
	// SoundBound is the upper 95 % bound of the rate of false alarms.
	SoundBound float64 `json:"sound_bound"`
	// Undecided are sound runs that were inconclusive and should not have been.
	Undecided []string       `json:"undecided,omitempty"`
	Alarms    []string       `json:"alarms,omitempty"` // each false alarm: scenario, seed, reason
	Survivors []string       `json:"survivors,omitempty"`
	Seconds   float64        `json:"seconds"`
	Cost      []ScenarioCost `json:"cost"` // where the time went, dearest first

	mu        sync.Mutex
	scenarios harness.Catalogue
	cost      map[string]*ScenarioCost
	sound     map[string]result.Verdict              // worst of the sound runs, by scenario
	used      map[string]map[harness.Capability]bool // what they used
	took      map[string]float64                     // seconds of the last one
	caught    map[release.Knob][]string
	missed    map[release.Knob][]string
}

// ScenarioCost is the time of all runs of a scenario.
type ScenarioCost struct {
	ID      string  `json:"id"`
	Runs    int     `json:"runs"`
	Seconds float64 `json:"seconds"`
}

func newProof(p Plan) *Proof {
	return &Proof{Schema: proofSchema, Release: p.Release, Seed: p.Seed, cost: map[string]*ScenarioCost{},
		sound: map[string]result.Verdict{},
		used:  map[string]map[harness.Capability]bool{}, took: map[string]float64{},
		caught:    map[release.Knob][]string{},
		missed:    map[release.Knob][]string{},
		scenarios: p.Scenarios}
}

// Sensitivities are those of all scenarios that name twins of their own, from a complete proof.
func (proof *Proof) Sensitivities() map[string]harness.Sensitivity {
	all := map[string]harness.Sensitivity{}
	for _, t := range proof.Twins {
		for _, id := range t.ExpectedBy {
			s := all[id]
			s.Planted++
			if slices.Contains(t.CaughtBy, id) {
				s.Caught++
			}
			all[id] = s
		}
	}
	return all
}

// Read reads what prove --json wrote. An incomplete proof is an error.
func Read(r io.Reader) (*Proof, error) {
	var p Proof
	if err := json.NewDecoder(r).Decode(&p); err != nil {
		return nil, fmt.Errorf("reading a proof: %w", err)
	}
	switch {
	case p.Schema != proofSchema:
		return nil, fmt.Errorf("reading a proof: schema is %d, this program reads %d", p.Schema, proofSchema)
	case !p.Complete:
		return nil, errors.New("reading a proof: it was broken off and shows no sensitivity")
	}
	return &p, nil
}

const proofSchema = 1

// note records one cell.
func (proof *Proof) note(one proofRun, c result.Case, used map[harness.Capability]bool) {
	id := one.scenario.ID
	if proof.cost[id] == nil {
		proof.cost[id] = &ScenarioCost{ID: id}
	}
	proof.cost[id].Runs++
	proof.cost[id].Seconds += c.Seconds
	if one.twin.ID == "" {
		proof.noteSound(one, c, used)
		return
	}
	if c.Verdict == result.Fail {
		proof.caught[one.twin.ID] = append(proof.caught[one.twin.ID], id)
	} else {
		proof.missed[one.twin.ID] = append(proof.missed[one.twin.ID], fmt.Sprintf("%s (%s: %s)", id, c.Verdict,
			c.Reason))
	}
}

func (proof *Proof) noteSound(one proofRun, c result.Case, used map[harness.Capability]bool) {
	id := one.scenario.ID
	if used == nil { // not known: everything may have been used
		used = map[harness.Capability]bool{harness.UsageRun: true, harness.RouterFiles: true}
	}
	if proof.used[id] == nil {
		proof.used[id] = map[harness.Capability]bool{}
	}
	for k, v := range used { // by any of its runs: a story may take another way with another seed
		proof.used[id][k] = proof.used[id][k] || v
	}
	proof.took[id] = c.Seconds
	if len(one.cures) > 0 {
		if proof.sound[id] = c.Verdict; c.Verdict != result.Pass {
			proof.Undecided = append(proof.Undecided, fmt.Sprintf("%s with %v: %s: %s", id, one.cures, c.Verdict,
				c.Reason))
		}
		return
	}
	proof.SoundRuns++
	// else twins are held against the cured run
	if _, cures, ok := one.scenario.Plantable(proof.Release); !ok || len(cures) == 0 {
		if v, seen := proof.sound[id]; !seen || result.Worse(c.Verdict, v) == c.Verdict {
			proof.sound[id] = c.Verdict
		}
	}
	if c.Verdict == result.Fail && !c.Known {
		proof.FalseAlarms++
		proof.Alarms = append(proof.Alarms, fmt.Sprintf("%s (seed %d): %s", id, one.seed, c.Reason))
	}
	if c.Verdict == result.Inconclusive && !c.ByDesign {
		proof.Undecided = append(proof.Undecided, fmt.Sprintf("%s (seed %d): %s", id, one.seed, c.Reason))
	}
}

// conclude turns cells into rows, in the order of the twins and of the catalogue.
func (proof *Proof) conclude(p Plan) {
	order := proof.scenarios.IDs()
	for _, twin := range p.Twins {
		r := TwinResult{Twin: twin, CaughtBy: []string{}, ExpectedBy: []string{}}
		for _, id := range order {
			if slices.Contains(proof.caught[twin.ID], id) && proof.sound[id] == result.Pass {
				r.CaughtBy = append(r.CaughtBy, id)
			}
		}
		for _, s := range p.Scenarios {
			if !slices.Contains(s.Twins, twin.ID) {
				continue
			}
			r.ExpectedBy = append(r.ExpectedBy, s.ID)
			if _, _, ok := s.Plantable(p.Release); ok && !slices.Contains(r.CaughtBy, s.ID) {
				r.Blind = append(r.Blind, s.ID)
			}
		}
		r.Caught = len(r.CaughtBy) > 0
		if !r.Caught {
			proof.Survivors = append(proof.Survivors, string(twin.ID))
		}
		proof.Twins = append(proof.Twins, r)
	}
	proof.SoundBound = stats.Upper(proof.FalseAlarms, proof.SoundRuns, stats.Confidence95)
	for _, c := range proof.cost {
		proof.Cost = append(proof.Cost, *c)
	}
	slices.SortFunc(proof.Cost, func(a, b ScenarioCost) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds),
			cmp.Compare(a.ID, b.ID))
	})
}

// Err is nil when the matrix is complete and clean: no twin survives, no scenario is blind to a twin of its own, the
// sound profile shows no failure and decides everywhere.
func (proof *Proof) Err() error {
	var errs []error
	if !proof.Complete {
		errs = append(errs, errors.New("the matrix is not complete: nothing is proven"))
	}
	if len(proof.Survivors) > 0 {
		errs = append(errs, fmt.Errorf("%d twins survive: %v", len(proof.Survivors), proof.Survivors))
	}
	for _, t := range proof.Twins {
		if len(t.Blind) > 0 {
			errs = append(errs, fmt.Errorf("%s is not caught by %v, which name it: %v", t.ID, t.Blind,
				proof.missed[t.ID]))
		}
	}
	if proof.FalseAlarms > 0 {
		errs = append(errs, fmt.Errorf("%d false alarms in %d sound runs: %v", proof.FalseAlarms, proof.SoundRuns,
			proof.Alarms))
	}
	if len(proof.Undecided) > 0 {
		errs = append(errs, fmt.Errorf("%d sound runs could not decide: %v", len(proof.Undecided), proof.Undecided))
	}
	if len(proof.Twins) == 0 {
		errs = append(errs, errors.New("no twin was planted: nothing is proven"))
	}
	return errors.Join(errs...)
}
