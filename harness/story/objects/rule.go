package objects

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Rule is a load balancer rule.
type Rule struct {
	owned
	Network    *Network
	Address    *Address
	Name       string
	listedName string // as the API lists it
	ID         string
	InternalID int64
	Port       int
	Algorithm  string
	Policy     string // id of the live stickiness policy
	// certificate is what TLS ends with on the router; nil for none.
	certificate *Certificate
	// Deleted is the database time just after the delete job ended, Deleting that just before the call; zero while the
	// rule lives.
	Deleted, Deleting time.Time
}

// privatePort is where the members listen.
const privatePort = 8080

// String names the rule as verdicts do: name, uuid and the internal id that the usage tables hold.
func (r *Rule) String() string {
	if r.InternalID == 0 {
		return fmt.Sprintf("LB rule %s (%s)", r.Name, r.ID)
	}
	return fmt.Sprintf("LB rule %s (uuid %s, internal id %d)", r.Name, r.ID, r.InternalID)
}

// Section is the name of the rule's listen section in haproxy.cfg.
func (r *Rule) Section() string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(r.Address.IP.String(), ".", "_"), r.Port)
}

// Endpoint is where clients reach the rule.
func (r *Rule) Endpoint() netip.AddrPort { return netip.AddrPortFrom(r.Address.IP, uint16(r.Port)) } // below 65536

// LoadBalancer creates a round-robin rule on the network's shared address, with the next free public port.
func (n *Network) LoadBalancer(name string) *Rule {
	return n.LoadBalancerOn(sharedAddress(n), name, "roundrobin")
}

// LoadBalancers creates count rules, named A, B, C, ...
func (n *Network) LoadBalancers(count int) []*Rule {
	defer n.t.Step("%d LB rules in %s", count, n.Name)()
	rules := make([]*Rule, count)
	for i := range rules {
		rules[i] = n.LoadBalancer(string(rune('A' + i)))
	}
	return rules
}

// LoadBalancerOn creates a rule on an address with an algorithm, which is passed on as typed.
func (n *Network) LoadBalancerOn(ip *Address, name, algorithm string) *Rule {
	return n.LoadBalancerAs(name, Form{On: ip, Algorithm: algorithm})
}

// LoadBalancerFor creates a rule for clients of some networks only.
func (n *Network) LoadBalancerFor(name string, cidrs ...string) *Rule {
	return n.LoadBalancerAs(name, Form{CIDRs: cidrs})
}

// Assign puts VMs behind the rule.
func (r *Rule) Assign(vms ...*VM) *Rule {
	defer r.t.Step("%d VMs behind %s", len(vms), r.Name)()
	ids := stage.Each(vms, func(vm *VM) string { return vm.ID })
	r.t.Must(r.Account.Cloud.AssignToLoadBalancerRule(r.t.Ctx, r.ID, ids...), "putting VMs behind %s", r)
	return r
}

// sourcePolicy are the parameters of the twin policies. They are given explicitly and are equal on every rule: on a
// router that compares files as sets, only byte-identical policies mask each other (T15, T16).
func sourcePolicy() map[string]string {
	return map[string]string{"tablesize": "200k", "expire": "30m"}
}

// Stick gives the rule the common source stickiness policy.
func (r *Rule) Stick() {
	defer r.t.Step("source stickiness on %s", r.Name)()
	_, _, stored := made(r.Account, "stickiness policy", r.Name, "",
		func(ctx context.Context) (*cloud.Creating[cloud.StickinessPolicies], error) {
			return r.Account.Cloud.CreateStickinessPolicy(ctx, cloud.StickinessSpec{LBRuleID: r.ID,
				Name: r.t.Unique("sticky"), MethodName: "SourceBased", Params: sourcePolicy()})
		})
	live := stored.Policies
	if len(live) == 0 {
		r.t.Inconclusive("createLBStickinessPolicy on %s answered without a policy", r)
	}
	last := live[len(live)-1]
	// A client library that drops parameters would leave policies that do not mask each other (T14).
	if !maps.Equal(last.Params, sourcePolicy()) {
		r.t.Inconclusive("the policy of %s was stored with parameters %v, not those that were sent", r, last.Params)
	}
	r.Policy = last.ID
}

