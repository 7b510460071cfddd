package answers

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// ExpectCarriedOut expects that a call was not refused. A refusal by an exception is noted as that already.
func (t Answers) ExpectCarriedOut(refusal *cloud.Error, what string) {
	t.Checked(1)
	if refusal != nil && !refusal.Thrown() {
		t.Fail(result.WrongRefusal, fmt.Sprintf("%s was refused with %d: %s", what, refusal.Code, refusal.Text))
	}
}

// ExpectUnchanged expects that a call that failed changed nothing of the rule.
func (t Answers) ExpectUnchanged(before *cloud.LoadBalancerRule, r *objects.Rule) {
	t.Checked(1)
	now := r.Listed()
	var changed []string
	for _, one := range []struct{ field, before, now string }{
		{"name", before.Name, now.Name}, {"algorithm", before.Algorithm, now.Algorithm},
		{"protocol", before.Protocol, now.Protocol}, {"cidrlist", before.Cidrlist, now.Cidrlist},
	} {
		if one.before != one.now {
			changed = append(changed, fmt.Sprintf("%s is %q, was %q", one.field, one.now, one.before))
		}
	}
	if len(changed) > 0 {
		t.Fail(result.HalfChanged, fmt.Sprintf("the update of %s failed and has changed the rule: %s", r.Called(),
			strings.Join(changed, ", ")))
	}
}

// HasParameter says whether a command of the target takes a parameter.
func (t Answers) HasParameter(command, name string) bool {
	var answer struct {
		API []struct {
			Params []struct{ Name string }
		}
	}
	t.Must(t.site.Cloud.Call(t.ctx, "listApis", cloud.Params{"name": command}, &answer), "listApis")
	for _, api := range answer.API {
		for _, p := range api.Params {
			if p.Name == name {
				return true
			}
		}
	}
	return false
}

// ExpectMemberAddresses expects that the API lists exactly these addresses behind the rule.
func (t Answers) ExpectMemberAddresses(r *objects.Rule, class result.Class, want ...netip.Addr) {
	t.Checked(1)
	members, err := r.Account.Cloud.ListLoadBalancerRuleMembers(t.ctx, r.ID)
	t.Must(err, "listing the members of %s", r)
	var have []string
	for _, m := range members {
		have = append(have, m.IPs...)
	}
	missing, extra := apartOf(want, have)
	if len(missing)+len(extra) > 0 {
		t.Fail(class, fmt.Sprintf("the API lists members %v of %s, want %v", have, r.Called(), want))
	}
}

// apartOf are the addresses that only one side has.
func apartOf(want []netip.Addr, have []string) (missing, extra []string) {
	wanted := map[string]bool{}
	for _, ip := range want {
		wanted[ip.String()] = true
	}
	for _, ip := range have {
		if !wanted[ip] {
			extra = append(extra, ip)
		}
		delete(wanted, ip)
	}
	for ip := range wanted {
		missing = append(missing, ip)
	}
	return missing, extra
}

// ExpectTags expects so many tags of the rule in listTags, whether it is deleted or not.
func (t Answers) ExpectTags(r *objects.Rule, want int) {
	t.Checked(1)
	if got := r.TagCount(); got != want {
		t.Fail(result.TagsLeft, fmt.Sprintf("listTags lists %d tags of %s, want %d", got, r.Called(), want))
	}
}

// ExpectAlgorithm expects that the API lists the rule with an algorithm, where the call that set it was not refused.
func (t Answers) ExpectAlgorithm(r *objects.Rule, refusal *cloud.Error, want string) {
	t.Checked(1)
	if got := r.Listed().Algorithm; refusal == nil && got != want {
		t.Fail(result.FalseSuccess, fmt.Sprintf("algorithm %s of %s was set, the API lists %s", want, r.Called(), got))
	}
}

// ExpectSourceList expects that the API lists the rule's source list in this form.
func (t Answers) ExpectSourceList(r *objects.Rule, want string) {
	t.Checked(1)
	if got := r.Listed().Cidrlist; got != want {
		t.Fail(result.WrongForm, fmt.Sprintf("the source list of %s is listed as %q, the same list was %q before",
			r.Called(), got, want))
	}
}

// ExpectRefusal expects a refusal with the error code; nil is a call that was carried out.
func (t Answers) ExpectRefusal(refusal *cloud.Error, code int, what string) {
	t.Checked(1)
	switch {
	case refusal == nil:
		t.Fail(result.NotRefused, what+fmt.Sprintf(" was taken; it must be refused with %d", code))
	case refusal.Code != code && !refusal.Thrown():
		t.Fail(result.WrongRefusal, fmt.Sprintf("%s was refused with %d (%s), want %d", what, refusal.Code,
			refusal.Text, code))
	}
}

