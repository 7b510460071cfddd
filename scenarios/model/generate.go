package model

import (
	"fmt"
	"math/rand/v2"
)

// Bounds on what is there at once: enough for rules to be one another's neighbours on a router, few enough to be quick.
const (
	maxRules  = 10 // of a customer
	maxGroups = 2  // in all
	perSite   = 3  // rules of a kind on one address
)

// generator draws steps that have a meaning.
type generator struct {
	rng    *rand.Rand
	m      state
	serial map[string]int
}

// Generate draws count steps from a seed. The last three are a look at the routers and two usage runs.
func Generate(seed int64, count int) []Step {
	g := &generator{rng: rand.New(rand.NewPCG(uint64(seed), 26)), serial: map[string]int{}}
	var steps []Step
	for len(steps) < count-3 {
		s, ok := g.draw()
		if !ok || g.m.cannot(s) != "" {
			continue
		}
		g.m.done(s)
		steps = append(steps, s)
	}
	return append(steps, Step{Verb: Look}, Step{Verb: Usage}, Step{Verb: Usage})
}

// weights of the verbs.
func weights() []struct {
	verb   string
	weight int
} {
	return []struct {
		verb   string
		weight int
	}{{Create, 22}, {Assign, 24}, {Stick, 20}, {Unstick, 6}, {Delete, 9}, {Usage, 5}, {Pass, 4}, {Empty, 2},
		{Disable, 4}, {Enable, 6},
		{Ungroup, 1}, {Release, 2}, {Look, 2}, {Rename, 2}, {Balance, 5}, {Wrap, 2}, {Certify, 1}, {Grow, 8},
		{Restart, 1},
		{Halt, 2}, {Start, 3}, {Join, 1}, {Leave, 1}}
}

// refusedEvery is one in how many pushes that may be refused is.
const refusedEvery = 10

func (g *generator) draw() (Step, bool) {
	s := Step{Verb: g.verb()}
	switch s.Verb {
	case Usage, Look:
		return s, true
	case Pass:
		s.Word = fmt.Sprintf("%ds", 5+g.rng.IntN(90))
		return s, true
	case Create:
		return g.create()
	case Restart, Halt, Start, Join, Leave:
		s.Object = customers()[g.rng.IntN(len(customers()))]
		return s, true
	case Release:
		s.Object = fmt.Sprintf("%s%d", address, 1+g.rng.IntN(max(1, g.serial[address])))
		return s, true
	}
	living := g.m.living()
	if len(living) == 0 {
		return s, false
	}
	r := living[g.rng.IntN(len(living))]
	s.Object = r.name
	if s.Verb != Delete && !g.m.isLB(r) {
		return s, false
	}
	if s.Verb == Stick && !r.members && g.rng.IntN(4) > 0 {
		return s, false // without members a rule's policy is not written
	}
	if s.Verb == Stick {
		s.Word = policies()[0]
		if g.rng.IntN(5) == 0 {
			s.Word = policies()[1]
		}
	}
	if s.Verb == Wrap {
		s.Word = protocols()[g.rng.IntN(len(protocols()))]
	}
	if s.Verb == Balance {
		s.Word = algorithms()[g.rng.IntN(len(algorithms()))]
	}
	s.Refused = sendsPush(s.Verb, r) && g.rng.IntN(refusedEvery) == 0
	return s, true
}

func (g *generator) verb() string {
	all := weights()
	sum := 0
	for _, w := range all {
		sum += w.weight
	}
	at := g.rng.IntN(sum)
	for _, w := range all {
		if at -= w.weight; at < 0 {
			return w.verb
		}
	}
	return Usage
}

func (g *generator) create() (Step, bool) {
	owner := customers()[[]int{0, 0, 0, 0, 1, 2}[g.rng.IntN(6)]]
	kind := []string{lb, lb, lb, lb, pf, pf, firewall, group}[g.rng.IntN(8)]
	mine, groups := 0, 0
	for _, r := range g.m.living() {
		if r.owner == owner {
			mine++
		}
		if r.kind == group {
			groups++
		}
	}
	if mine >= maxRules || kind == group && groups >= maxGroups || kind == firewall && owner != isolated {
		return Step{}, false
	}
	s := Step{Verb: Create, Owner: owner, Object: g.name(kind)}
	if kind != group {
		s.Address = g.address(owner, kind)
	}
	if kind == lb && g.rng.IntN(8) == 0 {
		s.Word = proxied
	}
	return s, true
}

func (g *generator) name(kind string) string {
	g.serial[kind]++
	return fmt.Sprintf("%s%d", kind, g.serial[kind])
}

// address is one of the customer's that carries this kind and has room, or a new one.
func (g *generator) address(owner, kind string) string {
	for i := range g.serial[address] {
		name := fmt.Sprintf("%s%d", address, i+1)
		a := g.m.addresses[name]
		if a == nil || a.released || a.owner != owner || a.kind != kind {
			continue
		}
		on := 0
		for _, r := range g.m.rules {
			if r.address == name {
				on++
			}
		}
		if on < perSite {
			return name
		}
	}
	return g.name(address)
}
