package harness

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// ExpectInForce expects that the network's router has what the newest push renders to: live file and running process, rule
// by rule and in order (I10). Blanks do not count: they collapse in a push that is part of a bulk command.
func (t *T) ExpectInForce(n *Network) {
	defer t.step("router against its newest push")()
	t.ExpectInForceOn(n.Router())
}

// ExpectInForceOn is ExpectInForce for one of several routers.
func (t *T) ExpectInForceOn(name string) {
	t.watch.checks++
	files, rendered := t.filesOf(name)
	if why := forceFaults(files, rendered); why != "" {
		diff := router.DiffText(rendered.File(), files.Live)
		t.drawDifferences(name, files, rendered)
		t.Fail(fmt.Sprintf("router %s: %s", name, why), result.Evidence{Kind: result.KindFileDiff,
			Title: "haproxy.cfg, per section: + as the newest push renders it, - as it is live", Text: diff})
	}
}

func (t *T) filesOf(name string) (router.Files, router.Rendered) {
	t.reached(name)
	files, err := t.site.Routers.Files(t.ctx, name)
	t.must(err, "reading the files of router %s", name)
	rendered, err := t.site.Routers.Rendered(t.ctx, name)
	t.must(err, "rendering the newest push of router %s", name)
	return files, rendered
}

// reached ends the scenario as failed when no push has reached a router of which something is expected: whatever rules the
// API lists, it has none.
func (t *T) reached(name string) {
	if _, ok := t.newestPush(name); !ok {
		t.Fail(fmt.Sprintf("no push has reached router %s", name))
		panic(halt{})
	}
}

// undecided is for a probe that allows no verdict. Where the router is seen not to be at its newest push, or that push not to
// be what the API lists, this is why, and a failure; else nothing is shown.
func (t *T) undecided(s seen, control *Rule) {
	if why := forceFaults(s.files, s.rendered); why != "" {
		t.Fail(fmt.Sprintf("%s: %s (the probe: %s)", s.rule, why, s.why), s.evidence()...)
		return
	}
	if push, ok := t.newestPush(s.rule.Network.Router()); ok {
		if wrong := t.contentFaults(s.rule.Network, push, []*Rule{s.rule, control}); len(wrong) > 0 {
			t.Fail(fmt.Sprintf("the newest push is not what the API lists: %s (the probe: %s)", wrong[0], s.why), s.evidence()...)
			return
		}
	}
	t.Inconclusive("%s: %s %s", s.rule, s.verdict, s.why)
}

// forceFaults says in what a router is not at its newest push; empty when it is.
func forceFaults(files router.Files, rendered router.Rendered) string {
	want, live := router.Listens(rendered.File()), router.Listens(files.Live)
	for _, s := range router.Sections(rendered.File()) {
		if s.Kind != "listen" {
			continue
		}
		if have, ok := live[s.Name]; !ok {
			return fmt.Sprintf("section %s of the newest push is not in the live haproxy.cfg%s", s.Name, policiesLive(want, live))
		} else if !sameLines(s.Lines, have.Lines) {
			return fmt.Sprintf("section %s of the live haproxy.cfg is not what the newest push renders to%s", s.Name, policiesLive(want, live))
		}
	}
	for name := range live {
		if _, ok := want[name]; !ok {
			return fmt.Sprintf("the live haproxy.cfg has section %s, which the newest push does not render to", name)
		}
	}
	switch {
	case files.Refusal != "":
		return "HAProxy refuses its file: " + firstLine(files.Refusal)
	case files.MasterPID == 0:
		return "HAProxy does not run"
	case !bytes.Equal(files.Serving, files.Live):
		return "HAProxy runs with another file than the live haproxy.cfg"
	}
	return ""
}

