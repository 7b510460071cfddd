package story

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Form is how a rule is made. What is left out is as most rules are: round robin, the next free public port of the
// network's shared address, and no protocol, as most programs call.
type Form struct {
	On              *Address
	Algorithm       string
	Protocol        string
	Public, Private int // 0 is the usual one, NoPort is port 0
	CIDRs           []string
	End             string // of the name that the API is told
	Length          int    // of that name, filled up; 0 is as it comes
}

// NoPort is a port number 0, which a form cannot hold otherwise.
const NoPort = -1

func portOf(given, usual int) int {
	switch given {
	case 0:
		return usual
	case NoPort:
		return 0
	}
	return given
}

// ruleOn is a rule that is not made yet, and the call that makes it.
func ruleOn(n *Network, name string, f Form) (*Rule, cloud.LoadBalancerRuleSpec) {
	if f.On == nil {
		f.On = sharedAddress(n)
	}
	if f.Algorithm == "" {
		f.Algorithm = "roundrobin"
	}
	r := &Rule{owned: n.owned, Network: n, Address: f.On, Name: name, listedName: n.t.Unique("lb-"+name) + f.End,
		Algorithm: f.Algorithm, Port: portOf(f.Public, f.On.nextPort)}
	if short := f.Length - len([]rune(r.listedName)); short > 0 {
		r.listedName += strings.Repeat("x", short)
	}
	if f.Public == 0 {
		f.On.nextPort++
	}
	shut := false
	return r, cloud.LoadBalancerRuleSpec{Name: r.listedName, Algorithm: f.Algorithm, PublicIPID: f.On.ID,
		NetworkID: n.ID, PublicPort: r.Port, PrivatePort: portOf(f.Private, privatePort), Protocol: f.Protocol,
		CIDRs: f.CIDRs, OpenFirewall: &shut}
}

// LoadBalancerAs creates a rule of a form.
func (n *Network) LoadBalancerAs(name string, f Form) *Rule {
	defer n.t.Step("LB rule %s", name)()
	r, spec := ruleOn(n, name, f)
	n.t.Must(r.create(spec), "creating lb rule %s", spec.Name)
	n.t.watch.born(r)
	return r
}

// create makes a rule that is not made yet.
func (r *Rule) create(spec cloud.LoadBalancerRuleSpec) (err error) {
	r.ID, r.InternalID, _, err = create(r.Account, "lb rule", spec.Name, usageprobe.ObjectRule,
		func(ctx context.Context) (*cloud.Creating[cloud.LoadBalancerRule], error) {
			return r.Account.Cloud.CreateLoadBalancerRule(ctx, spec)
		})
	return err
}

// TryLoadBalancerAs is LoadBalancerAs for what may be refused: the rule, or the refusal.
func (n *Network) TryLoadBalancerAs(name string, f Form) (*Rule, *cloud.Error) {
	t := n.t
	defer t.Step("LB rule %s", name)()
	r, spec := ruleOn(n, name, f)
	entry := t.intend("lb rule", spec.Name, n.Account.Name)
	accepted, err := n.Account.Cloud.CreateLoadBalancerRule(t.ctx, spec)
	if refusal := t.refusal(t.refused(entry, err), "creating LB rule %s", name); refusal != nil {
		return nil, refusal
	}
	r.ID, r.InternalID = accepted.ID, t.internalID(usageprobe.ObjectRule, accepted.ID)
	t.created(entry, r.ID, r.InternalID)
	_, err = accepted.Wait(t.ctx)
	if refusal := t.refusal(err, "creating LB rule %s", name); refusal != nil {
		return nil, refusal
	}
	t.watch.born(r)
	return r, nil
}

// Update changes the rule by the names of updateLoadBalancerRule.
func (r *Rule) Update(change cloud.Params) {
	defer r.t.Step("update %s", r.Name)()
	_, err := r.Account.Cloud.UpdateLoadBalancerRule(r.t.ctx, r.ID, change)
	r.t.Must(err, "updating %s", r)
}

// TryUpdate is Update for what may be refused: the refusal, or nil.
func (r *Rule) TryUpdate(change cloud.Params) *cloud.Error {
	defer r.t.Step("update %s", r.Name)()
	_, err := r.Account.Cloud.UpdateLoadBalancerRule(r.t.ctx, r.ID, change)
	return r.t.refusal(err, "updating %s", r)
}

