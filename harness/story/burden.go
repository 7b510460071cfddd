package story

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/router"
)

// Bear makes a rule that its router may not be able to serve, with a member and a policy. Nil is a rule that the API
// refused; a refusal of the member or the policy leaves the rule.
func (n *Network) Bear(name string, f Form, policy *Policy, vm *VM) *Rule {
	t := n.t
	r, refusal := n.TryLoadBalancerAs(name, f)
	if refusal != nil {
		t.Note("refused", "%s: %s", name, refusal.Text)
		return nil
	}
	if refusal := r.byAddress("assignToLoadBalancerRule", vm, vm.IP); refusal != nil {
		t.Note("refused", "a member of %s: %s", name, refusal.Text)
		return r
	}
	if policy != nil {
		if refusal := r.TryGive(*policy); refusal != nil {
			t.Note("refused", "%s on %s: %s", policy, name, refusal.Text)
		}
	}
	return r
}

// ExpectChange gives the rule its policy, or takes it away, and expects that this is carried out and in force, beside a
// rule that its router may not be able to serve.
func (t RouterLooks) ExpectChange(beside string, r *Rule) {
	t.Checked(1)
	if refusal := r.TryToggle(); refusal != nil {
		t.Fail(result.SiblingsBlocked, fmt.Sprintf("%s: a change of %s was refused with %d: %s", beside, r.called(),
			refusal.Code, refusal.Text))
		return
	}
	t.ExpectServed(beside, r)
}

// TryToggle is Toggle for what may be refused: the refusal, or nil.
func (r *Rule) TryToggle() *cloud.Error {
	if r.Policy == "" {
		return r.TryGive(Policy{Method: "SourceBased", Params: sourcePolicy()})
	}
	defer r.t.Step("no stickiness on %s", r.Name)()
	err := r.Account.Cloud.DeleteStickinessPolicy(r.t.ctx, r.Policy)
	refusal := r.t.refusal(err, "deleting the policy of %s", r)
	if refusal == nil {
		r.Policy = ""
	}
	return refusal
}

// ExpectServed expects that a rule is in force on its router as the newest push has it, beside a rule that may be
// refused.
func (t RouterLooks) ExpectServed(beside string, r *Rule) {
	defer t.Step("%s in force beside %s", r.Name, beside)()
	t.Checked(1)
	files, rendered := t.filesOf(r.Network.Router())
	section := r.Section()
	want, serving := router.Listens(rendered.File())[section], router.Listens(files.Serving)[section]
	switch {
	case files.Refusal != "":
		t.Fail(result.RouterFrozen, fmt.Sprintf("%s: HAProxy refuses the file, and %s is not in force: %s", beside,
			r.called(),
			firstLine(files.Refusal)), result.Evidence{Kind: result.KindNote, Title: "what HAProxy says of " +
			beside, Text: files.Refusal})
	case files.MasterPID == 0:
		t.Fail(result.ProcessStale, fmt.Sprintf("%s: HAProxy does not run", beside))
	case !sameLines(want.Lines, serving.Lines):
		t.Fail(result.RouterStale, fmt.Sprintf("%s: section %s of %s is not in force as the newest push has it", beside,
			section, r.called()))
	}
}

// ExpectSection expects that the router's live file has a listener for the rule, as HAProxy has them for TCP only, or
// that it has none.
func (t RouterLooks) ExpectSection(r *Rule, there bool) {
	defer t.Step("listener of %s", r.Name)()
	t.Checked(1)
	files, _ := t.filesOf(r.Network.Router())
	section, has := router.Listens(files.Live)[r.Section()]
	switch {
	case has && !there:
		t.Fail(
			result.WrongProtocol,
			fmt.Sprintf("%s is a UDP rule, and the router serves it as a TCP listener", r.called()),
			result.Evidence{
				Kind:  result.KindNote,
				Title: "section " + section.Name,
				Text:  strings.Join(section.Lines, "\n"),
			},
		)
	case there && (!has || len(serversOf(section)) == 0):
		t.Fail(result.RouterStale,
			fmt.Sprintf("the router's live file has no listener with servers for %s", r.called()))
	}
}

// serversOf are the section's servers.
func serversOf(s router.Section) []string {
	var servers []string
	for _, line := range s.Lines {
		if strings.HasPrefix(strings.TrimSpace(line), "server ") {
			servers = append(servers, line)
		}
	}
	return servers
}