// policiesLive counts how many rules have in the live file what the newest push gives them as policy: one of many that is
// lost is another matter than all but one.
func policiesLive(want, live map[string]router.Section) string {
	rules, due, there, stray := len(want), 0, 0, 0
	for name, s := range want {
		switch mine, have := policyLines(s), policyLines(live[name]); {
		case strings.HasPrefix(name, statistics):
			rules--
		case len(mine) > 0:
			due++
			if sameLines(mine, have) {
				there++
			}
		case len(have) > 0:
			stray++
		}
	}
	var words []string
	if there < due {
		words = append(words, fmt.Sprintf("%d of %d rules have their policy in the live file", there, due))
	}
	if stray > 0 {
		words = append(words, fmt.Sprintf("%d of %d rules without a policy have one there", stray, rules-due))
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// statistics begins the names of the sections that are no rules.
const statistics = "stats_on_"

// policyLines are the section's lines that a policy consists of.
func policyLines(s router.Section) []string {
	var lines []string
	for _, line := range s.Lines {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); slices.Contains([]string{"stick-table", "stick", "cookie", "appsession"}, word) {
			lines = append(lines, line)
		}
	}
	return lines
}

func sameLines(a, b []string) bool {
	return slices.EqualFunc(a, b, func(x, y string) bool { return slices.Equal(strings.Fields(x), strings.Fields(y)) })
}

// ExpectAgreement expects that API, newest push, file and process say the same.
func (t *T) ExpectAgreement(n *Network, only ...*Rule) {
	t.ExpectContent(n, only...)
	t.ExpectInForce(n)
}

// ExpectValidFile expects that HAProxy takes the router's newest file.
func (t *T) ExpectValidFile(n *Network) {
	defer t.step("HAProxy takes the file")()
	t.watch.checks++
	files, rendered := t.filesOf(n.Router())
	if files.Refusal != "" {
		t.Fail(fmt.Sprintf("router %s: HAProxy refuses the file, and goes on with the one before: %s", n.Router(), firstLine(files.Refusal)),
			result.Evidence{Kind: result.KindNote, Title: "what HAProxy says", Text: files.Refusal},
			result.Evidence{Kind: result.KindFileDiff, Title: "haproxy.cfg, per section: + as it was refused, - as it runs", Text: router.DiffText(rendered.File(), files.Serving)})
	}
}

// ExpectBySource expects that a rule of algorithm source, without a policy, has it in force: in the file, and each client
// stays on one backend while the control rule moves them (6.1: a table is not needed for that).
func (t *T) ExpectBySource(control, r *Rule) {
	defer t.step("%s balances by source", r.Name)()
	t.watch.checks++
	s := t.prober.look(control, r)
	if why, ok := s.inForce(); !ok {
		t.Fail(fmt.Sprintf("%s: %s", r, why), s.evidence()...)
		return
	}
	switch balance := s.live().Balance(); {
	case s.files.Refusal != "":
		t.Fail(fmt.Sprintf("%s is not in force: HAProxy refuses the file: %s", r, firstLine(s.files.Refusal)), s.evidence()...)
	case !strings.EqualFold(balance, "source"):
		t.Fail(fmt.Sprintf("%s has algorithm source, the live haproxy.cfg says %q", r, balance), s.evidence()...)
	case s.obs.Verdict == dataplane.Inconclusive:
		t.undecided(s, control)
	case s.obs.Target.Moved > 0:
		t.Fail(fmt.Sprintf("%s has algorithm source, but %d of %d clients moved", r, s.obs.Target.Moved, s.obs.Clients), s.evidence()...)
	}
}

// ExpectCookie expects that each rule keeps clients that return its cookie on one backend.
func (t *T) ExpectCookie(control *Rule, rules ...*Rule) {
	defer t.step("clients with a cookie of %s stay", names(rules))()
	for _, r := range rules {
		t.watch.checks++
		s := t.prober.lookBy(dataplane.ByCookie, control, r)
		if why, ok := s.inForce(); !ok {
			t.Fail(fmt.Sprintf("%s: %s", r, why), s.evidence()...)
			continue
		}
		switch {
		case s.obs.Verdict == dataplane.Inconclusive:
			t.undecided(s, control)
		case s.obs.Target.Moved > 0 || s.obs.Target.Cookies < s.obs.Clients:
			t.Fail(fmt.Sprintf("%s has a cookie policy, but %d of %d clients got a cookie and %d moved; %s", r, s.obs.Target.Cookies,
				s.obs.Clients, s.obs.Target.Moved, s.where()), s.evidence()...)
		}
	}
}

// ExpectBackends expects that clients of the rule reach each of the VMs and nobody else.
func (t *T) ExpectBackends(control, r *Rule, vms ...*VM) {
	defer t.step("backends of %s", r.Name)()
	t.watch.checks++
	s := t.prober.look(control, r)
	var want []string
	for _, vm := range vms {
		want = append(want, vm.IP.String())
	}
	have := make([]string, len(s.obs.Target.Backends))
	for i, b := range s.obs.Target.Backends {
		have[i], _, _ = strings.Cut(b, ":")
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Fail(fmt.Sprintf("%s has members %v, its clients reached %v", r, want, have), s.evidence()...)
	}
}

// ExpectKeepAlive expects that the newest push asks for keep-alive, or does not, and that the router's defaults follow.
func (t *T) ExpectKeepAlive(n *Network, on bool) {
	t.watch.checks++
	push, _ := t.newestPush(n.Router())
	if push.KeepAlive != on {
		t.Fail(fmt.Sprintf("the newest push to %s has keep-alive %t, the network's offering says %t", n.Router(), push.KeepAlive, on))
	}
	files, _ := t.filesOf(n.Router())
	for _, s := range router.Sections(files.Live) {
		if s.Kind == "defaults" && slices.Contains(s.Lines, "no option httpclose") != on {
			t.Fail(fmt.Sprintf("router %s: the defaults of its haproxy.cfg do not follow the network's offering (keep-alive %t)", n.Router(), on),
				result.Evidence{Kind: result.KindNote, Title: "defaults of " + n.Router(), Text: strings.Join(s.Lines, "\n")})
		}
	}
}

// RequireNewRouter makes sure that the network has another router than before.
func (t *T) RequireNewRouter(n *Network, before string) {
	if now := n.Router(); now == before {
		t.Inconclusive("router %s is still the one of before the restart", now)
	}
}
