package dataplane

import (
	"context"
	"fmt"
)

// Probe looks at one rule. The error is for a configuration that makes no sense, a watch that cannot be read and an
// ended context; whatever the network does is in the observation.
func Probe(ctx context.Context, config Config) (Observation, error) {
	c, err := config.checked()
	if err != nil {
		return Observation{}, err
	}
	o := Observation{
		Target: Side{Target: c.Target}, Control: Side{Target: c.Control},
		Method: c.Method, Seed: c.Seed, Clients: len(c.Clients), Requests: c.Requests,
		Watched: c.Watch != nil, Started: c.Now(),
	}
	for o.Passes < maxPasses {
		o.Passes++
		before, err := mark(ctx, c.Watch)
		if err != nil {
			return o, fmt.Errorf("stickiness probe of %s: look at the router before pass %d: %w", c.Target.Rule,
				o.Passes, err)
		}
		p := newPass(&c, o.Passes)
		p.run(ctx)
		if err := ctx.Err(); err != nil {
			return o, fmt.Errorf("stickiness probe of %s: %w", c.Target.Rule, err)
		}
		after, err := mark(ctx, c.Watch)
		if err != nil {
			return o, fmt.Errorf("stickiness probe of %s: look at the router after pass %d: %w", c.Target.Rule,
				o.Passes, err)
		}
		o.Mark = after
		if before == after {
			err := evaluate(ctx, &o, &c, p)
			o.Seconds = c.Now().Sub(o.Started).Seconds()
			return o, err
		}
		o.Discarded = append(o.Discarded, fmt.Sprintf("the router changed from %q to %q", before, after))
	}
	o.Verdict, o.Reason = Inconclusive, fmt.Sprintf("the router changed in each of %d passes", o.Passes)
	o.Seconds = c.Now().Sub(o.Started).Seconds()
	return o, nil
}

func mark(ctx context.Context, w Watch) (string, error) {
	if w == nil {
		return "", nil
	}
	return w.Mark(ctx)
}
