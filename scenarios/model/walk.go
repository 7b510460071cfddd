package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
)

// Aspects of what can be wrong. Cutting a sequence down keeps the aspect.
const (
	aspectAPI    = "the API"            // what it lists, carries out or refuses
	aspectPush   = "pushes"             // none was sent where one is due
	aspectRouter = "pushes and routers" // API, newest push, file and process do not agree
	aspectUsage  = "usage"              // rows and records
)

// Finding is the first thing of an aspect that was not as the model says.
type Finding struct {
	Class        result.Class
	Aspect, What string
	Step         int // index of the step after which it was seen
	Evidence     []result.Evidence
}

// Walk is what was seen of a sequence.
type Walk struct {
	Findings []Finding
	Steps    int // index behind the last one that was carried out
	Skipped  int // for lack of time
	// Ended, Apart and Looks say what there was to see: rules whose end was seen by a usage run, those of them whose id
	// is not that of their helper row, and looks at routers with a sticky rule.
	Ended, Apart, Looks int
}

// walker carries out steps on a site.
type walker struct {
	t         *story.T
	m         state
	walk      Walk
	owners    map[string]*owner
	addresses map[string]*story.Address
	objects   map[string]*object
	lost      bool // the model no longer knows what is true
}

// owner is a customer with what its rules stand on.
type owner struct {
	*story.Account
	network *story.Network
	vms     []*story.VM
	second  *story.Network // what its first VM joins and leaves
}

// object is a rule on the site.
type object struct {
	rule        *story.Rule // LB rules
	group       *story.Group
	owner       *owner
	id          string
	internal    int64
	born, died  span
	refusedOnce bool // its delete was refused: its row is left open
	network     *story.Network
	seenEnded   bool
}

// span is the database time between which something happened, in whole seconds.
type span struct{ from, to time.Time }

func (s span) holds(t time.Time) bool { return !t.Before(s.from) && !t.After(s.to) }

// Closing is how many steps close what Generate draws: they look at what the steps before them did.
const Closing = 3

// Run carries out steps until they end, enough says so after a step, or the model has lost what is true. When late says
// so, it goes on with the closing steps.
func Run(t *story.T, steps []Step, enough, late func(*Walk) bool) *Walk {
	w := &walker{t: t, owners: map[string]*owner{}, addresses: map[string]*story.Address{},
		objects: map[string]*object{}}
	for i, s := range steps {
		if i < len(steps)-Closing && late(&w.walk) {
			w.walk.Skipped++
			continue
		}
		w.walk.Steps = i
		w.step(s)
		w.walk.Steps = i + 1
		if w.lost || enough(&w.walk) {
			break
		}
	}
	return &w.walk
}

// found notes the first finding of an aspect.
func (w *walker) found(class result.Class, aspect, what string, evidence ...result.Evidence) {
	if slices.ContainsFunc(w.walk.Findings, func(f Finding) bool { return f.Aspect == aspect }) {
		return
	}
	w.walk.Findings = append(w.walk.Findings, Finding{Class: class, Aspect: aspect, What: what, Step: w.walk.Steps,
		Evidence: evidence})
}

// apart keeps steps in different seconds: events of one second are unordered (T6).
const apart = 2 * time.Second

func (w *walker) step(s Step) {
	switch s.Verb {
	case Usage:
		w.usage()
		return
	case Look:
		w.look()
		return
	case Pass:
		d, err := time.ParseDuration(s.Word)
		w.t.Must(err, "reading the step %q", s)
		w.t.Pass(d)
		return
	}
	w.t.Pass(apart)
	if s.Verb == Create {
		w.owner(s.Owner) // what it stands on is not part of the step
		w.address(s)
	}
	o := w.objects[s.Object]
	pushes, counts := 0, o != nil && o.rule != nil && w.pushDue(s)
	if counts {
		pushes = w.t.PushCount(o.network)
	}
	before := w.t.Now().Truncate(time.Second)
	err := w.act(s)
	during := span{before, w.t.Now()}
	if w.lost {
		return
	}
	var refusal *cloud.Error
	if err != nil && !errors.As(err, &refusal) {
		w.t.Must(err, "%s", s)
	}
	if !w.judge(s, refusal) {
		return
	}
	if counts && refusal == nil && w.t.PushCount(o.network) == pushes {
		w.found(result.PushCount, aspectPush, fmt.Sprintf("%q sent no push to router %s", s, o.network.Router()))
	}
	w.m.done(s)
	w.note(s, refusal != nil, during)
	w.holdAfter(s)
}