// Unstick deletes the rule's stickiness policy.
func (r *Rule) Unstick() {
	defer r.t.Step("no stickiness on %s", r.Name)()
	r.t.Must(r.Account.Cloud.DeleteStickinessPolicy(r.t.Ctx, r.Policy), "deleting the policy of %s", r)
	r.Policy = ""
}

// Toggle gives the rule the common source stickiness policy, or takes its policy away.
func (r *Rule) Toggle() {
	if r.Policy == "" {
		r.Stick()
	} else {
		r.Unstick()
	}
}

// DeleteAt deletes the rule at a moment.
func (r *Rule) DeleteAt(at time.Time) {
	if d := at.Sub(r.t.Now()) - stage.Apart; d > 0 {
		r.t.Pass(d)
	}
	r.Delete()
}

// Delete deletes the rule and notes the database time.
func (r *Rule) Delete() {
	t := r.t
	defer t.Step("delete %s", r.Name)()
	t.Pass(stage.Apart)
	r.DeleteAtOnce()
	t.Pass(stage.Apart)
}

// SetAlgorithm changes the algorithm, passed on as typed.
func (r *Rule) SetAlgorithm(algorithm string) {
	defer r.t.Step("algorithm %s on %s", algorithm, r.Name)()
	_, err := r.Account.Cloud.UpdateLoadBalancerRule(r.t.Ctx, r.ID, cloud.Params{"algorithm": algorithm})
	r.t.Must(err, "changing the algorithm of %s", r)
	r.Algorithm = algorithm
}

// TryDelete deletes the rule, which may be refused: the refusal, or nil.
func (r *Rule) TryDelete() *cloud.Error {
	defer r.t.Step("delete %s", r.Name)()
	return r.t.Refusal(r.Account.Cloud.DeleteLoadBalancerRule(r.t.Ctx, r.ID), "deleting %s", r)
}

func key(list string, i int, field string) string { return fmt.Sprintf("%s[%d].%s", list, i, field) }

// Remove takes VMs from behind the rule.
func (r *Rule) Remove(vms ...*VM) {
	defer r.t.Step("%d VMs away from %s", len(vms), r.Name)()
	ids := stage.Each(vms, func(vm *VM) string { return vm.ID })
	r.t.Must(r.Account.Cloud.RemoveFromLoadBalancerRule(r.t.Ctx, r.ID, ids...), "taking VMs from behind %s", r)
}

// TryRemoveByAddress takes a VM from behind the rule by its address, which may be refused: the refusal, or nil.
func (r *Rule) TryRemoveByAddress(vm *VM) *cloud.Error {
	defer r.t.Step("%s away from %s by its address", vm.Name, r.Name)()
	_, err := r.Account.Cloud.Job(r.t.Ctx, "removeFromLoadBalancerRule",
		cloud.Params{"id": r.ID, key("vmidipmap", 0, "vmid"): vm.ID,
			key("vmidipmap", 0, "vmip"): vm.IP.String()}, nil)
	return r.t.Refusal(err, "taking %s from behind %s", vm.Name, r)
}

// internalOffering is CloudStack's built-in one (NetworkOffering.java@4.20.0.0).
const internalOffering = "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB"

// internalLB is what the rules of a tier with internal load balancing share: an address of the tier, and with it one
// VM.
type internalLB struct {
	address *Address
	vm      string
}

// InternalTier creates a tier whose rules are on addresses of its own.
func (v *VPC) InternalTier() *Network {
	offering := chooser{v.t}.chooseNetworkOffering("tier offering with internal load balancing", "",
		internalOffering, true)
	n := v.TierOf(offering)
	n.internal = &internalLB{}
	return n
}

