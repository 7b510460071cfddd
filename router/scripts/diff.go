package scripts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/router"
)

// Side is one of two trees that are compared.
type Side struct {
	Tree    string `json:"tree"`
	Python  string `json:"python"`  // path and version
	HAProxy string `json:"haproxy"` // version
	Masked  []int  `json:"masked"`  // numbers of the pushes, from 1
	Crashed []int  `json:"crashed"` // those that ended in a crash or were ended after the limit
}

// Outcome is what a push did in one tree.
type Outcome struct {
	Action   router.Action `json:"action"`
	Masked   bool          `json:"masked"`
	Crashed  bool          `json:"crashed"` // or was ended after the limit
	Exit     int           `json:"exit"`
	Signal   string        `json:"signal,omitempty"`
	TimedOut bool          `json:"timed_out,omitempty"`
	Live     string        `json:"live"` // SHA-256 of the live file, empty when there is none
	Took     time.Duration `json:"took"` // nanoseconds
}

// Aspects in which two trees may differ over a push.
const (
	AspectLive     = "live file"
	AspectAction   = "action"
	AspectSections = "sections" // of the live file: HAProxy would see the difference
	AspectStatus   = "exit status"
)

// DiffStep is one push played through both trees.
type DiffStep struct {
	Push     int                  `json:"push"` // from 1
	Line     int                  `json:"line,omitempty"`
	Seq      string               `json:"seq,omitempty"`
	Router   string               `json:"router,omitempty"`
	Form     Form                 `json:"form"`
	A        Outcome              `json:"a"`
	B        Outcome              `json:"b"`
	Differs  []string             `json:"differs"`            // aspects, empty for none
	Sections []router.SectionDiff `json:"sections,omitempty"` // "-" stands on A's live lines, "+" on B's
}

// DiffResult is where two trees differ over the same pushes.
type DiffResult struct {
	Schema  int        `json:"schema"` // 1
	A       Side       `json:"a"`
	B       Side       `json:"b"`
	Pushes  int        `json:"pushes"`
	Differ  int        `json:"differ"` // number of pushes with a difference
	Steps   []DiffStep `json:"steps"`  // every push
	Seconds float64    `json:"seconds"`
}

// Diff plays the same pushes through two trees. The pushes are rendered once, as a management server of the rules does.
// Each router has a sandbox of its own per tree, and each push arrives in the form in which it was sent. Where the
// trees differ is in the result and no error; an error means that a tree cannot be run (an *Unsupported that names it)
// or that a push cannot be rendered.
func Diff(ctx context.Context, a, b Options, rules router.Rules, pushes []router.Push) (result DiffResult, err error) {
	begin := time.Now()
	result = DiffResult{Schema: 1, Pushes: len(pushes), A: Side{Tree: a.Tree, Masked: []int{}, Crashed: []int{}},
		B: Side{Tree: b.Tree, Masked: []int{}, Crashed: []int{}}}
	pairs, left := map[string]*pair{}, map[string]int{}
	for _, p := range pushes {
		left[p.Router()]++
	}
	defer func() {
		for _, p := range pairs {
			err = errors.Join(err, p.close())
		}
		result.Seconds = time.Since(begin).Seconds()
	}()
	var badA, badB error
	a, badA = prepareSide(ctx, a)
	b, badB = prepareSide(ctx, b)
	if err := errors.Join(badA, badB); err != nil {
		return result, err
	}
	renderer := new(router.Renderer)
	for i, push := range pushes {
		p := pairs[push.Router()]
		if p == nil {
			if p, err = openPair(ctx, a, b, push); err != nil {
				return result, err
			}
			pairs[push.Router()] = p
			result.A.Python, result.A.HAProxy = p.a.Python(), p.a.HAProxyVersion()
			result.B.Python, result.B.HAProxy = p.b.Python(), p.b.HAProxyVersion()
		}
		rendered, err := renderer.Render(push, rules)
		if err != nil {
			return result, fmt.Errorf("push %d of %d: %w", i+1, len(pushes), err)
		}
		step, err := p.play(ctx, push, rendered)
		if err != nil {
			return result, fmt.Errorf("push %d of %d: %w", i+1, len(pushes), err)
		}
		result.add(i+1, step)
		if left[push.Router()]--; left[push.Router()] == 0 {
			delete(pairs, push.Router())
			if err := p.close(); err != nil {
				return result, fmt.Errorf("push %d of %d: %w", i+1, len(pushes), err)
			}
		}
	}
	return result, nil
}

