package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

// Point is where a run is killed.
type Point struct {
	Call int // counted from 1, over all API calls of the run
	// After says that the server has carried the call out and nobody got the answer; else it never saw the call.
	After bool
}

func (p Point) String() string {
	if p.After {
		return fmt.Sprintf("call %d, carried out", p.Call)
	}
	return fmt.Sprintf("call %d, not sent on", p.Call)
}

// Killed is what came of one kill and the clean-up after it.
type Killed struct {
	Point
	Removed int      // by the clean-up
	Left    []string // nothing, if all is well
}

// KillOptions say which runs are killed, and where.
type KillOptions struct {
	Scenarios []string
	Seed      int64
	// Count is how many points are tried, drawn by the seed; 0 is all: before and after each call.
	Count int
	// Part is the part of the points that is tried; the zero value is all.
	Part harness.Shard
	// Show is told each outcome.
	Show func(Killed)
}

// Kills is what came of killing runs of the same scenarios at many points.
type Kills struct {
	Scenarios []string
	Seed      int64
	Calls     int // of the run that nobody killed
	Points    []Killed
	// Early are the points that no run came to: a run polls by time, so one makes fewer calls than another.
	Early int
}

// Left are the points after which something was left.
func (k Kills) Left() []Killed {
	return slices.DeleteFunc(slices.Clone(k.Points), func(one Killed) bool { return len(one.Left) == 0 })
}

// Removed counts what the clean-ups removed.
func (k Kills) Removed() (n int) {
	for _, one := range k.Points {
		n += one.Removed
	}
	return n
}

// Kill runs scenarios, first to the end and then killed at points, cleans up after each kill and looks what is left.
// The error says that it could not be carried out, or that the run which nobody killed did not end with the right
// verdict, so that the others would show nothing.
func (s *Site) Kill(ctx context.Context, o KillOptions) (Kills, error) {
	k := Kills{Scenarios: o.Scenarios, Seed: o.Seed}
	var err error
	if k.Calls, err = s.undisturbed(ctx, o.Scenarios, o.Seed); err != nil {
		return k, err
	}
	for i, p := range points(k.Calls, o.Seed, o.Count) {
		if o.Part.Of > 0 && i%o.Part.Of != o.Part.Index {
			continue
		}
		one, reached, err := s.killAt(ctx, o.Scenarios, o.Seed, p)
		switch {
		case err != nil:
			return k, fmt.Errorf("%s: %w", p, err)
		case !reached:
			k.Early++
		default:
			k.Points = append(k.Points, one)
			o.Show(one)
		}
	}
	return k, nil
}

// points are those to be tried: all in order, with a tenth more for runs that poll more often, or count of those of
// the first two thirds by seed, in order.
func points(calls int, seed int64, count int) (all []Point) {
	if count <= 0 {
		calls += calls / 10
	} else {
		calls = calls * 2 / 3 // which every run has, however seldom it polls
	}
	for n := 1; n <= calls; n++ {
		all = append(all, Point{n, false}, Point{n, true})
	}
	if count <= 0 || count >= len(all) {
		return all
	}
	rng := rand.New(rand.NewPCG(uint64(seed), 0xdead)) // repeatable on purpose
	chosen := rng.Perm(len(all))[:count]
	slices.Sort(chosen)
	some := make([]Point, count)
	for i, at := range chosen {
		some[i] = all[at]
	}
	return some
}

// undisturbed is the control: a run that nobody kills passes, leaves nothing, and shows how many calls there are.
func (s *Site) undisturbed(ctx context.Context, scenarios []string, seed int64) (calls int, err error) {
	var n atomic.Int64
	s.door.put(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		s.door.plain.ServeHTTP(w, r)
	}))
	defer s.door.put(nil)
	c, err := s.run(ctx, seed, scenarios, s.sources()...)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	if err := c.start(); err != nil {
		return 0, err
	}
	if _, err := c.wait(); err != nil {
		return 0, err
	}
	run, err := c.result()
	if err != nil {
		return 0, err
	}
	for _, one := range run.Results {
		if one.Verdict != result.Pass && !one.Known {
			return 0, fmt.Errorf("the run that nobody disturbed: %s is %s: %s", one.ID, one.Verdict, one.Reason)
		}
	}
	left, err := s.left(ctx, c)
	if len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("the run that nobody disturbed left %v", left))
	}
	return int(n.Load()), err
}

// result reads what the run wrote.
func (c *child) result() (result.Run, error) {
	f, err := os.Open(filepath.Join(c.dir, jsonName))
	if err != nil {
		return result.Run{}, fmt.Errorf("reading a run's result: %w: it said %s", err, c.said.String())
	}
	defer f.Close()
	run, err := result.Decode(f)
	if err != nil {
		return run, fmt.Errorf("reading a run's result: %w", err)
	}
	return run, nil
}

// killAt kills one run and cleans up after it; reached is false for a run that ended before.
func (s *Site) killAt(ctx context.Context, scenarios []string, seed int64,
	p Point) (k Killed, reached bool, err error) {
	k.Point = p
	c, err := s.run(ctx, seed, scenarios, s.sources()...)
	if err != nil {
		return k, false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	axe := &executioner{to: s.door.plain, after: p.After, kill: c.kill, dead: make(chan struct{})}
	axe.left.Store(int64(p.Call))
	s.door.put(axe)
	defer s.door.put(nil)
	if err := c.start(); err != nil {
		return k, false, err
	}
	reached, err = c.wait()
	axe.over()
	if err != nil {
		return k, false, err
	}
	s.door.put(nil)
	if k.Removed, err = s.cleanup(ctx, c); err != nil {
		if ctx.Err() != nil {
			return k, reached, context.Cause(ctx)
		}
		k.Left = append(k.Left, err.Error())
	}
	left, err := s.left(ctx, c)
	k.Left = append(k.Left, left...)
	return k, reached, err
}

// executioner stands behind the door and kills the run at one of its calls: before the call goes on to the server, or
// after the server has carried it out.
type executioner struct {
	to    http.Handler
	left  atomic.Int64
	after bool
	kill  func()
	once  sync.Once
	dead  chan struct{}
}

// ServeHTTP implements http.Handler.
func (e *executioner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch n := e.left.Add(-1); {
	case n > 0:
		e.to.ServeHTTP(w, r)
	case n == 0:
		if e.after {
			e.to.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
		}
		e.kill()
		<-e.dead // no answer before the run is gone
	default:
		<-e.dead // sent at the same moment as the last one: it never arrives
	}
}

// over lets what was held back end; the run is gone.
func (e *executioner) over() { e.once.Do(func() { close(e.dead) }) }
