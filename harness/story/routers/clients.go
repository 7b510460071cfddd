package routers

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// Homes are the backends at which the rule's clients are at home.
func (t ClientLooks) Homes(control, r *objects.Rule) map[netip.Addr]string {
	defer t.Step("homes of the clients of %s", r.Name)()
	s := t.probe(control, r)
	if s.verdict == dataplane.Inconclusive {
		t.Inconclusive("%s: %s", r, s.why)
	}
	return s.obs.Homes
}

// NoteMoves reports how many clients have another home than before.
func (t ClientLooks) NoteMoves(after string, before, now map[netip.Addr]string) {
	moved := 0
	backends := map[string]bool{}
	for client, home := range now {
		backends[home] = true
		if before[client] != home {
			moved++
		}
	}
	t.Note("clients that moved", "after %s %d of %d clients had another backend; a lost table deals %d clients to "+
		"%d backends anew, %.1f of them elsewhere",
		after, moved, len(now), len(now), len(backends), dataplane.MoversAfterReload(len(now), len(backends)))
}

// undecided is for a probe that allows no verdict. Where the router is seen not to be at its newest push, or that push
// not to be what the API lists, this is why, and a failure; else nothing is shown.
func (t ClientLooks) undecided(s seen, control *objects.Rule) {
	if class, why := t.forceFault(s.files, s.rendered); why != "" {
		t.Fail(class, fmt.Sprintf("%s: %s (the probe: %s)", s.rule, why, s.why), s.evidence()...)
		return
	}
	if push, ok := t.newestPush(s.rule.Network.Router()); ok {
		if wrong := t.contentFaults(s.rule.Network, push, []*objects.Rule{s.rule, control}); len(wrong) > 0 {
			t.Fail(result.PushContent, fmt.Sprintf("the newest push is not what the API lists: %s (the probe: %s)",
				wrong[0], s.why), s.evidence()...)
			return
		}
	}
	if class, why := s.oneSided(); why != "" {
		t.Fail(class, fmt.Sprintf("%s: %s (the probe: %s)", s.rule, why, s.why), s.evidence()...)
		return
	}
	t.Inconclusive("%s: %s %s", s.rule, s.verdict, s.why)
}

// oneSided says what a rule's own side shows although the probe as a whole allows no verdict: what its control, with
// the same members, shows to be possible and the rule does not do. That all of N clients come to one of B backends by
// chance has probability B^(1-N); empty when nothing is wrong on this side.
func (s seen) oneSided() (class result.Class, why string) {
	members := 0
	if s.pushed != nil {
		for _, d := range s.pushed.Destinations {
			if !d.Revoked {
				members++
			}
		}
	}
	o := s.obs
	switch told := o.Sources.Told == o.Clients && o.Sources.Distinct == o.Clients; {
	case members < 2 || len(o.Control.Backends) < 2 || len(o.Failures) > 0:
	case len(o.Target.Backends) == 1:
		return result.WrongBackends, fmt.Sprintf("only %s answers its %d clients, but it has %d members; by chance "+
			"that happens once in %.0e times", o.Target.Backends[0], o.Clients, members,
			1/dataplane.AllOnOne(o.Clients, len(o.Control.Backends)))
	case told && o.Sources.TableUsed != nil && *o.Sources.TableUsed > 0 && *o.Sources.TableUsed < o.Clients &&
		s.live().Sticky():
		return result.NotSticky, fmt.Sprintf("its stick table has %d entries for %d clients, all of which came from "+
			"addresses of their own", *o.Sources.TableUsed, o.Clients)
	}
	return "", ""
}

// ExpectBySource expects that a rule of algorithm source, without a policy, has it in force: in the file, and each
// client stays on one backend while the control rule moves them (6.1: a table is not needed for that).
func (t ClientLooks) ExpectBySource(control, r *objects.Rule) {
	defer t.Step("%s balances by source", r.Name)()
	t.Checked(1)
	s := t.probe(control, r)
	if why, ok := s.inForce(); !ok {
		t.Fail(result.RouterStale, fmt.Sprintf("%s: %s", r, why), s.evidence()...)
		return
	}
	switch balance := s.live().Balance(); {
	case s.files.Refusal != "":
		t.Fail(result.RouterFrozen, fmt.Sprintf("%s is not in force: HAProxy refuses the file: %s", r,
			firstLine(s.files.Refusal)), s.evidence()...)
	case !strings.EqualFold(balance, "source"):
		t.Fail(result.RouterStale, fmt.Sprintf("%s has algorithm source, the live haproxy.cfg says %q", r, balance),
			s.evidence()...)
	case s.obs.Verdict == dataplane.Inconclusive:
		t.undecided(s, control)
	case s.obs.Target.Moved > 0:
		t.Fail(result.NotSticky, fmt.Sprintf("%s has algorithm source, but %d of %d clients moved", r,
			s.obs.Target.Moved, s.obs.Clients), s.evidence()...)
	}
}

