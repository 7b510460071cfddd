// Package witness holds every push of a run against what the API said when it was sent, field by field. A story asks it
// to look after each of its steps: the newest push to each router must say what the API lists then, those before it
// must say of each field what was true before or after the step.
//
// It is no probe of one scenario and judges no router: what a router makes of a push is for others.
//
// Before changing it know that it reads again only what a call of the run, or time, may have changed. A command that it
// does not know makes it read everything.
package witness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/router"
)

// Options say where a witness looks.
type Options struct {
	Cloud   *cloud.Client // an administrator's
	Release string
	// IDs reads internal ids. Nil leaves the fields around the rules out: on a site of somebody else they follow from
	// settings that are not looked at.
	IDs func(ctx context.Context, of usageprobe.Object, uuid string) (int64, error)
	// KeepAlive says whether a network offering asks for keep-alive: no list shows it.
	KeepAlive func(offering string) bool
	Calls     *Calls // nil: everything is read at every look
}

// Witness looks at pushes. One goroutine uses it.
type Witness struct {
	o          Options
	configured Leaves
	offerings  map[string]Leaves
	rules      map[string]*ruleState // as last read
	routers    map[string]*routerState
	stale      stale
	read       time.Time
	seen       map[string]*history // by router
	devices    map[string]string   // of NICs in a VPC, by their uuid
	failing    bool                // see PushesFail
	names      map[string]string   // of every rule that was ever listed
	networkOf  map[string]string   // of every rule that was ever listed
	vms        map[string]string   // ids of members' VMs, by their path
	internal   bool                // there are internal rules
	creations  int                 // calls that make a rule
	unlisted   map[string]bool     // rules that were taken away by a push and never listed
}

// history is what was seen of a router.
type history struct {
	count int
	last  content // newest push
	want  Leaves  // what the API said then, rules only
}

// Finding is a push that is not what the API said.
type Finding struct {
	Says        string
	Router      string
	Differences []Difference
	Push        router.Push
}

// New makes a witness that has seen nothing.
func New(o Options) *Witness {
	if o.KeepAlive == nil {
		o.KeepAlive = func(string) bool { return false }
	}
	return &Witness{o: o, offerings: map[string]Leaves{}, rules: map[string]*ruleState{},
		routers: map[string]*routerState{}, seen: map[string]*history{}, devices: map[string]string{},
		networkOf: map[string]string{}, names: map[string]string{}, vms: map[string]string{},
		unlisted: map[string]bool{},
		stale:    stale{all: true, rules: map[string]bool{}, policy: map[string]bool{}}}
}

// PushesFail tells that the run makes pushes fail: what an undone call takes back is then in no push.
func (w *Witness) PushesFail() { w.failing = true }

// Learn tells what the API calls a rule.
func (w *Witness) Learn(id, name string) { w.names[id] = name }

// Names are what the API calls each rule that was ever listed, by uuid.
func (w *Witness) Names() map[string]string { return w.names }

// Seen is how many pushes of a router the witness has looked at.
func (w *Witness) Seen(name string) int {
	if h := w.seen[name]; h != nil {
		return h.count
	}
	return 0
}

// Look holds the pushes to a router since the last look, oldest first, against the API. Now is the site's time.
func (w *Witness) Look(ctx context.Context, now time.Time, name string, pushes []router.Push) ([]Finding, error) {
	if len(pushes) == 0 {
		return nil, nil
	}
	if err := w.refresh(ctx, now); err != nil {
		return nil, fmt.Errorf("holding pushes against the API: %w", err)
	}
	s, err := w.routerState(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("holding pushes against the API: %w", err)
	}
	h := w.seen[name]
	if h == nil {
		h = &history{want: Leaves{}}
		w.seen[name] = h
	}
	h.count += len(pushes)
	if s == nil { // gone since: what it carried is not listed any more
		return nil, nil
	}
	carried, err := w.carried(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("holding pushes against the API: %w", err)
	}
	want := Leaves{}
	for _, r := range carried {
		maps.Copy(want, r.leaves())
	}
	newest, err := read(pushes[len(pushes)-1].Raw)
	if err != nil {
		return nil, err
	}
	dying, err := w.dying(ctx, h.want, want, newest.live())
	if err != nil {
		return nil, fmt.Errorf("holding pushes against the API: %w", err)
	}
	maps.Copy(want, dying)
	judge := &judging{w: w, router: s, before: h.want, after: want, names: w.names, previous: h.last}
	found, last := judge.all(pushes)
	h.last, h.want = last, want
	return found, nil
}

// Against holds one push against the API as it is now: every rule of the given ones, all when none is given.
func (w *Witness) Against(ctx context.Context, now time.Time, name string, push router.Push,
	only ...string) ([]Difference, error) {
	if err := w.refresh(ctx, now); err != nil {
		return nil, fmt.Errorf("holding a push against the API: %w", err)
	}
	s, err := w.routerState(ctx, name)
	if err != nil || s == nil {
		return nil, err
	}
	c, err := read(push.Raw)
	if err != nil {
		return nil, err
	}
	carried, err := w.carried(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("holding a push against the API: %w", err)
	}
	want := Leaves{}
	for _, r := range carried {
		_, sent := c.leaves[rulePath(r.id)]
		// A rule that no push was due for since it was made is in none.
		if sent || r.state == "Active" {
			maps.Copy(want, r.leaves())
		}
	}
	have := c.live()
	if h := w.seen[name]; h != nil {
		dying, err := w.dying(ctx, h.want, want, have)
		if err != nil {
			return nil, fmt.Errorf("holding a push against the API: %w", err)
		}
		maps.Copy(want, dying)
	}
	if len(only) > 0 {
		keep := func(path, _ string) bool {
			return !slices.ContainsFunc(only, func(id string) bool { return within(path, rulePath(id)) })
		}
		maps.DeleteFunc(want, keep)
		maps.DeleteFunc(have, keep)
		return compare(want, have), nil
	}
	have = have.rules()
	return append(compare(want, have), w.frameOf(s, c)...), nil
}