// ExpectListedFor expects that listLoadBalancerRules lists the rule so many times for a VM.
func (t Answers) ExpectListedFor(vm *objects.VM, r *objects.Rule, want int) {
	t.Checked(1)
	rules, err := r.Account.Cloud.ListLoadBalancerRules(t.ctx, cloud.Params{"virtualmachineid": vm.ID})
	t.Must(err, "listing the rules of %s", vm.Name)
	got := 0
	for _, one := range rules {
		if one.Id == r.ID {
			got++
		}
	}
	class := result.FormerMember
	if got < want {
		class = result.NotListed
	}
	if got != want {
		t.Fail(class, fmt.Sprintf("listLoadBalancerRules lists %s %d times for VM %s, want %d",
			r.Called(), got, vm.Name, want))
	}
}

// ExpectLeavesNIC expects that an address that is behind no rule any more can be removed from its NIC.
func (t Answers) ExpectLeavesNIC(s *objects.SecondAddress) {
	t.Checked(1)
	if refusal := s.TryRemove(); refusal != nil {
		t.Fail(result.FormerMember, fmt.Sprintf("an address that has left its rule cannot be removed from its NIC: "+
			"%d %s", refusal.Code, refusal.Text))
	}
}

// ExpectChangeable expects that the rule takes a change; of what came before it the answer is told.
func (t Answers) ExpectChangeable(r *objects.Rule, before *cloud.Error) {
	t.Checked(1)
	refusal := r.TryUpdate(cloud.Params{"algorithm": "leastconn", "protocol": "tcp"})
	if refusal == nil {
		return
	}
	says := fmt.Sprintf("%s can no longer be changed: %d %s", r, refusal.Code, refusal.Text)
	if before != nil {
		says += fmt.Sprintf("; before, a call on it had been answered with %d %s", before.Code, before.Text)
	}
	t.Fail(result.RuleStuck, says)
}

// ExpectApplied expects that listLoadBalancerRuleInstances lists exactly these VMs as applied, or as not applied.
func (t Answers) ExpectApplied(r *objects.Rule, applied bool, class result.Class, vms ...*objects.VM) {
	t.Checked(1)
	type instance struct {
		ID string `json:"id"`
	}
	var answer struct {
		Instances []instance `json:"loadbalancerruleinstance"`
	}
	t.Must(r.Account.Cloud.Call(t.ctx, "listLoadBalancerRuleInstances", cloud.Params{"id": r.ID, "applied": applied},
		&answer), "listing the VMs of %s", r)
	want := stage.Each(vms, func(vm *objects.VM) string { return vm.ID })
	got := stage.Each(answer.Instances, func(one instance) string { return one.ID })
	if !sameSet(want, got) {
		t.Fail(class, fmt.Sprintf("listLoadBalancerRuleInstances applied=%t of %s lists %d VMs, want %d", applied, r,
			len(got), len(want)))
	}
}

// ExpectNamed expects that the API lists each rule by the name that it was given.
func (t Answers) ExpectNamed(rules ...*objects.Rule) {
	for _, r := range rules {
		t.Checked(1)
		if got := r.Listed().Name; got != r.ListedName() {
			t.Fail(result.NotListed, fmt.Sprintf("%s was named %q and is listed as %q", r.Called(), r.ListedName(),
				got))
		}
	}
}

// TakeTwice takes a VM from behind the rule, puts it there and takes it away again, with so many seconds between, and
// expects that it is taken away each time.
func (t Answers) TakeTwice(r *objects.Rule, vm *objects.VM, pass func()) {
	t.Checked(1)
	r.Remove(vm)
	first := t.on.Now()
	pass()
	r.Assign(vm)
	pass()
	refusal := r.TryRemove(vm)
	if refusal != nil {
		t.Fail(result.RemovedTwice, fmt.Sprintf("VM %s was taken from %s at %s, and again at %s, which fails: %d %s",
			vm.Name, r.Called(), stage.Stamp(first), stage.Stamp(t.on.Now()), refusal.Code, refusal.Text))
	}
}

// ExpectGiven gives the rule a policy that is sound, and says whether it was taken. A refusal is a failure.
func (t Answers) ExpectGiven(r *objects.Rule, p objects.Policy) bool {
	t.Checked(1)
	refusal := r.TryGive(p)
	if refusal != nil {
		t.Find(result.Finding{Class: result.WrongRefusal, Subject: r.Called(),
			Says: fmt.Sprintf("%s refuses a sound policy %s: %v", r.Called(), p, refusal)})
	}
	return refusal == nil
}