func (r *DiffResult) add(number int, s DiffStep) {
	s.Push = number
	if len(s.Differs) > 0 {
		r.Differ++
	}
	for _, side := range []struct {
		side *Side
		o    Outcome
	}{{&r.A, s.A}, {&r.B, s.B}} {
		if side.o.Masked {
			side.side.Masked = append(side.side.Masked, number)
		}
		if side.o.Crashed {
			side.side.Crashed = append(side.side.Crashed, number)
		}
	}
	r.Steps = append(r.Steps, s)
}

func prepareSide(ctx context.Context, o Options) (Options, error) {
	prepared, err := Prepare(ctx, o)
	if err != nil {
		return o, fmt.Errorf("%s: %w", o.Tree, err)
	}
	return prepared, nil
}

// pair is one router in both trees.
type pair struct{ a, b *VR }

func openPair(ctx context.Context, a, b Options, first router.Push) (*pair, error) {
	p := new(pair)
	// Not the group's context: it ends with the first error, which would hide the other side's.
	var g errgroup.Group
	open := func(into **VR, o Options) func() error {
		return func() error {
			o.Isolated = o.Isolated || first.VPCID == ""
			if o.Name == "" {
				o.Name = first.Router()
			}
			v, err := Open(ctx, o)
			if err != nil {
				return fmt.Errorf("%s: %w", o.Tree, err)
			}
			*into = v
			return nil
		}
	}
	g.Go(open(&p.a, a))
	g.Go(open(&p.b, b))
	if err := g.Wait(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *pair) close() error {
	var errs []error
	for _, v := range []*VR{p.a, p.b} {
		if v != nil {
			errs = append(errs, v.Close())
		}
	}
	return errors.Join(errs...)
}

func (p *pair) play(ctx context.Context, push router.Push, rendered router.Rendered) (DiffStep, error) {
	var ra, rb Report
	var la, lb []byte
	form := FormOf(push)
	given := func(router.Push) (router.Rendered, error) { return rendered, nil }
	var g errgroup.Group
	apply := func(v *VR, r *Report, live *[]byte) func() error {
		return func() (err error) {
			if *r, err = v.ApplyRendered(ctx, push, form, given); err != nil {
				return err
			}
			f, err := v.Files(ctx)
			*live = f.Live
			return err
		}
	}
	g.Go(apply(p.a, &ra, &la))
	g.Go(apply(p.b, &rb, &lb))
	if err := g.Wait(); err != nil {
		return DiffStep{}, err
	}
	step := DiffStep{
		Line: push.Log.Line, Seq: push.Log.Seq, Router: push.Router(), Form: form, A: outcome(ra), B: outcome(rb),
		Differs:  []string{},
		Sections: router.DiffSections(lb, la),
	}
	for _, aspect := range []struct {
		name    string
		differs bool
	}{
		{AspectLive, step.A.Live != step.B.Live},
		{AspectSections, len(step.Sections) > 0},
		{AspectAction, step.A.Action != step.B.Action},
		{AspectStatus, step.A.Exit != step.B.Exit || step.A.Signal != step.B.Signal ||
			step.A.TimedOut != step.B.TimedOut},
	} {
		if aspect.differs {
			step.Differs = append(step.Differs, aspect.name)
		}
	}
	return step, nil
}

func outcome(r Report) Outcome {
	return Outcome{
		Action: r.Action, Masked: r.Masked(), Crashed: r.Crashed() || r.TimedOut, Exit: r.Exit, Signal: r.Signal,
		TimedOut: r.TimedOut, Live: r.Live.Hash, Took: r.Took,
	}
}
