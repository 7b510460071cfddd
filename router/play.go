package router

import (
	"context"
	"fmt"
	"time"
)

// PlayResult is what a list of pushes does to the files of the routers it names, without any process.
type PlayResult struct {
	Steps  []PlayStep        // one per push, in order
	Live   map[string][]byte // the live file that each router is left with, by router name
	Masked int               // number of steps whose change was lost
}

// PlayStep is one push of a play.
type PlayStep struct {
	Router  string
	New     []byte // what the push renders to
	Live    []byte // the live file after it
	Applied        // Action is deferred or none; Seq counts per router
}

// Play runs pushes through the rules of a release, each router apart, rendered by one management server. It starts no
// HAProxy and so refuses nothing: with Rules.CheckBeforeUse a file that HAProxy would refuse goes live here.
func Play(ctx context.Context, pushes []Push, rules Rules) (PlayResult, error) {
	result := PlayResult{Live: map[string][]byte{}}
	renderer := new(Renderer)
	count := map[string]int{}
	for i, p := range pushes {
		if err := ctx.Err(); err != nil {
			return result, fmt.Errorf("playing push %d of %d: %w", i+1, len(pushes), err)
		}
		rendered, err := renderFor(p, renderer, rules)
		if err != nil {
			return result, describe(p, i, len(pushes), err)
		}
		next := rendered.File()
		name := p.Router()
		count[name]++
		step := PlayStep{Router: name, New: next, Live: result.Live[name]}
		step.Applied = judge(step.Live, next, rules, count[name], p, p.Log.Time)
		if step.Different {
			step.Copied, step.Action, step.Live = true, ActionDeferred, next
			step.LiveHash = step.NewHash
		}
		if step.Masked {
			result.Masked++
		}
		result.Live[name] = step.Live
		result.Steps = append(result.Steps, step)
	}
	return result, nil
}

// judge is an Applied as far as the comparison goes.
func judge(live, next []byte, rules Rules, seq int, p Push, at time.Time) Applied {
	a := Applied{Seq: seq, PushSeq: p.Log.Seq, Action: ActionNone, NewHash: hashOf(next), LiveHash: hashOf(live),
		At: at}
	a.Different, a.Masked = compare(live, next, rules)
	return a
}