// pushDue says whether the step sends a push when it is carried out.
func (w *walker) pushDue(s Step) bool {
	switch s.Verb {
	case Assign, Empty, Stick, Unstick, Disable, Enable, Delete, Balance:
		return w.m.mustBeRefused(s) == 0
	}
	return false
}

// judge holds a refusal against the model; false when the model knows no further.
func (w *walker) judge(s Step, refusal *cloud.Error) bool {
	w.t.Checked(1)
	want := w.m.mustBeRefused(s)
	switch {
	case refusal == nil && want == 0:
		return true
	case refusal == nil:
		w.found(result.NotRefused, aspectAPI, fmt.Sprintf("%q was carried out; it must be refused with %d", s, want))
	case want == 0:
		w.found(result.WrongRefusal, aspectAPI, fmt.Sprintf("%q was refused: %v", s, refusal))
	case refusal.Code != want:
		w.found(result.WrongRefusal, aspectAPI, fmt.Sprintf("%q was refused with %d (%s), want %d", s, refusal.Code,
			refusal.Text, want))
	default:
		return true
	}
	w.lost = true
	return false
}

// note remembers when rules were born and died.
func (w *walker) note(s Step, wasRefused bool, during span) {
	switch {
	case s.Verb == Create:
		w.objects[s.Object].born = during
	case s.Verb == Delete && wasRefused && s.Refused:
		w.objects[s.Object].refusedOnce = true
	case s.Verb == Delete && !wasRefused:
		w.ended(s.Object, during)
	case s.Verb == Release:
		for name, o := range w.objects {
			if r := w.m.rules[name]; r.address == s.Object && !r.alive && o.died.to.IsZero() {
				w.ended(name, during)
			}
		}
	}
}

func (w *walker) ended(name string, during span) {
	o := w.objects[name]
	o.died = during
	if o.rule != nil {
		o.rule.Deleted = during.to
	}
}

// act carries out one step. A refusal is a *cloud.Error.
func (w *walker) act(s Step) error {
	if !s.Refused {
		return w.call(s)
	}
	fault := w.t.FailPushes(1)
	err := w.call(s)
	met := fault.Met()
	fault.End()
	if met == 0 {
		w.found(result.PushCount, aspectPush, fmt.Sprintf("%q sent no push, so the router could refuse none", s))
		w.lost = true
	}
	return err
}

func (w *walker) call(s Step) error {
	ctx := w.t.Context()
	switch s.Verb {
	case Create:
		return w.create(s)
	case Release:
		a := w.addresses[s.Object]
		return a.Account.Cloud.DisassociateIPAddress(ctx, a.ID)
	case Delete:
		return w.delete(s)
	case Restart, Halt, Start, Join, Leave:
		return w.move(s)
	}
	o := w.objects[s.Object]
	c := o.owner.Cloud
	switch s.Verb {
	case Rename, Balance, Wrap, Certify, Grow:
		return w.update(s, o)
	case Assign:
		return c.AssignToLoadBalancerRule(ctx, o.id, vmIDs(o.owner.vms)...)
	case Empty:
		return c.RemoveFromLoadBalancerRule(ctx, o.id, vmIDs(o.owner.vms)...)
	case Stick:
		return plain(o.rule.TryGive(policy(s.Word)))
	case Unstick:
		return c.DeleteStickinessPolicy(ctx, o.rule.Policy)
	case Enable:
		return w.enable(s, o)
	case Disable:
		_, err := c.DisableAutoScaleVMGroup(ctx, o.group.GroupID)
		return err
	case Ungroup:
		return c.DeleteAutoScaleVMGroup(ctx, o.group.GroupID, true)
	}
	return fmt.Errorf("step %q is not known", s)
}