// Listed is the rule as the API lists it now.
func (r *Rule) Listed() *cloud.LoadBalancerRule {
	rules, err := r.Account.Cloud.ListLoadBalancerRules(r.t.ctx, cloud.Params{"id": r.ID})
	r.t.Must(err, "listing %s", r)
	if len(rules) != 1 {
		r.t.Inconclusive("%s is listed %d times", r, len(rules))
	}
	return rules[0]
}

// ExpectCarriedOut expects that a call was not refused. A refusal by an exception is noted as that already.
func (t Answers) ExpectCarriedOut(refusal *cloud.Error, what string) {
	t.Checked(1)
	if refusal != nil && !refusal.Thrown() {
		t.Fail(result.WrongRefusal, fmt.Sprintf("%s was refused with %d: %s", what, refusal.Code, refusal.Text))
	}
}

// ExpectUnchanged expects that a call that failed changed nothing of the rule.
func (t Answers) ExpectUnchanged(before *cloud.LoadBalancerRule, r *Rule) {
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
		t.Fail(result.HalfChanged, fmt.Sprintf("the update of %s failed and has changed the rule: %s", r.called(),
			strings.Join(changed, ", ")))
	}
}

// HasParameter says whether a command of the target takes a parameter.
func (t *T) HasParameter(command, name string) bool {
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

// SecondAddress gives the VM's first NIC one more address.
func (vm *VM) SecondAddress() *SecondAddress {
	t := vm.t
	defer t.Step("second address of %s", vm.Name)()
	nic := vm.NICs()[0]
	var made struct{ IPAddress string }
	pending, err := vm.Account.Cloud.Create(t.ctx, "addIpToNic", cloud.Params{"nicid": nic.ID}, nil)
	t.Must(err, "addIpToNic")
	_, err = pending.Wait(t.ctx, &made)
	t.Must(err, "addIpToNic")
	ip, err := netip.ParseAddr(made.IPAddress)
	t.Must(err, "reading the second address of %s", vm.Name)
	return &SecondAddress{vm: vm, ID: pending.ID, IP: ip}
}

// SecondAddress is a further address of a VM.
type SecondAddress struct {
	vm *VM
	ID string
	IP netip.Addr
}

// TryRemove takes the address from its NIC: the refusal, or nil.
func (s *SecondAddress) TryRemove() *cloud.Error {
	t := s.vm.t
	defer t.Step("second address away from %s", s.vm.Name)()
	_, err := s.vm.Account.Cloud.Job(t.ctx, "removeIpFromNic", cloud.Params{"id": s.ID}, nil)
	return t.refusal(err, "removing the second address of %s", s.vm.Name)
}

// TryAssignAddress puts a further address of a VM behind the rule, which may be refused: the refusal, or nil.
func (r *Rule) TryAssignAddress(s *SecondAddress) *cloud.Error {
	return r.byAddress("assignToLoadBalancerRule", s.vm, s.IP)
}

// TryRemoveAddress takes one address of a VM from behind the rule: the refusal, or nil.
func (r *Rule) TryRemoveAddress(s *SecondAddress) *cloud.Error {
	return r.byAddress("removeFromLoadBalancerRule", s.vm, s.IP)
}

func (r *Rule) byAddress(command string, vm *VM, ip netip.Addr) *cloud.Error {
	defer r.t.Step("%s of %s, %s", ip, vm.Name, command)()
	_, err := r.Account.Cloud.Job(r.t.ctx, command, cloud.Params{"id": r.ID, key("vmidipmap", 0, "vmid"): vm.ID,
		key("vmidipmap", 0, "vmip"): ip.String()}, nil)
	return r.t.refusal(err, "%s of %s on %s", command, vm.Name, r)
}

// ExpectMemberAddresses expects that the API lists exactly these addresses behind the rule.
func (t Answers) ExpectMemberAddresses(r *Rule, class result.Class, want ...netip.Addr) {
	t.Checked(1)
	members, err := r.Account.Cloud.ListLoadBalancerRuleMembers(t.ctx, r.ID)
	t.Must(err, "listing the members of %s", r)
	var have []string
	for _, m := range members {
		have = append(have, m.IPs...)
	}
	missing, extra := apartOf(want, have)
	if len(missing)+len(extra) > 0 {
		t.Fail(class, fmt.Sprintf("the API lists members %v of %s, want %v", have, r.called(), want))
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

// Tag gives the rule a tag.
func (r *Rule) Tag(key, value string) {
	defer r.t.Step("tag %s on %s", key, r.Name)()
	r.do("createTags", cloud.Params{"resourcetype": "LoadBalancer", "resourceids": []string{r.ID}, "tags[0].key": key,
		"tags[0].value": value})
}

// TagCount is how many tags the API lists for the rule, which may be deleted.
func (r *Rule) TagCount() int {
	var answer struct{ Tag []struct{ Key string } }
	r.t.Must(r.Account.Cloud.Call(r.t.ctx, "listTags", cloud.Params{"resourceid": r.ID,
		"resourcetype": "LoadBalancer"}, &answer), "listTags")
	return len(answer.Tag)
}

// ExpectTags expects so many tags of the rule in listTags, whether it is deleted or not.
func (t Answers) ExpectTags(r *Rule, want int) {
	t.Checked(1)
	if got := r.TagCount(); got != want {
		t.Fail(result.TagsLeft, fmt.Sprintf("listTags lists %d tags of %s, want %d", got, r.called(), want))
	}
}

// ExpectAlgorithm expects that the API lists the rule with an algorithm, where the call that set it was not refused.
func (t Answers) ExpectAlgorithm(r *Rule, refusal *cloud.Error, want string) {
	t.Checked(1)
	if got := r.Listed().Algorithm; refusal == nil && got != want {
		t.Fail(result.FalseSuccess, fmt.Sprintf("algorithm %s of %s was set, the API lists %s", want, r.called(), got))
	}
}

// ExpectSourceList expects that the API lists the rule's source list in this form.
func (t Answers) ExpectSourceList(r *Rule, want string) {
	t.Checked(1)
	if got := r.Listed().Cidrlist; got != want {
		t.Fail(result.WrongForm, fmt.Sprintf("the source list of %s is listed as %q, the same list was %q before",
			r.called(), got, want))
	}
}

// ExpectRefusal expects a refusal with the error code; nil is a call that was carried out.
func (t Answers) ExpectRefusal(refusal *cloud.Error, code int, what string) {
	t.Checked(1)
	switch {
	case refusal == nil:
		t.Fail(result.NotRefused, what+fmt.Sprintf(" was taken; it must be refused with %d", code))
	case refusal.Code != code && !refusal.Thrown():
		t.Fail(
			result.WrongRefusal,
			fmt.Sprintf("%s was refused with %d (%s), want %d", what, refusal.Code, refusal.Text,
				code),
		)
	}
}

// ExpectListedFor expects that listLoadBalancerRules lists the rule so many times for a VM.
func (t Answers) ExpectListedFor(vm *VM, r *Rule, want int) {
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
			r.called(), got, vm.Name, want))
	}
}

