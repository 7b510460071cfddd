package harness

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// prober looks at one rule's clients, files and pushes.
type prober struct {
	t     *T
	seeds uint64
}

// seen is all that was seen of one rule at one moment.
type seen struct {
	t        *T
	rule     *Rule
	files    router.Files
	rendered router.Rendered
	pushed   *router.LoadBalancer // in the newest push; nil when it is not there
	raw      string               // the same as it was sent
	obs      dataplane.Observation
	verdict  dataplane.Verdict
	why      string
}

// look probes the rule beside a control rule without a policy that has the same members.
func (p *prober) look(control, r *Rule) seen { return p.lookBy(dataplane.BySource, control, r) }

func (p *prober) lookBy(method dataplane.Method, control, r *Rule) seen {
	t := p.t
	name := r.Network.Router()
	s := seen{t: t, rule: r}
	t.reached(name)
	var err error
	p.seeds++
	s.obs, err = t.site.Routers.Probe(t.ctx, name, dataplane.Config{
		Target:  dataplane.Target{Rule: r.Section(), Address: r.Endpoint()},
		Control: dataplane.Target{Rule: control.Section(), Address: control.Endpoint()},
		Clients: t.site.Routers.Clients(), Seed: t.rng.Uint64() + p.seeds, Method: method,
	})
	t.must(err, "probing %s", r)
	s.files, err = t.site.Routers.Files(t.ctx, name)
	t.must(err, "reading the files of router %s", name)
	s.rendered, err = t.site.Routers.Rendered(t.ctx, name)
	t.must(err, "rendering the newest push of router %s", name)
	pushes, err := t.site.Pushes.Of(t.ctx, name)
	t.must(err, "reading the pushes of router %s", name)
	if len(pushes) > 0 {
		for _, lb := range pushes[len(pushes)-1].LoadBalancers {
			if lb.UUID == r.ID {
				s.pushed = &lb
			}
		}
		s.raw = rawRule(pushes[len(pushes)-1], r.ID)
	}
	live := s.live()
	hasTable := live.Sticky()
	s.verdict, s.why = dataplane.Judge(s.obs, &hasTable, live.Balance())
	return s
}

func (s seen) live() router.Section { return router.Listens(s.files.Live)[s.rule.Section()] }

// where says how far a policy, or its removal, came: pushed, rendered, written, copied, loaded.
func (s seen) where() string {
	section := s.rule.Section()
	has := func(b bool) string {
		if b {
			return "has it"
		}
		return "has it not"
	}
	process := "process does not run"
	if s.files.MasterPID != 0 {
		process = "running configuration " + has(router.Listens(s.files.Serving)[section].Sticky())
		if s.files.Refusal != "" {
			process += " (HAProxy refused the newest file: " + firstLine(s.files.Refusal) + ")"
		}
	}
	return fmt.Sprintf("stickiness of this rule: newest push %s, haproxy.cfg.new %s, live haproxy.cfg %s, %s",
		has(s.pushed != nil && len(s.pushed.Stickiness) > 0), has(router.Listens(s.files.New)[section].Sticky()),
		has(s.live().Sticky()), process)
}

