package damage

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Handler is how a usage server treats events.
type Handler string

// The handlers.
const (
	// Sound closes rows by the resource's own id (4.19.3, 4.20.1 and later).
	Sound Handler = "sound"
	// ByHelperID closes LB and PF rows by the row's own id (4.16.1 to 4.19.2, 4.20.0; #10712, #9888).
	ByHelperID Handler = "by-helper-id"
	// Stalled is sound, but each volume of a VM violates the key of usage_volume: the run is rolled back up to that
	// event and goes on without a transaction (4.22.1; #13399).
	Stalled Handler = "stalled"
)

// Handlers are all of them.
func Handlers() []Handler { return []Handler{Sound, ByHelperID, Stalled} }

// Options say what is played. The zero value plays nothing.
type Options struct {
	Handler Handler
	Actions int
	Seed    uint64
	// Accounts own what is created; empty is one account, 2.
	Accounts []int64
	// Base is what all ids begin after.
	Base int64
	// Start is when the history begins, cut to a whole Window; Window is the aggregation range, a day when it is 0.
	Start  time.Time
	Window time.Duration
	// Tail leaves the last events without a usage run.
	Tail bool
}

// Kinds of resources that a history has.
const (
	LB      = "load balancer rule"
	PF      = "port forwarding rule"
	Address = "public IP address"
	VM      = "allocated VM"
	Running = "running VM"
	NIC     = "NIC offering"
	Volume  = "volume"
)

// event is a row of usage_event. at is seconds since 1970.
type event struct {
	id, account, at, resource int64
	kind, name                string
	vm                        int64 // vm_id, 0 for NULL
	offering                  int64
	processed                 bool
}

// helper is a row of a helper table.
type helper struct {
	id, account, resource, part int64
	opened, closed              int64
	crossedBy                   int64 // the truth: whose delete event closed it, when not its own
}

// thing is a resource as it really is.
type thing struct {
	kind                string
	id, account, part   int64
	name                string
	alive               bool
	lives               []life
	deletes             []int64 // times of delete events, rolled back ones included
	createID, deleteIDs []int64
}

// life is one stretch; died is 0 while it lives. What a failed delete wrote counts as its end for the books.
type life struct{ born, died int64 }

// job is a row of usage_job, in milliseconds since 1970.
type job struct{ start, end int64 }

// record is a row of cloud_usage.
type record struct {
	account, resource, part int64
	usageType               int
	from, to                int64 // half-open
	hours                   float64
}

// History is a site after its actions.
type History struct {
	Options
	random  *rand.Rand
	now     int64
	events  []event
	pending int // events before this position are handled, but for stuck ones
	stuck   []int
	tables  map[string][]helper // by kind; position is order of id
	index   map[string]map[int64]int
	last    map[string]int64 // last id given out
	things  map[string][]*thing
	jobs    []job
	records []record
	rule    int64 // last id of firewall_rules
	vms     int64
	extra   []Truth  // what Plant has planted, where the truth of a thing does not tell
	journal []func() // undo of an open transaction; nil when none is open
	open    bool
}

// addresses is how many public addresses there are.
const addresses = 24

// Play makes a history.
func Play(o Options) *History {
	if len(o.Accounts) == 0 {
		o.Accounts = []int64{2}
	}
	if o.Window == 0 {
		o.Window = 24 * time.Hour
	}
	h := &History{
		Options: o,
		random:  rand.New(rand.NewPCG(o.Seed, 0x57ac)),
		now:     o.Start.Truncate(o.Window).Unix(),
		tables:  map[string][]helper{}, // a test's dice
		index:   map[string]map[int64]int{},
		last:    map[string]int64{},
		things:  map[string][]*thing{},
		rule:    o.Base,
		vms:     o.Base,
	}
	next := h.now + int64(o.Window.Seconds())
	for range o.Actions {
		h.now += 2 + h.random.Int64N(120)
		for h.now >= next {
			h.run(next)
			next += int64(o.Window.Seconds())
		}
		h.act()
	}
	if !o.Tail {
		h.run(next)
	}
	return h
}

// End is when the last usage job has ended; later events are covered by none.
func (h *History) End() time.Time {
	if len(h.jobs) == 0 {
		return time.Time{}
	}
	return time.UnixMilli(h.jobs[len(h.jobs)-1].end).UTC()
}

func (h *History) account() int64 { return h.Accounts[h.random.IntN(len(h.Accounts))] }