// ExpectLeavesNIC expects that an address that is behind no rule any more can be removed from its NIC.
func (t Answers) ExpectLeavesNIC(s *SecondAddress) {
	t.Checked(1)
	if refusal := s.TryRemove(); refusal != nil {
		t.Fail(result.FormerMember, fmt.Sprintf("an address that has left its rule cannot be removed from its NIC: "+
			"%d %s", refusal.Code, refusal.Text))
	}
}

// ExpectChangeable expects that the rule takes a change; of what came before it the answer is told.
func (t Answers) ExpectChangeable(r *Rule, before *cloud.Error) {
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
func (t Answers) ExpectApplied(r *Rule, applied bool, class result.Class, vms ...*VM) {
	t.Checked(1)
	var answer struct {
		Instances []struct {
			ID string `json:"id"`
		} `json:"loadbalancerruleinstance"`
	}
	t.Must(r.Account.Cloud.Call(t.ctx, "listLoadBalancerRuleInstances", cloud.Params{"id": r.ID, "applied": applied},
		&answer), "listing the VMs of %s", r)
	var want, got []string
	for _, vm := range vms {
		want = append(want, vm.ID)
	}
	for _, one := range answer.Instances {
		got = append(got, one.ID)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Fail(class, fmt.Sprintf("listLoadBalancerRuleInstances applied=%t of %s lists %d VMs, want %d", applied, r,
			len(got), len(want)))
	}
}

// ExpectNamed expects that the API lists each rule by the name that it was given.
func (t Answers) ExpectNamed(rules ...*Rule) {
	for _, r := range rules {
		t.Checked(1)
		if got := r.Listed().Name; got != r.listedName {
			t.Fail(result.NotListed, fmt.Sprintf("%s was named %q and is listed as %q", r.called(), r.listedName, got))
		}
	}
}

// TryAssign is Assign for what may be refused: the refusal, or nil.
func (r *Rule) TryAssign(vm *VM) *cloud.Error {
	defer r.t.Step("%s behind %s", vm.Name, r.Name)()
	return r.t.refusal(r.Account.Cloud.AssignToLoadBalancerRule(r.t.ctx, r.ID, vm.ID), "putting %s behind %s", vm.Name,
		r)
}
