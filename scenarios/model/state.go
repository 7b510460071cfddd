package model

import (
	"cmp"
	"fmt"
	"slices"
)

// state is the model: what must be true after the steps so far. Its zero value is the empty site.
type state struct {
	rules     map[string]*rule
	order     []string // rules by creation
	addresses map[string]*addr
	customers map[string]*customer
}

// customer is one that has, or had, something.
type customer struct{ halted, joined bool }

// rule is an LB, PF or firewall rule.
type rule struct {
	name, kind, owner, address string
	alive                      bool
	members                    bool
	policy                     string
	group                      string // "", enabled, disabled
	algorithm, protocol        string
	size                       int  // of the group
	grown                      bool // it was enabled since it is large
	// undecided is set when the router refused the rule's delete: its LB.DELETE event is written all the same, and its
	// members are lost at the next push, in every release (cloudstack.md 1.3). Whether a release has that is not this
	// run's question; the rule is only deleted after that, and what happens to its row is left open.
	undecided bool
	// policyLost is set when the router refused a policy's replacement: the former one goes with the next push, in
	// every release (cloudstack.md 2.6). Until the next change the rule's policy is left open.
	policyLost bool
}

type addr struct {
	owner, kind string // of the rules on it: a VPC's address carries one kind
	released    bool
}

const (
	enabled  = "enabled"
	disabled = "disabled"
)

// proxied is the protocol of some rules; the others have tcp.
const proxied = "tcp-proxy"

// protocols are those that a rule may have; the first is what most begin with.
func protocols() []string { return []string{"tcp", proxied} }

// next is the algorithm after another one. An update of a protocol alone is no push up to 4.21 (L-42), so an update in
// the walk changes the algorithm with it.
func next(algorithm string) string {
	all := algorithms()
	return all[(slices.Index(all, algorithm)+1)%len(all)]
}

// algorithms are those that a rule may have; the first is what it begins with.
func algorithms() []string { return []string{"roundrobin", "leastconn", "source"} }

// Sizes of groups.
const (
	small = 2
	large = 3
)

// policies are the policies that a rule may have: mostly the same one, since only equal ones mask each other.
func policies() []string { return []string{"plain", "short"} }

func (m *state) isLB(r *rule) bool { return r.kind == lb || r.kind == group }

// living are the rules alive, in order of creation.
func (m *state) living() (all []*rule) {
	for _, name := range m.order {
		if r := m.rules[name]; r.alive {
			all = append(all, r)
		}
	}
	return all
}

// cannot says why a step has no meaning now; "" when it has one.
func (m *state) cannot(s Step) string {
	switch s.Verb {
	case Pass, Usage, Look:
		return onlyIf(!s.Refused, "it sends no push")
	case Create:
		return m.cannotCreate(s)
	case Release:
		return m.cannotRelease(s)
	case Restart, Halt, Start, Join, Leave:
		return m.cannotCustomer(s)
	}
	r := m.rules[s.Object]
	switch {
	case r == nil || !r.alive:
		return s.Object + " is not there"
	case s.Refused && !sendsPush(s.Verb, r):
		return "it sends no push that could be refused"
	case r.undecided && (s.Verb != Delete || s.Refused):
		return "a rule whose delete was refused can only be deleted"
	}
	switch s.Verb {
	case Assign:
		return onlyIf(r.kind == lb && !r.members, "it has members")
	case Empty:
		return onlyIf(r.kind == lb && r.members, "it has no members to take away")
	case Unstick:
		return onlyIf(r.policy != "" && !r.policyLost, "it has no policy")
	case Enable:
		return onlyIf(r.group == disabled, "it has no disabled group")
	case Disable:
		return onlyIf(r.group == enabled, "it has no enabled group")
	case Ungroup:
		return onlyIf(r.group != "", "it has no group")
	case Grow:
		return onlyIf(r.group == disabled && r.size == small, "it has no small disabled group")
	case Wrap:
		return onlyIf(r.kind == lb && r.protocol != s.Word, "it has that protocol")
	case Balance:
		return onlyIf(r.algorithm != s.Word, "it has that algorithm")
	}
	return ""
}

func (m *state) cannotCustomer(s Step) string {
	c := m.customers[s.Object]
	switch {
	case c == nil:
		return s.Object + " has nothing yet"
	case s.Refused:
		return "what a refused push leaves of it is not modelled"
	}
	switch s.Verb {
	case Halt:
		return onlyIf(!c.halted, "it is halted")
	case Start:
		return onlyIf(c.halted, "it runs")
	case Join: // two NICs of one offering are another story
		return onlyIf(!c.joined && !c.halted && s.Object != isolated, "it cannot join another network now")
	case Leave:
		return onlyIf(c.joined && !c.halted, "it cannot leave a network now")
	}
	return ""
}

func onlyIf(ok bool, why string) string {
	if ok {
		return ""
	}
	return why
}