// ExpectCookie expects that each rule keeps clients that return its cookie on one backend.
func (t ClientLooks) ExpectCookie(control *objects.Rule, rules ...*objects.Rule) {
	defer t.Step("clients with a cookie of %s stay", objects.Names(rules))()
	for _, r := range rules {
		t.Checked(1)
		s := t.probeBy(dataplane.ByCookie, control, r)
		if why, ok := s.inForce(); !ok {
			t.Fail(result.RouterStale, fmt.Sprintf("%s: %s", r, why), s.evidence()...)
			continue
		}
		switch {
		case s.obs.Verdict == dataplane.Inconclusive:
			t.undecided(s, control)
		case s.obs.Target.Moved > 0 || s.obs.Target.Cookies < s.obs.Clients:
			t.Fail(result.NotSticky, fmt.Sprintf("%s has a cookie policy, but %d of %d clients got a cookie and %d "+
				"moved; %s", r, s.obs.Target.Cookies, s.obs.Clients, s.obs.Target.Moved, s.where()), s.evidence()...)
		}
	}
}

// ExpectBackends expects that clients of the rule reach each of the VMs and nobody else.
func (t ClientLooks) ExpectBackends(control, r *objects.Rule, vms ...*objects.VM) {
	defer t.Step("backends of %s", r.Name)()
	t.Checked(1)
	s := t.probe(control, r)
	want := stage.Each(vms, func(vm *objects.VM) string { return vm.IP.String() })
	have := make([]string, len(s.obs.Target.Backends))
	for i, b := range s.obs.Target.Backends {
		have[i], _, _ = strings.Cut(b, ":")
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Find(result.Finding{Says: fmt.Sprintf("%s has members %v, its clients reached %v", r, want, have),
			Class: result.WrongBackends, Subject: watch.Subject(r.Billed().Ref),
			Seen: []result.Seen{{What: SeenBackends, Text: strings.Join(have, " ")}}}, s.evidence()...)
	}
}

// seen is all that was seen of one rule at one moment.
type seen struct {
	t        RouterLooks
	rule     *objects.Rule
	files    router.Files
	rendered router.Rendered
	pushed   *router.LoadBalancer // in the newest push; nil when it is not there
	raw      string               // the same as it was sent
	obs      dataplane.Observation
	verdict  dataplane.Verdict
	why      string
}

// probe probes the rule beside a control rule without a policy that has the same members.
func (t ClientLooks) probe(control, r *objects.Rule) seen {
	return t.probeBy(dataplane.BySource, control, r)
}

func (t ClientLooks) probeBy(method dataplane.Method, control, r *objects.Rule) seen {
	name := r.Network.Router()
	s := seen{t: t.RouterLooks, rule: r}
	t.reached(name)
	var err error
	t.probes++
	s.obs, err = t.site.Routers.Probe(t.ctx, name, dataplane.Config{
		Target: dataplane.Target{Rule: r.Section(), Address: r.Endpoint(),
			TLS: r.Certificate() != nil},
		Control: dataplane.Target{Rule: control.Section(), Address: control.Endpoint(),
			TLS: control.Certificate() != nil},
		Clients: t.site.Routers.Clients(), Seed: t.on.Rng.Uint64() + t.probes, Method: method,
	})
	t.Must(err, "probing %s", r)
	s.files, err = t.aliveFiles(name)
	t.Must(err, "reading the files of router %s", name)
	s.rendered, err = t.site.Routers.Rendered(t.ctx, name)
	t.Must(err, "rendering the newest push of router %s", name)
	if push, ok := t.newestPush(name); ok {
		for _, lb := range push.LoadBalancers {
			if lb.UUID == r.ID {
				s.pushed = &lb
			}
		}
		s.raw = rawRule(push, r.ID)
	}
	live := s.live()
	hasTable := live.Sticky()
	s.verdict, s.why = dataplane.Judge(s.obs, &hasTable, live.Balance())
	return s
}

func (s seen) live() router.Section { return router.Listens(s.files.Live)[s.rule.Section()] }

// What clients of rules are seen by: the backends that they reach, and how far the rule's policy has come.
const (
	SeenBackends = "backends"
	SeenWay      = "way"
)

// way is how far a policy came: pushed, written, copied, loaded.
func (s seen) way() []bool {
	section := s.rule.Section()
	return []bool{s.pushed != nil && len(s.pushed.Stickiness) > 0, router.Listens(s.files.New)[section].Sticky(),
		s.live().Sticky(), s.files.MasterPID != 0 && router.Listens(s.files.Serving)[section].Sticky()}
}