// rawRule is the rule's own part of a push, as it was sent.
func rawRule(p router.Push, uuid string) string {
	var all struct{ LoadBalancers []json.RawMessage }
	if err := json.Unmarshal(p.Raw, &all); err != nil {
		return err.Error()
	}
	for _, one := range all.LoadBalancers {
		if strings.Contains(string(one), uuid) {
			return string(one)
		}
	}
	return ""
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// evidence is what an engineer needs to act: the push, the difference of the files, the first clients that moved. What was
// seen is drawn in the report, too.
func (s seen) evidence() []result.Evidence {
	s.draw()
	all := []result.Evidence{{Kind: result.KindNote, Title: "how far it came", Text: s.where()}}
	if s.pushed != nil {
		all = append(all, result.Evidence{Kind: result.KindPush, Title: "the rule in the newest push", Text: s.raw})
	}
	diff := router.DiffText(s.rendered.File(), s.files.Live)
	if diff == "" {
		diff = "no difference between what the newest push renders to and the live file"
	}
	return append(all,
		result.Evidence{Kind: result.KindFileDiff, Title: "haproxy.cfg, per section: + as the newest push renders it, - as it is live", Text: diff},
		result.Evidence{Kind: result.KindTrace, Title: "clients", Text: s.obs.String(), Data: s.obs})
}

// finding is a fact about the rule's clients, with how far its policy came.
func (s seen) finding(class, says string) result.Finding {
	return result.Finding{Says: says, Subject: subject(s.rule.Billed().Ref), Class: class, Numbers: []string{
		fmt.Sprintf("%s, listen section %s on router %s", s.rule, s.rule.Section(), s.rule.Network.Router()), s.where(),
		fmt.Sprintf("control rule %s, without a policy: %d of %d clients changed their backend", s.obs.Control.Rule, s.obs.Control.Moved, s.obs.Clients)}}
}

// inForce checks that what the newest push renders to is what the router has for the rule (I10).
func (s seen) inForce() (string, bool) {
	section := s.rule.Section()
	want, have := router.Listens(s.rendered.File())[section], s.live()
	if !sameLines(want.Lines, have.Lines) {
		return fmt.Sprintf("section %s of the live haproxy.cfg is not what the newest push renders to", section), false
	}
	return "", true
}

// ExpectSticky expects that each rule keeps every client on one backend, with a stick table in its file, while the control
// rule, which has no policy, is seen to move clients. Of no rules it expects nothing.
func (t *T) ExpectSticky(control *Rule, rules ...*Rule) {
	if len(rules) == 0 {
		return
	}
	defer t.step("clients of %s stay", names(rules))()
	for _, r := range rules {
		t.watch.checks++
		s := t.prober.look(control, r)
		switch s.verdict {
		case dataplane.Sticky:
			if why, ok := s.inForce(); !ok {
				t.Fail(fmt.Sprintf("%s: clients stay, but %s", r, why), s.evidence()...)
			}
		case dataplane.Inconclusive:
			t.undecided(s, control)
		default:
			t.find(s.finding("not-sticky", fmt.Sprintf("%s has a stickiness policy, but does not keep its clients: %d of %d changed their backend",
				r.called(), s.obs.Target.Moved, s.obs.Clients)),
				fmt.Sprintf("%s is %s; %s", r, s.verdict, s.where()), s.evidence()...)
		}
	}
}

// ExpectFree expects that each rule, having no policy, moves its clients as the control rule does.
func (t *T) ExpectFree(control *Rule, rules ...*Rule) {
	defer t.step("clients of %s move", names(rules))()
	for _, r := range rules {
		t.watch.checks++
		s := t.prober.look(control, r)
		switch s.verdict {
		case dataplane.NotSticky:
			if why, ok := s.inForce(); !ok {
				t.Fail(fmt.Sprintf("%s: clients move, but %s", r, why), s.evidence()...)
			}
		case dataplane.Sticky:
			t.find(s.finding("sticky-without-policy", fmt.Sprintf("%s has no stickiness policy, but keeps its clients: %d of %d changed their backend",
				r.called(), s.obs.Target.Moved, s.obs.Clients)),
				fmt.Sprintf("%s is %s without a policy; %s", r, s.verdict, s.where()), s.evidence()...)
		default:
			t.undecided(s, control)
		}
	}
}

// ExpectAsListed is ExpectSticky for rules that have a policy, and ExpectFree for those that have none.
func (t *T) ExpectAsListed(control *Rule, rules ...*Rule) {
	for _, r := range rules {
		if r.Policy == "" {
			t.ExpectFree(control, r)
		} else {
			t.ExpectSticky(control, r)
		}
	}
}

// RequireSticky is ExpectSticky for what a story starts from: if it does not hold, nothing can be shown.
func (t *T) RequireSticky(control *Rule, rules ...*Rule) {
	defer t.step("clients of %s stay", names(rules))()
	for _, r := range rules {
		if s := t.prober.look(control, r); s.verdict != dataplane.Sticky {
			t.Inconclusive("%s should be sticky to begin with, but is %s: %s; %s", r, s.verdict, s.why, s.where())
		}
	}
}

// Diagnose probes a rule for the reader of a failure; it judges nothing.
func (t *T) Diagnose(when string, control, r *Rule) {
	s := t.prober.look(control, r)
	t.Note(when, "%s is %s: %d of %d clients moved; %s", r, s.verdict, s.obs.Target.Moved, s.obs.Clients, s.where())
}

// PushCount is how many pushes the network's router has had.
func (t *T) PushCount(n *Network) int {
	pushes, err := t.site.Pushes.Of(t.ctx, n.Router())
	t.must(err, "reading the pushes of router %s", n.Router())
	return len(pushes)
}

// ExpectPushes expects at least so many pushes since the count before.
func (t *T) ExpectPushes(n *Network, before, atLeast int) {
	t.watch.checks++
	if got := t.PushCount(n) - before; got < atLeast {
		t.Fail(fmt.Sprintf("router %s got %d pushes where at least %d are due", n.Router(), got, atLeast))
	}
}

func names(rules []*Rule) string {
	words := make([]string, len(rules))
	for i, r := range rules {
		words[i] = r.Name
	}
	return strings.Join(words, ", ")
}
