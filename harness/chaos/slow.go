package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness/faultproxy"
	"github.com/stackproof/stackproof/harness/result"
)

// SlowOptions say what stands between a run and its server. Late is how late every answer is; Lost and Cut are the
// shares of exchanges of which the answer is lost after the server carried the call out, and of connections that break
// before the server sees the call.
type SlowOptions struct {
	Scenarios []string
	Seed      int64
	Late      time.Duration
	Lost, Cut float64
	Trace     string        // file for the run's calls; empty for none
	Bound     time.Duration // when the run is killed
	Progress  io.Writer     // gets what the run prints; nil for nobody
}

// Slowed is a run as a whole through such a server.
type Slowed struct {
	Cases   []result.Case
	Code    int
	Said    string // the end of what it printed
	Hung    bool   // it was killed at its bound
	Hits    int    // exchanges that were broken
	Seconds float64
	Left    []string
}

// Slow runs scenarios, as one run, through a slow server that loses answers, and cleans up if the run left a ledger.
func (s *Site) Slow(ctx context.Context, o SlowOptions) (_ Slowed, err error) {
	proxy, err := faultproxy.Mix(s.zone.APIURL(), uint64(o.Seed), o.Late,
		faultproxy.Share{Fault: faultproxy.ResetAfter, Rate: o.Lost},
		faultproxy.Share{Fault: faultproxy.ResetBefore, Rate: o.Cut})
	if err != nil {
		return Slowed{}, err
	}
	s.door.put(proxy)
	defer s.door.put(nil)
	flags := s.sources()
	if o.Trace != "" {
		flags = append(flags, "--trace", o.Trace)
	}
	c, err := s.run(ctx, o.Seed, o.Scenarios, flags...)
	if err != nil {
		return Slowed{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	c.said.echo = o.Progress
	began := time.Now()
	if err := c.start(); err != nil {
		return Slowed{}, err
	}
	end := time.AfterFunc(o.Bound, c.kill)
	if _, err := c.wait(); err != nil {
		return Slowed{}, err
	}
	out := Slowed{Hung: !end.Stop(), Code: c.cmd.ProcessState.ExitCode(), Said: last(c.said.String()),
		Hits: proxy.Hits(), Seconds: time.Since(began).Seconds()}
	s.door.put(nil)
	if out.Left, err = s.swept(ctx, c); err != nil {
		return out, err
	}
	run, err := c.result()
	if err != nil {
		return out, fmt.Errorf("the run left no result: %w: %s", err, out.Said)
	}
	out.Cases = run.Results
	return out, nil
}

// Unsound names what a quiet run left undecided, or found, though neither the release nor the target makes it so: a
// slow run that says the same would show nothing.
func (s Slowed) Unsound() (all []string) {
	if s.Hung {
		all = append(all, "it was killed at its bound")
	}
	if len(s.Cases) == 0 {
		all = append(all, "it has no verdicts")
	}
	for _, c := range s.Cases {
		undecided := c.Verdict == result.Inconclusive && !c.ByDesign
		if undecided || c.Verdict == result.Fail && !c.Known && !c.ByDesign {
			all = append(all, fmt.Sprintf("%s: %s: %s", c.ID, c.Verdict, c.Reason))
		}
	}
	return all
}

// Differences compares a slow run's verdicts with those of a quiet one: what is missing, other, or there besides.
func (s Slowed) Differences(quiet Slowed) (all []string) {
	of := func(cases []result.Case, id string) *result.Case {
		i := slices.IndexFunc(cases, func(c result.Case) bool { return c.ID == id })
		if i < 0 {
			return nil
		}
		return &cases[i]
	}
	for _, want := range quiet.Cases {
		got := of(s.Cases, want.ID)
		switch {
		case got == nil:
			all = append(all, want.ID+": no verdict, quiet "+string(want.Verdict))
		case got.Verdict != want.Verdict:
			all = append(all, fmt.Sprintf("%s: %s, quiet %s: %s", want.ID, got.Verdict, want.Verdict, got.Reason))
		}
	}
	for _, got := range s.Cases {
		if of(quiet.Cases, got.ID) == nil {
			all = append(all, fmt.Sprintf("%s: %s, quiet none: %s", got.ID, got.Verdict, got.Reason))
		}
	}
	return all
}