// Name is what the API calls a rule.
func (w *Witness) Name(id string) string {
	if r := w.rules[id]; r != nil {
		return r.name
	}
	return ""
}

// Says tells a difference as a person of the story would.
func (w *Witness) Says(d Difference) string { return (&judging{names: w.names}).says(d) }

// within says whether a path is another one or below it.
func within(path, other string) bool {
	return path == other || strings.HasPrefix(path, other+"/")
}

func (w *Witness) routerState(ctx context.Context, name string) (*routerState, error) {
	if s, known := w.routers[name]; known {
		return s, nil
	}
	s, err := w.router(ctx, name)
	if err == nil {
		w.routers[name] = s
	}
	return s, err
}

// refresh reads again what may have changed.
func (w *Witness) refresh(ctx context.Context, now time.Time) error {
	if w.o.Calls == nil {
		w.stale.all = true
	} else {
		for _, c := range w.o.Calls.take() {
			w.stale.after(c)
			internal := strings.EqualFold(c.Command, "createLoadBalancer")
			w.internal = w.internal || internal
			if internal || strings.EqualFold(c.Command, "createLoadBalancerRule") {
				w.creations++
			}
		}
	}
	passed := !now.Equal(w.read)
	w.read = now
	listed, err := w.listed(ctx)
	if err != nil {
		return err
	}
	if w.stale.all {
		w.routers = map[string]*routerState{}
	}
	for id, r := range listed {
		old := w.rules[id]
		w.networkOf[id], w.names[id] = r.network, r.name
		if old == nil {
			w.routers = map[string]*routerState{} // perhaps of a network that is new, too
		}
		r.unread = old == nil || old.unread || w.stale.all || w.stale.rules[id] || passed || w.changed(old)
		if !r.unread {
			r.members, r.policies, r.certificate = old.members, old.policies, old.certificate
		}
	}
	w.rules, w.stale = listed, stale{rules: map[string]bool{}, policy: map[string]bool{}}
	return nil
}

// carried are the rules that the router carries out, with members and policies. Those of other routers are not read:
// on a shared site they are many, and no look needs them.
func (w *Witness) carried(ctx context.Context, s *routerState) ([]*ruleState, error) {
	var all []*ruleState
	for id, r := range w.rules {
		if !s.of(r) {
			continue
		}
		if r.unread {
			err := w.details(ctx, r)
			if cloud.IsInvalid(err) { // somebody deleted it since it was listed
				delete(w.rules, id)
				continue
			}
			if err != nil {
				return nil, err
			}
			r.unread = false
		}
		all = append(all, r)
	}
	return all, nil
}

// changed says whether a policy of the rule was touched.
func (w *Witness) changed(r *ruleState) bool {
	return slices.ContainsFunc(r.policies, func(p cloud.StickinessPolicy) bool { return w.stale.policy[p.ID] })
}

// listed are all rules as the API lists them, without members and policies.
func (w *Witness) listed(ctx context.Context) (map[string]*ruleState, error) {
	rules, err := w.o.Cloud.ListLoadBalancerRules(ctx, nil)
	if err != nil {
		return nil, err
	}
	all := map[string]*ruleState{}
	for _, r := range rules {
		all[r.Id] = &ruleState{id: r.Id, name: r.Name, network: r.Networkid, state: r.State, srcIP: r.Publicip,
			srcPort: r.Publicport, dstPort: r.Privateport, algorithm: r.Algorithm, protocol: r.Protocol,
			cidrs: strings.Join(strings.FieldsFunc(r.Cidrlist, blankOrComma), " ")}
	}
	if !w.internal && w.o.Calls != nil {
		return all, nil
	}
	balancers, err := w.o.Cloud.ListInternalLoadBalancers(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, b := range balancers {
		r := &ruleState{id: b.ID, name: b.Name, network: b.NetworkID, srcIP: b.SourceIP, algorithm: b.Algorithm,
			internal: true}
		for _, ports := range b.Rules {
			r.state, r.srcPort, r.dstPort = ports.State, strconv.Itoa(ports.SourcePort),
				strconv.Itoa(ports.InstancePort)
		}
		all[b.ID] = r
	}
	return all, nil
}

func blankOrComma(r rune) bool { return r == ' ' || r == ',' }

func (w *Witness) details(ctx context.Context, r *ruleState) error {
	members, err := w.o.Cloud.ListLoadBalancerRuleMembers(ctx, r.id)
	if err != nil {
		return err
	}
	r.members = nil
	for _, m := range members {
		for _, ip := range m.IPs {
			r.members = append(r.members, member{ip: ip, vm: m.VM.Id})
			w.vms[memberPath(rulePath(r.id), ip)] = m.VM.Id
		}
	}
	if r.policies, err = w.o.Cloud.ListStickinessPolicies(ctx, r.id); err != nil || r.protocol != "ssl" {
		return err
	}
	var answer struct {
		All []struct{ Certificate, CertChain string } `json:"sslcert"`
	}
	if err := w.o.Cloud.Call(ctx, "listSslCerts", cloud.Params{"lbruleid": r.id}, &answer); err != nil {
		return err
	}
	for _, one := range answer.All {
		r.certificate = certificateName(one.Certificate, one.CertChain)
	}
	return nil
}