// act does one random action. Each takes at least a second of its own.
func (h *History) act() {
	switch n := h.random.IntN(100); {
	case n < 26:
		h.createRule(LB, "LB.CREATE")
	case n < 40:
		h.createRule(PF, "NET.RULEADD")
	case n < 48:
		h.rule++ // a firewall rule takes an id of the same sequence
	case n < 66:
		h.deleteRule(LB, "LB.DELETE", true)
	case n < 76:
		h.deleteRule(PF, "NET.RULEDELETE", true)
	case n < 79:
		h.deleteRule(LB, "LB.DELETE", false) // the push failed, the rule lives on
	case n < 81: // the create failed half-way: both events, nothing is left
		h.createRule(LB, "LB.CREATE")
		t := h.things[LB][len(h.things[LB])-1]
		h.die(t, "LB.DELETE", true)
	case n < 88:
		h.assign()
	case n < 94:
		h.release()
	case n < 98:
		h.deploy()
	default:
		h.destroy()
	}
}

func (h *History) emit(kind string, t *thing, vm int64) int64 {
	offering := int64(0)
	if t.kind == NIC {
		offering = 13
	}
	h.events = append(
		h.events,
		event{
			id:       h.Base + int64(len(h.events)) + 1,
			account:  t.account,
			at:       h.now,
			resource: t.id,
			kind:     kind,
			name:     t.name,
			vm:       vm,
			offering: offering,
		},
	)
	return h.events[len(h.events)-1].id
}

func (h *History) born(kind string, id, part int64, account int64, name, event string, vm int64) *thing {
	t := &thing{kind: kind, id: id, part: part, account: account, name: name, alive: true}
	h.things[kind] = append(h.things[kind], t)
	h.live(t, event, vm)
	return t
}

func (h *History) live(t *thing, event string, vm int64) {
	t.alive = true
	t.lives = append(t.lives, life{born: h.now})
	t.createID = append(t.createID, h.emit(event, t, vm))
}

// die writes a delete event; for good unless it is rolled back.
func (h *History) die(t *thing, event string, good bool) {
	t.deleteIDs = append(t.deleteIDs, h.emit(event, t, 0))
	t.deletes = append(t.deletes, h.now)
	if last := &t.lives[len(t.lives)-1]; last.died == 0 {
		last.died = h.now
	}
	t.alive = t.alive && !good
}

func (h *History) createRule(kind, event string) {
	h.rule++
	h.born(kind, h.rule, 0, h.account(), "", event, 0)
}

// alive picks a living thing of a kind, nil for none.
func (h *History) pick(kind string, alive bool) *thing {
	var candidates []*thing
	for _, t := range h.things[kind] {
		if t.alive == alive {
			candidates = append(candidates, t)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	return candidates[h.random.IntN(len(candidates))]
}

func (h *History) deleteRule(kind, event string, good bool) {
	if t := h.pick(kind, true); t != nil {
		h.die(t, event, good)
	}
}

// assign gives a free address to an account. An address has one life after another; those of each account are a
// thing of their own.
func (h *History) assign() {
	taken := map[int64]bool{}
	for _, t := range h.things[Address] {
		taken[t.id] = taken[t.id] || t.alive
	}
	id := h.Base + 1 + h.random.Int64N(addresses)
	if taken[id] {
		return
	}
	account, name := h.account(), fmt.Sprintf("192.0.2.%d", id-h.Base)
	for _, t := range h.things[Address] {
		if t.id == id && t.account == account {
			h.live(t, "NET.IPASSIGN", 0)
			return
		}
	}
	h.born(Address, id, 0, account, name, "NET.IPASSIGN", 0)
}

func (h *History) release() {
	if t := h.pick(Address, true); t != nil {
		h.die(t, "NET.IPRELEASE", true)
	}
}

// deploy starts a VM with a root volume, in the order of CloudStack's events; each event has a second of its own.
func (h *History) deploy() {
	h.vms++
	account, id := h.account(), h.vms
	h.born(VM, id, 0, account, fmt.Sprintf("vm-%d", id), "VM.CREATE", 0)
	h.now++
	vm := int64(0)
	if h.Handler == Stalled {
		vm = id
	}
	h.born(Volume, id, 0, account, fmt.Sprintf("ROOT-%d", id), "VOLUME.CREATE", vm)
	h.now++
	h.born(NIC, id, id, account, fmt.Sprint(id), "NETWORK.OFFERING.ASSIGN", 0)
	h.born(Running, id, 0, account, fmt.Sprintf("vm-%d", id), "VM.START", 0)
}

func (h *History) destroy() {
	vm := h.pick(VM, true)
	if vm == nil {
		return
	}
	for _, step := range []struct{ kind, event string }{{Running, "VM.STOP"}, {NIC, "NETWORK.OFFERING.REMOVE"},
		{VM, "VM.DESTROY"}, {Volume, "VOLUME.DELETE"}} {
		i := slices.IndexFunc(h.things[step.kind], func(t *thing) bool { return t.id == vm.id })
		h.die(h.things[step.kind][i], step.event, true)
		h.now++
	}
}