// sendsPush says whether a router that refuses makes the action fail as the model knows it: rolled back, or half so.
func sendsPush(verb string, r *rule) bool {
	switch verb {
	case Assign, Empty, Stick, Unstick, Disable, Enable:
		return true
	case Delete:
		return (r.kind == lb || r.kind == group) && r.group == ""
	}
	return false
}

func (m *state) cannotCreate(s Step) string {
	kind := kindOf(s.Object)
	switch {
	case m.rules[s.Object] != nil:
		return s.Object + " was created before"
	case s.Refused:
		return "it sends no push"
	case kind == firewall && s.Owner != isolated:
		return "only " + isolated + " has a network without a VPC"
	case kind == group:
		return ""
	}
	if a := m.addresses[s.Address]; a != nil && (a.owner != s.Owner || a.kind != kind || a.released) {
		return s.Address + " carries other rules or is released"
	}
	return ""
}

func (m *state) cannotRelease(s Step) string {
	a := m.addresses[s.Object]
	if a == nil || a.released {
		return s.Object + " is not there"
	}
	for _, r := range m.living() {
		if r.address == s.Object && r.undecided {
			return "a rule on it is in an undecided state"
		}
	}
	return onlyIf(!s.Refused, "what a refused push leaves of an address is not modelled")
}

// mustBeRefused says by which error code the server must refuse a step; 0 when it must not.
func (m *state) mustBeRefused(s Step) int {
	r := m.rules[s.Object]
	switch {
	case s.Verb == Delete && r.group != "":
		return 530 // a rule with an autoscale group cannot be deleted
	case s.Verb == Certify:
		return 431 // a rule with another protocol than ssl takes none
	case s.Refused:
		return 530
	}
	return 0
}

// done brings the model to what must be true after a step.
func (m *state) done(s Step) {
	switch s.Verb {
	case Create:
		m.created(s)
		return
	case Release:
		m.addresses[s.Object].released = true
		for _, r := range m.living() {
			if r.address == s.Object {
				r.alive = false
			}
		}
		return
	case Pass, Usage, Look, Restart, Rename, Certify:
		return
	case Halt, Start, Join, Leave:
		m.moved(s)
		return
	}
	r := m.rules[s.Object]
	switch {
	case s.Verb == Delete && r.group != "":
	case s.Refused:
		if s.Verb == Delete {
			r.undecided = true
		}
		if s.Verb == Stick {
			r.policyLost = r.policyLost || r.policy != ""
		}
	case s.Verb == Delete:
		r.alive = false
	case s.Verb == Assign:
		r.members = true
	case s.Verb == Empty:
		r.members = false
	case s.Verb == Stick:
		r.policy, r.policyLost = s.Word, false
	case s.Verb == Unstick:
		r.policy = ""
	case s.Verb == Enable:
		r.group, r.grown = enabled, r.size == large
	case s.Verb == Disable:
		r.group = disabled
	case s.Verb == Ungroup:
		r.group, r.members = "", false
	case s.Verb == Balance:
		r.algorithm = s.Word
	case s.Verb == Wrap:
		r.protocol, r.algorithm = s.Word, next(r.algorithm)
	case s.Verb == Grow:
		r.size = large
	}
}

func (m *state) moved(s Step) {
	c := m.customers[s.Object]
	switch s.Verb {
	case Halt:
		c.halted = true
	case Start:
		c.halted = false
	case Join:
		c.joined = true
	case Leave:
		c.joined = false
	}
}

// membersOf is how many members a rule has: those of a group that grew come when it is enabled.
func (r *rule) membersOf() int {
	switch {
	case !r.members:
		return 0
	case r.grown:
		return large
	}
	return small
}

func (m *state) created(s Step) {
	if m.rules == nil {
		m.rules, m.addresses, m.customers = map[string]*rule{}, map[string]*addr{}, map[string]*customer{}
	}
	if m.customers[s.Owner] == nil {
		m.customers[s.Owner] = &customer{}
	}
	r := &rule{name: s.Object, kind: kindOf(s.Object), owner: s.Owner, address: s.Address, alive: true,
		algorithm: algorithms()[0], protocol: cmp.Or(s.Word, protocols()[0]), size: small}
	if r.kind == group {
		r.group, r.members = enabled, true
	} else if m.addresses[s.Address] == nil {
		m.addresses[s.Address] = &addr{owner: s.Owner, kind: r.kind}
	}
	m.rules[s.Object] = r
	m.order = append(m.order, s.Object)
}

// Sensible leaves out the steps that have no meaning where they stand, as cutting other steps leaves them.
func Sensible(steps []Step) []Step {
	var m state
	var kept []Step
	for _, s := range steps {
		if m.cannot(s) == "" {
			m.done(s)
			kept = append(kept, s)
		}
	}
	return kept
}

func (r *rule) String() string { return fmt.Sprintf("%s of %s", r.name, r.owner) }