// plain keeps a nil *cloud.Error from becoming an error that is not nil.
func plain(refusal *cloud.Error) error {
	if refusal == nil {
		return nil
	}
	return refusal
}

func (w *walker) delete(s Step) error {
	o, ctx := w.objects[s.Object], w.t.Context()
	switch kindOf(s.Object) {
	case pf:
		return o.owner.Cloud.DeletePortForwardingRule(ctx, o.id)
	case firewall:
		return o.owner.Cloud.DeleteFirewallRule(ctx, o.id)
	}
	return o.owner.Cloud.DeleteLoadBalancerRule(ctx, o.id)
}

func vmIDs(vms []*story.VM) []string {
	ids := make([]string, len(vms))
	for i, vm := range vms {
		ids[i] = vm.ID
	}
	return ids
}

// policy is what a word of a stick step stands for. "plain" is byte-identical on every rule (T16).
func policy(word string) story.Policy {
	if word == policies()[1] {
		return story.SourcePolicy("10k", "10m")
	}
	return story.SourcePolicy("200k", "30m")
}

// owner makes a customer's account, network and two VMs when they are first needed.
func (w *walker) owner(name string) *owner {
	if o := w.owners[name]; o != nil {
		return o
	}
	o := &owner{Account: w.t.NewAccount()}
	if name == isolated {
		o.network = o.Isolated()
	} else {
		o.network = o.VPC().Tier()
	}
	o.vms = o.network.VMs(2)
	w.owners[name] = o
	return o
}

// address takes a new address where the step is the first to name it.
func (w *walker) address(s Step) *story.Address {
	if s.Address == "" {
		return nil
	}
	if w.addresses[s.Address] == nil {
		w.addresses[s.Address] = w.owner(s.Owner).network.Address()
	}
	return w.addresses[s.Address]
}

func (w *walker) create(s Step) error {
	own, ip := w.owner(s.Owner), w.address(s)
	o := &object{owner: own, network: own.network}
	var err error
	switch kindOf(s.Object) {
	case lb:
		// With a protocol: what becomes of the update of one without is L-35's story.
		o.rule = own.network.LoadBalancerAs(s.Object, story.Form{On: ip, Protocol: cmp.Or(s.Word, protocols()[0])})
		o.id, o.internal = o.rule.ID, o.rule.InternalID
	case group:
		o.group = own.network.LoadBalancerAs(s.Object, story.Form{Protocol: "tcp"}).Group(2)
		o.rule = o.group.Rule
		o.id, o.internal = o.rule.ID, o.rule.InternalID
		w.t.AwaitMembers(o.group)
	case pf:
		err = w.createPF(o, ip)
	case firewall:
		err = w.createFirewall(o, ip)
	}
	w.objects[s.Object] = o
	return err
}

// port of a rule on an address: no two rules have the same.
func (w *walker) port() int { return 20000 + len(w.objects) }

func (w *walker) createPF(o *object, ip *story.Address) error {
	made, err := o.owner.Cloud.CreatePortForwardingRule(w.t.Context(), cloud.PortForwardingSpec{IPAddressID: ip.ID,
		NetworkID: o.network.ID,
		VMID:      o.owner.vms[0].ID, Protocol: "tcp", PublicPort: w.port(), PrivatePort: 22})
	if err != nil {
		return err
	}
	o.id, o.internal = made.ID, w.t.InternalID(usageprobe.ObjectRule, made.ID)
	return finish(w.t.Context(), made)
}

func (w *walker) createFirewall(o *object, ip *story.Address) error {
	made, err := o.owner.Cloud.CreateFirewallRule(w.t.Context(), ip.ID, "tcp", w.port(), w.port(), "192.0.2.0/24")
	if err != nil {
		return err
	}
	o.id = made.ID
	return finish(w.t.Context(), made)
}

func finish[O any](ctx context.Context, made *cloud.Creating[O]) error {
	_, err := made.Wait(ctx)
	return err
}

// Of gives the finding of an aspect.
func (w *Walk) Of(aspect string) (Finding, bool) {
	i := slices.IndexFunc(w.Findings, func(f Finding) bool { return f.Aspect == aspect })
	if i < 0 {
		return Finding{}, false
	}
	return w.Findings[i], true
}