// where says how far a policy, or its removal, came: pushed, rendered, written, copied, loaded.
func (s seen) where() string {
	way := s.way()
	has := func(station int) string {
		if way[station] {
			return "has it"
		}
		return "has it not"
	}
	process := "process does not run"
	if s.files.MasterPID != 0 {
		process = "running configuration " + has(3)
		if s.files.Refusal != "" {
			process += " (HAProxy refused the newest file: " + firstLine(s.files.Refusal) + ")"
		}
	}
	return fmt.Sprintf("stickiness of this rule: newest push %s, haproxy.cfg.new %s, live haproxy.cfg %s, %s", has(0),
		has(1), has(2), process)
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

// evidence is what an engineer needs to act: the push, the difference of the files, the first clients that moved. What
// was seen is drawn in the report, too.
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
	return append(all, result.Evidence{Kind: result.KindFileDiff,
		Title: "haproxy.cfg, per section: + as the newest push renders it, - as it is live", Text: diff},
		result.Evidence{Kind: result.KindTrace, Title: "clients", Text: s.obs.String(), Data: s.obs})
}

// finding is a fact about the rule's clients, with how far its policy came.
func (s seen) finding(class result.Class, says string) result.Finding {
	return result.Finding{Says: says, Subject: watch.Subject(s.rule.Billed().Ref), Class: class,
		Seen: []result.Seen{{What: SeenWay, Way: s.way()}}, Numbers: []string{
			fmt.Sprintf("%s, listen section %s on router %s", s.rule, s.rule.Section(), s.rule.Network.Router()),
			s.where(),
			fmt.Sprintf("control rule %s, without a policy: %d of %d clients changed their backend", s.obs.Control.Rule,
				s.obs.Control.Moved, s.obs.Clients)}}
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

// ExpectSticky expects that each rule keeps every client on one backend, with a stick table in its file, while the
// control rule, which has no policy, is seen to move clients. Of no rules it expects nothing.
func (t ClientLooks) ExpectSticky(control *objects.Rule, rules ...*objects.Rule) {
	if len(rules) > 0 {
		t.expectClients("stay", dataplane.Sticky, []dataplane.Verdict{dataplane.NotSticky, dataplane.Partial},
			result.NotSticky, "has a stickiness policy, but does not keep its clients", control, rules)
	}
}

// ExpectFree expects that each rule, having no policy, moves its clients as the control rule does.
func (t ClientLooks) ExpectFree(control *objects.Rule, rules ...*objects.Rule) {
	t.expectClients("move", dataplane.NotSticky, []dataplane.Verdict{dataplane.Sticky}, result.StickyWithoutPolicy,
		"has no stickiness policy, but keeps its clients", control, rules)
}

// expectClients expects a verdict for each rule, and that the rule is in force as it was pushed. The verdicts that are
// against it have a class, and are told in words.
func (t ClientLooks) expectClients(do string, want dataplane.Verdict, against []dataplane.Verdict, class result.Class,
	instead string, control *objects.Rule, rules []*objects.Rule) {
	defer t.Step("clients of %s %s", objects.Names(rules), do)()
	for _, r := range rules {
		t.Checked(1)
		switch s := t.probe(control, r); {
		case s.verdict == want:
			if why, ok := s.inForce(); !ok {
				t.Fail(result.RouterStale, fmt.Sprintf("%s: clients %s, but %s", r, do, why), s.evidence()...)
			}
		case slices.Contains(against, s.verdict):
			t.Find(s.finding(class, fmt.Sprintf("%s %s: %d of %d changed their backend", r.Called(), instead,
				s.obs.Target.Moved, s.obs.Clients)), s.evidence()...)
		default:
			t.undecided(s, control)
		}
	}
}

// ExpectAsListed is ExpectSticky for rules that have a policy, and ExpectFree for those that have none.
func (t ClientLooks) ExpectAsListed(control *objects.Rule, rules ...*objects.Rule) {
	for _, r := range rules {
		if r.Policy == "" {
			t.ExpectFree(control, r)
		} else {
			t.ExpectSticky(control, r)
		}
	}
}

// RequireSticky is ExpectSticky for what a story starts from: if it does not hold, nothing can be shown.
func (t ClientLooks) RequireSticky(control *objects.Rule, rules ...*objects.Rule) {
	defer t.Step("clients of %s stay", objects.Names(rules))()
	for _, r := range rules {
		if s := t.probe(control, r); s.verdict != dataplane.Sticky {
			t.Inconclusive("%s should be sticky to begin with, but is %s: %s; %s", r, s.verdict, s.why, s.where())
		}
	}
}

// Diagnose probes a rule for the reader of a failure; it judges nothing.
func (t ClientLooks) Diagnose(when string, control, r *objects.Rule) {
	s := t.probe(control, r)
	t.Note(when, "%s is %s: %d of %d clients moved; %s", r, s.verdict, s.obs.Target.Moved, s.obs.Clients, s.where())
}
