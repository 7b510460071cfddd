package objects

import (
	"context"
	"net/netip"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
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
	if refusal := byAddress(r, "assignToLoadBalancerRule", vm, vm.IP); refusal != nil {
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
	n.t.Must(createRule(r, spec), "creating lb rule %s", spec.Name)
	n.t.born(r)
	return r
}

// createRule makes a rule that is not made yet.
func createRule(r *Rule, spec cloud.LoadBalancerRuleSpec) (err error) {
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
	accepted, err := n.Account.Cloud.CreateLoadBalancerRule(t.Ctx, spec)
	if refusal := t.Refusal(t.refused(entry, err), "creating LB rule %s", name); refusal != nil {
		return nil, refusal
	}
	r.ID, r.InternalID = accepted.ID, t.InternalID(usageprobe.ObjectRule, accepted.ID)
	t.created(entry, r.ID, r.InternalID)
	_, err = accepted.Wait(t.Ctx)
	if refusal := t.Refusal(err, "creating LB rule %s", name); refusal != nil {
		return nil, refusal
	}
	t.born(r)
	return r, nil
}

// Update changes the rule by the names of updateLoadBalancerRule.
func (r *Rule) Update(change cloud.Params) {
	defer r.t.Step("update %s", r.Name)()
	_, err := r.Account.Cloud.UpdateLoadBalancerRule(r.t.Ctx, r.ID, change)
	r.t.Must(err, "updating %s", r)
}

// TryUpdate is Update for what may be refused: the refusal, or nil.
func (r *Rule) TryUpdate(change cloud.Params) *cloud.Error {
	defer r.t.Step("update %s", r.Name)()
	_, err := r.Account.Cloud.UpdateLoadBalancerRule(r.t.Ctx, r.ID, change)
	return r.t.Refusal(err, "updating %s", r)
}

// Listed is the rule as the API lists it now.
func (r *Rule) Listed() *cloud.LoadBalancerRule {
	rules, err := r.Account.Cloud.ListLoadBalancerRules(r.t.Ctx, cloud.Params{"id": r.ID})
	r.t.Must(err, "listing %s", r)
	if len(rules) != 1 {
		r.t.Inconclusive("%s is listed %d times", r, len(rules))
	}
	return rules[0]
}

// TryAssignAddress puts a further address of a VM behind the rule, which may be refused: the refusal, or nil.
func (r *Rule) TryAssignAddress(s *SecondAddress) *cloud.Error {
	return byAddress(r, "assignToLoadBalancerRule", s.vm, s.IP)
}

// TryRemoveAddress takes one address of a VM from behind the rule: the refusal, or nil.
func (r *Rule) TryRemoveAddress(s *SecondAddress) *cloud.Error {
	return byAddress(r, "removeFromLoadBalancerRule", s.vm, s.IP)
}

func byAddress(r *Rule, command string, vm *VM, ip netip.Addr) *cloud.Error {
	defer r.t.Step("%s of %s, %s", ip, vm.Name, command)()
	_, err := r.Account.Cloud.Job(r.t.Ctx, command, cloud.Params{"id": r.ID, key("vmidipmap", 0, "vmid"): vm.ID,
		key("vmidipmap", 0, "vmip"): ip.String()}, nil)
	return r.t.Refusal(err, "%s of %s on %s", command, vm.Name, r)
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
	r.t.Must(r.Account.Cloud.Call(r.t.Ctx, "listTags", cloud.Params{"resourceid": r.ID,
		"resourcetype": "LoadBalancer"}, &answer), "listTags")
	return len(answer.Tag)
}

// TryAssign is Assign for what may be refused: the refusal, or nil.
func (r *Rule) TryAssign(vm *VM) *cloud.Error {
	defer r.t.Step("%s behind %s", vm.Name, r.Name)()
	return r.t.Refusal(r.Account.Cloud.AssignToLoadBalancerRule(r.t.Ctx, r.ID, vm.ID), "putting %s behind %s", vm.Name,
		r)
}

// TryAssignWith puts a VM behind the rule by its id, and in the same call by a further address of it: the refusal, or
// nil.
func (r *Rule) TryAssignWith(s *SecondAddress) *cloud.Error {
	defer r.t.Step("%s with %s behind %s", s.vm.Name, s.IP, r.Name)()
	_, err := r.Account.Cloud.Job(r.t.Ctx, "assignToLoadBalancerRule", cloud.Params{"id": r.ID,
		"virtualmachineids": []string{s.vm.ID}, key("vmidipmap", 0, "vmid"): s.vm.ID,
		key("vmidipmap", 0, "vmip"): s.IP.String()}, nil)
	return r.t.Refusal(err, "putting %s with %s behind %s", s.vm.Name, s.IP, r)
}

// TryRemove takes a VM from behind the rule: the refusal, or nil.
func (r *Rule) TryRemove(vm *VM) *cloud.Error {
	defer r.t.Step("%s away from %s", vm.Name, r.Name)()
	return r.t.Refusal(r.Account.Cloud.RemoveFromLoadBalancerRule(r.t.Ctx, r.ID, vm.ID), "taking %s from behind %s",
		vm.Name, r)
}
