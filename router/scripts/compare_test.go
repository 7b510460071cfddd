package scripts

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/router"
)

// Model is router's own idea of a router; a *router.Router is one.
type Model interface {
	Apply(ctx context.Context, p router.Push) (router.Applied, error)
	Files(ctx context.Context) (router.Files, error)
}

// Mismatch is a fault of the model: the real scripts did something else with the same push.
type Mismatch struct {
	Push  int    `json:"push"` // from 1
	What  string `json:"what"`
	Model string `json:"model"`
	Real  string `json:"real"`
	// of the live files: "-" is the model's line, "+" the real one's
	Sections []router.SectionDiff `json:"sections,omitempty"`
}

func (m Mismatch) String() string {
	return fmt.Sprintf("push %d: %s: model %s, real scripts %s", m.Push, m.What, m.Model, m.Real)
}

// Compare plays one router's pushes through the real scripts and through the model, both fresh, and gives every
// mismatch. Files must be equal to the byte. Of the first push it does not count that a real router starts with HAProxy
// running on the tree's own file, and the model with none. The scripts get what a management server of these rules
// renders.
func Compare(ctx context.Context, v *VR, m Model, rules router.Rules, pushes []router.Push) ([]Mismatch, error) {
	var found []Mismatch
	server := new(router.Renderer)
	for i, p := range pushes {
		applied, err := m.Apply(ctx, p)
		var rejected *router.RejectedError
		if err != nil && !errors.As(err, &rejected) {
			return found, fmt.Errorf("push %d of %d through the model: %w", i+1, len(pushes), err)
		}
		want, err := m.Files(ctx)
		if err != nil {
			return found, fmt.Errorf("push %d of %d through the model: %w", i+1, len(pushes), err)
		}
		report, err := v.ApplyRendered(ctx, p, FormOf(p), func(p router.Push) (router.Rendered,
			error) {
			return server.Render(p, rules)
		})
		if err != nil {
			return found, fmt.Errorf("push %d of %d through the scripts: %w", i+1, len(pushes), err)
		}
		have, err := v.Files(ctx)
		if err != nil {
			return found, fmt.Errorf("push %d of %d through the scripts: %w", i+1, len(pushes), err)
		}
		for _, mismatch := range mismatches(applied, report.Applied(), want, have, i == 0) {
			mismatch.Push = i + 1
			found = append(found, mismatch)
		}
	}
	return found, nil
}

func mismatches(model, real router.Applied, want, have router.Files, first bool) []Mismatch {
	var found []Mismatch
	if first && model.Action == router.ActionStart && real.Action == router.ActionReload {
		model.Action = real.Action
	}
	for _, f := range []struct {
		what       string
		want, have string
	}{
		{"action", string(model.Action), string(real.Action)},
		{"masked", fmt.Sprint(model.Masked), fmt.Sprint(real.Masked)},
		{"live file replaced", fmt.Sprint(model.Copied), fmt.Sprint(real.Copied)},
		{"new file", model.NewHash, real.NewHash},
	} {
		if f.want != f.have {
			found = append(found, Mismatch{What: f.what, Model: f.want, Real: f.have})
		}
	}
	for _, f := range []struct {
		what       string
		want, have []byte
	}{
		{"live file", want.Live, have.Live},
		{"file that HAProxy serves", want.Serving, have.Serving},
	} {
		if !bytes.Equal(f.want, f.have) {
			found = append(found, Mismatch{
				What: f.what, Model: fmt.Sprintf("%d bytes", len(f.want)), Real: fmt.Sprintf("%d bytes", len(f.have)),
				Sections: router.DiffSections(f.have, f.want),
			})
		}
	}
	return found
}