// InternalLoadBalancer creates a round-robin rule on the internal address of the tier, with the next free port.
func (n *Network) InternalLoadBalancer(name string) *Rule {
	defer n.t.Step("internal LB rule %s", name)()
	if n.internal.address == nil {
		n.internal.address = &Address{owned: n.owned, nextPort: firstPort}
	}
	a := n.internal.address
	r := &Rule{owned: n.owned, Network: n, Address: a, Name: name, Algorithm: "roundrobin", Port: a.nextPort}
	a.nextPort++
	from := ""
	if a.IP.IsValid() {
		from = a.IP.String()
	}
	full := n.t.Unique("lb-" + name)
	var answer *cloud.InternalLoadBalancer
	r.ID, r.InternalID, answer = made(n.Account, "internal lb rule", full, usageprobe.ObjectRule,
		func(ctx context.Context) (*cloud.Creating[cloud.InternalLoadBalancer], error) {
			return n.Account.Cloud.CreateInternalLoadBalancer(ctx, cloud.InternalLoadBalancerSpec{Name: full,
				Algorithm: r.Algorithm, NetworkID: n.ID, SourceIP: from, SourcePort: r.Port, InstancePort: privatePort})
		})
	var err error
	a.IP, err = netip.ParseAddr(answer.SourceIP)
	n.t.Must(err, "reading the address of internal LB rule %s", name)
	n.t.born(r)
	return r
}

// balancer is the name of the VM that carries out the tier's internal rules.
func balancer(n *Network) string {
	if n.internal.vm == "" {
		vms, err := n.t.Site.Cloud.ListBalancerVMs(n.t.Ctx, cloud.Params{"networkid": n.ID})
		n.t.Must(err, "listing the balancer VMs of %s", n.Name)
		if len(vms) != 1 || vms[0].State != "Running" {
			n.t.Inconclusive("tier %s has %d balancer VMs, want one that runs", n.Name, len(vms))
		}
		n.internal.vm = vms[0].Name
	}
	return n.internal.vm
}

// DeleteAtOnce deletes the rule in the second in which it is.
func (r *Rule) DeleteAtOnce() {
	defer r.t.Step("delete %s at once", r.Name)()
	r.Deleting = r.t.Now()
	remove := r.Account.Cloud.DeleteLoadBalancerRule
	if r.Network.internal != nil {
		remove = r.Account.Cloud.DeleteInternalLoadBalancer
	}
	r.t.Must(remove(r.t.Ctx, r.ID), "deleting %s", r)
	r.Deleted = r.t.Now()
	r.t.Must(r.t.removed(r.ID, nil), "noting the removal of %s", r)
}

// FailedLoadBalancer creates a rule with a firewall that its router refuses: the rule is there for a moment, and gone.
func (n *Network) FailedLoadBalancer(name string) *Rule {
	t := n.t
	defer t.Step("LB rule %s, which fails", name)()
	ip := n.Address()
	r := &Rule{owned: n.owned, Network: n, Address: ip, Name: name, Port: ip.nextPort, Algorithm: "roundrobin"}
	ip.nextPort++
	full, opened := t.Unique("lb-"+name), true
	entry := t.intend("lb rule", full, n.Account.Name)
	accepted, err := n.Account.Cloud.CreateLoadBalancerRule(t.Ctx, cloud.LoadBalancerRuleSpec{Name: full,
		Algorithm: r.Algorithm, PublicIPID: ip.ID, NetworkID: n.ID,
		PublicPort: r.Port, PrivatePort: privatePort, OpenFirewall: &opened})
	t.Must(err, "creating LB rule %s", name)
	t.created(entry, accepted.ID, 0)
	_, err = accepted.Wait(t.Ctx)
	var refusal *cloud.Error
	if !errors.As(err, &refusal) {
		t.Inconclusive("creating LB rule %s was to fail, and ended with %v", name, err)
	}
	t.Must(t.removed(accepted.ID, nil), "noting that LB rule %s is gone", name)
	id, err := t.Usage().Newest(t.Ctx, "LB.CREATE", n.Account.InternalID)
	t.Must(err, "reading an internal id")
	r.ID, r.InternalID = accepted.ID, id
	t.born(r)
	t.Pass(stage.Apart)
	return r
}

// Names are the rules' names.
func Names(rules []*Rule) string {
	return strings.Join(stage.Each(rules, func(r *Rule) string { return r.Name }), ", ")
}

// Called is the rule as a person of the story would call it.
func (r *Rule) Called() string { return "LB rule " + r.Name }

// ListedName is the rule's name as the API lists it.
func (r *Rule) ListedName() string { return r.listedName }

// DeletedAlone says whether the rule was deleted, and neither its network nor its account.
func (r *Rule) DeletedAlone() bool {
	return !r.Deleted.IsZero() && !r.Network.ended && !r.Account.ended
}
