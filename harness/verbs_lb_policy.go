package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Policy is what a stickiness policy is created with. A flag has any value: presence counts.
type Policy struct {
	Method string
	Params map[string]string
}

// SourcePolicy is a source policy of its own size and expiry; empty words leave the parameter out.
func SourcePolicy(tablesize, expire string) Policy {
	p := Policy{Method: "SourceBased", Params: map[string]string{}}
	if tablesize != "" {
		p.Params["tablesize"] = tablesize
	}
	if expire != "" {
		p.Params["expire"] = expire
	}
	return p
}

// CookiePolicy has HAProxy insert a cookie of that name.
func CookiePolicy(name string) Policy {
	return Policy{Method: "LbCookie", Params: map[string]string{"cookie-name": name, "mode": "insert", "indirect": "true"}}
}

// AppCookiePolicy follows an application's cookie: a directive that HAProxy has not known since 1.6 (#3253).
func AppCookiePolicy(name string) Policy {
	return Policy{Method: "AppCookie", Params: map[string]string{"cookie-name": name, "length": "52", "holdtime": "3h"}}
}

func (p Policy) String() string { return fmt.Sprintf("%s %v", p.Method, p.Params) }

// Give gives the rule a policy; a former one is replaced.
func (r *Rule) Give(p Policy) {
	if refusal := r.TryGive(p); refusal != nil {
		r.t.Inconclusive("createLBStickinessPolicy %s on %s was refused: %v", p, r, refusal)
	}
}

// TryGive is Give for what may be refused: the refusal, or nil.
func (r *Rule) TryGive(p Policy) *cloud.Error {
	defer r.t.step("%s stickiness on %s", p.Method, r.Name)()
	made, err := r.Cloud.CreateStickinessPolicy(r.t.ctx, cloud.StickinessSpec{LBRuleID: r.ID, Name: r.t.unique("sticky"), MethodName: p.Method, Params: p.Params})
	if err == nil {
		_, err = made.Wait(r.t.ctx)
	}
	if refusal := r.t.refusal(err, "createLBStickinessPolicy on %s", r); refusal != nil {
		return refusal
	}
	r.Policy = made.ID
	return nil
}

// SetAlgorithm changes the algorithm, passed on as typed.
func (r *Rule) SetAlgorithm(algorithm string) {
	defer r.t.step("algorithm %s on %s", algorithm, r.Name)()
	_, err := r.Cloud.UpdateLoadBalancerRule(r.t.ctx, r.ID, cloud.Params{"algorithm": algorithm})
	r.t.must(err, "changing the algorithm of %s", r)
	r.Algorithm = algorithm
}

// TryDelete deletes the rule, which may be refused: the refusal, or nil.
func (r *Rule) TryDelete() *cloud.Error {
	defer r.t.step("delete %s", r.Name)()
	return r.t.refusal(r.Cloud.DeleteLoadBalancerRule(r.t.ctx, r.ID), "deleting %s", r)
}

// refusal is the server's refusal of a call or job; nil when it was carried out. Any other error ends the scenario.
func (t *T) refusal(err error, format string, a ...any) *cloud.Error {
	var refused *cloud.Error
	if errors.As(err, &refused) {
		return refused
	}
	t.must(err, format, a...)
	return nil
}

// LoadBalancerFor creates a rule for clients of some networks only.
func (n *Network) LoadBalancerFor(name string, cidrs ...string) *Rule {
	defer n.t.step("LB rule %s for %v", name, cidrs)()
	ip := n.sharedAddress()
	r := &Rule{Account: n.Account, Network: n, Address: ip, Name: name, Algorithm: "roundrobin", Port: ip.nextPort}
	ip.nextPort++
	full := n.t.unique("lb-" + name)
	shut := false
	r.ID, r.InternalID, _ = made(n.Account, "lb rule", full, "cloud.firewall_rules", func(ctx context.Context) (*cloud.Creating[cloud.LoadBalancerRule], error) {
		return n.Cloud.CreateLoadBalancerRule(ctx, cloud.LoadBalancerRuleSpec{Name: full, Algorithm: r.Algorithm, PublicIPID: ip.ID, NetworkID: n.ID,
			PublicPort: r.Port, PrivatePort: privatePort, OpenFirewall: &shut, CIDRs: cidrs})
	})
	n.t.watch.born(r)
	return r
}
