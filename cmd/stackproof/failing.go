package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/proof"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/scenarios"
	"github.com/stackproof/stackproof/scenarios/model"
)

// choose gives the scenarios to run: those of the catalogue that were named, or the one of a replay file.
func (o *runOptions) choose() (harness.Catalogue, error) {
	if o.save != "" {
		if info, err := os.Stat(o.save); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("--save-failing %s: not a folder that exists", o.save)
		}
	}
	if err := o.readProof(); err != nil {
		return nil, err
	}
	if o.replay == "" {
		return o.named()
	}
	if len(o.scenarios) > 0 {
		return nil, errors.New("--replay runs the steps of its file only: leave --scenario out")
	}
	if o.known {
		return nil, errors.New("--replay runs the steps of its file only: leave --known out")
	}
	f, err := os.Open(o.replay)
	if err != nil {
		return nil, fmt.Errorf("reading a replay: %w", err)
	}
	steps, err := model.Read(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", o.replay, err)
	}
	return harness.Catalogue{scenarios.Replay(steps)}, nil
}

// named are the scenarios that were asked for; with --known also those that are known to fail on the release.
func (o *runOptions) named() (harness.Catalogue, error) {
	chosen, err := scenarios.Catalogue().Select(o.scenarios...)
	if err != nil || !o.known {
		return chosen, err
	}
	return slices.DeleteFunc(scenarios.Catalogue(), func(s harness.Scenario) bool {
		return !slices.Contains(chosen.IDs(), s.ID) && !s.KnownBad.On(o.release)
	}), nil
}

// saveFailing writes the failing sequences of a run to a folder and names the files.
func saveFailing(out io.Writer, dir string, run result.Run) error {
	for _, c := range run.Results {
		n := 0
		for _, e := range c.Evidence {
			if e.Kind != result.KindReplay {
				continue
			}
			n++
			name := filepath.Join(dir, fmt.Sprintf("%s-%s-seed%d-%d.replay", c.ID, run.Release, run.Seed, n))
			if err := os.WriteFile(name, []byte(e.Text), 0o644); err != nil {
				return fmt.Errorf("saving a failing sequence: %w", err)
			}
			fmt.Fprintf(out, "written: %s\n", name)
		}
	}
	return nil
}

// mostRepeats bounds repeats that only a budget or a failure ends.
const mostRepeats = 1000

// readProof reads what a proof showed of the scenarios' sensitivity.
func (o *runOptions) readProof() error {
	if o.proof == "" {
		return nil
	}
	f, err := os.Open(o.proof)
	if err != nil {
		return fmt.Errorf("--proof: %w", err)
	}
	proof, err := proof.Read(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("--proof %s: %w", o.proof, err)
	}
	o.sensitivity = proof.Sensitivities()
	return nil
}
