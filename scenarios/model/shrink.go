package model

import (
	"slices"
	"strings"
)

// Shrink cuts steps down to a shortest list that still fails. The last step is the one at which it showed, so it begins
// with what is cheap to try: only the objects that were named last, one, two, four and so on of them. Then objects go
// with all their steps, then chunks of steps, in halves, then single steps, until none can be left out (delta
// debugging), and what is left is made simpler. fails says whether a list still fails in the same way; it is asked at
// most once about the same list. When it also answers stop, what was reached is returned.
func Shrink(steps []Step, fails func([]Step) (failed, stop bool)) []Step {
	s := &shrinker{fails: fails, best: steps, asked: map[string]bool{}}
	s.newest()
	s.objects()
	for before := -1; before != len(s.best) && !s.stopped; {
		before = len(s.best)
		s.chunks()
		s.simpler()
	}
	return s.best
}

type shrinker struct {
	fails   func([]Step) (bool, bool)
	best    []Step
	asked   map[string]bool
	stopped bool
}

// try asks about a list and keeps it if it fails, too.
func (s *shrinker) try(steps []Step) bool {
	steps = Sensible(steps)
	key := words(steps)
	if s.stopped || s.asked[key] || len(steps) == 0 || key == words(s.best) {
		return false
	}
	s.asked[key] = true
	failed, stop := s.fails(steps)
	s.stopped = s.stopped || stop
	if failed {
		s.best = steps
	}
	return failed
}

// named are the objects of steps, those named last first; an address goes with its rules.
func named(steps []Step) (objects []string) {
	for _, one := range slices.Backward(steps) {
		if one.Object != "" && kindOf(one.Object) != address && !slices.Contains(objects, one.Object) {
			objects = append(objects, one.Object)
		}
	}
	return objects
}

// without leaves out all steps of objects, and of addresses that then carry none.
func without(steps []Step, objects []string) (kept []Step) {
	carried := map[string]bool{}
	for _, one := range steps {
		if one.Verb == Create && !slices.Contains(objects, one.Object) {
			carried[one.Address] = true
		}
		if !slices.Contains(objects, one.Object) && (one.Verb != Release || carried[one.Object]) {
			kept = append(kept, one)
		}
	}
	return kept
}

// still leaves out what only passes the time or looks, but for the last step.
func still(steps []Step) (kept []Step) {
	for i, one := range steps {
		if i == len(steps)-1 || one.Object != "" {
			kept = append(kept, one)
		}
	}
	return kept
}

func (s *shrinker) newest() {
	objects := named(s.best)
	for n := 1; n < len(objects); n *= 2 {
		some := without(s.best, objects[n:])
		if s.try(still(some)) || s.try(some) {
			return
		}
	}
}

// objects tries to leave out objects with all their steps, the ones named first first.
func (s *shrinker) objects() {
	for size := max(1, len(named(s.best))/2); size >= 1; size /= 2 {
		for at := 0; !s.stopped; {
			all := named(s.best)
			slices.Reverse(all)
			if at >= len(all) {
				break
			}
			if !s.try(without(s.best, all[at:min(at+size, len(all))])) {
				at += size
			}
		}
	}
	s.try(still(s.best))
}

func (s *shrinker) chunks() {
	for size := max(1, len(s.best)/2); size >= 1; size /= 2 {
		for at := len(s.best) - size; at > -size && !s.stopped; at -= size {
			from, to := max(0, at), at+size
			if to > len(s.best) {
				continue
			}
			s.try(append(append([]Step{}, s.best[:from]...), s.best[to:]...))
		}
	}
}

// simpler tries the first customer instead of another, and pushes that are not refused.
func (s *shrinker) simpler() {
	for _, owner := range customers()[:2] {
		s.try(each(s.best, func(one *Step) {
			if one.Owner != "" {
				one.Owner = owner
			}
		}))
	}
	for i := range s.best {
		if i >= len(s.best) {
			return
		}
		if s.best[i].Refused {
			s.try(at(s.best, i, func(one *Step) { one.Refused = false }))
		}
		if i < len(s.best) && s.best[i].Word == policies()[1] {
			s.try(at(s.best, i, func(one *Step) { one.Word = policies()[0] }))
		}
	}
}

func each(steps []Step, change func(*Step)) []Step {
	all := append([]Step{}, steps...)
	for i := range all {
		change(&all[i])
	}
	return all
}

func at(steps []Step, i int, change func(*Step)) []Step {
	all := append([]Step{}, steps...)
	change(&all[i])
	return all
}

func words(steps []Step) string {
	lines := make([]string, len(steps))
	for i, s := range steps {
		lines[i] = s.String()
	}
	return strings.Join(lines, "\n")
}
