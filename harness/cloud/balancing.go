package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Balancing are the calls about load balancer rules, their members and stickiness policies, and about internal load
// balancing.
type Balancing struct{ *caller }

// LoadBalancerRuleSpec is what createLoadBalancerRule takes.
type LoadBalancerRuleSpec struct {
	Owner
	Name                    string // unique on the address, so that a create whose answer was lost can be looked for
	Algorithm               string // roundrobin, leastconn, source
	PublicIPID              string
	NetworkID               string // needed for a VPC tier
	PublicPort, PrivatePort int
	Protocol                string // tcp, udp, tcp-proxy, ssl; empty is tcp
	CIDRs                   []string
	OpenFirewall            *bool
}

// CreateLoadBalancerRule starts the creation of a rule.
func (c Balancing) CreateLoadBalancerRule(ctx context.Context, s LoadBalancerRuleSpec) (*Creating[LoadBalancerRule],
	error) {
	p := Params{"name": s.Name, "algorithm": s.Algorithm, "publicport": s.PublicPort, "privateport": s.PrivatePort}
	s.params(p).set("publicipid", s.PublicIPID).set("networkid", s.NetworkID).set("protocol",
		s.Protocol).set("cidrlist", s.CIDRs).set("openfirewall", s.OpenFirewall)
	look := lookFor(c.ListLoadBalancerRules, Params{}.set("publicipid", s.PublicIPID),
		func(r *LoadBalancerRule) (string, bool) { return r.Id, r.Name == s.Name })
	return create(ctx, c.caller, "createLoadBalancerRule", p, look,
		one(c.ListLoadBalancerRules, "listLoadBalancerRules", "id"))
}

// UpdateLoadBalancerRule changes algorithm, name, description or protocol, by the command's own names.
func (c Balancing) UpdateLoadBalancerRule(ctx context.Context, id string, change Params) (*LoadBalancerRule, error) {
	return changed[LoadBalancerRule](ctx, c.caller, "updateLoadBalancerRule", id, change)
}

// DeleteLoadBalancerRule deletes a rule.
func (c Balancing) DeleteLoadBalancerRule(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteLoadBalancerRule", id, nil)
}

// AssignToLoadBalancerRule puts VMs behind a rule, with one push for all.
func (c Balancing) AssignToLoadBalancerRule(ctx context.Context, id string, vmIDs ...string) error {
	pending, err := c.Start(ctx, "assignToLoadBalancerRule", Params{"id": id, "virtualmachineids": vmIDs},
		func(ctx context.Context) (bool, string, error) {
			got, err := c.ListLoadBalancerRuleInstances(ctx, id)
			return allOf(got, vmIDs), id, err
		})
	if err != nil {
		return err
	}
	_, err = pending.Wait(ctx, nil)
	return err
}

// allOf says whether all VMs are among those.
func allOf(got []*VirtualMachine, ids []string) bool {
	for _, id := range ids {
		if !slices.ContainsFunc(got, func(v *VirtualMachine) bool { return v.Id == id }) {
			return false
		}
	}
	return true
}

// RemoveFromLoadBalancerRule takes VMs away from a rule.
func (c Balancing) RemoveFromLoadBalancerRule(ctx context.Context, id string, vmIDs ...string) error {
	pending, err := c.Start(ctx, "removeFromLoadBalancerRule", Params{"id": id, "virtualmachineids": vmIDs},
		func(ctx context.Context) (bool, string, error) {
			got, err := c.ListLoadBalancerRuleInstances(ctx, id)
			gone := !slices.ContainsFunc(got, func(v *VirtualMachine) bool { return slices.Contains(vmIDs, v.Id) })
			return gone, id, err
		})
	if err != nil {
		return err
	}
	_, err = pending.Wait(ctx, nil)
	return err
}

// Member is a VM behind a rule with the guest addresses that are balanced to.
type Member struct {
	VM  VirtualMachine
	IPs []string
}

// ListLoadBalancerRuleMembers is listLoadBalancerRuleInstances with lbvmips=true, which answers under another key.
func (c Balancing) ListLoadBalancerRuleMembers(ctx context.Context, lbRuleID string) ([]Member, error) {
	const command = "listLoadBalancerRuleInstances"
	s := c.Library(ctx, Params{"lbvmips": true}).LoadBalancer
	r, err := s.ListLoadBalancerRuleInstances(s.NewListLoadBalancerRuleInstancesParams(lbRuleID))
	if err != nil {
		return nil, plain(err)
	}
	got, err := listed(command, r.Count, r.LBRuleVMIDIPs)
	if err != nil {
		return nil, err
	}
	members := make([]Member, len(got))
	for i, m := range got {
		if m.Loadbalancerruleinstance == nil {
			return nil, unexpected(command, "a VM per member", json.RawMessage(fmt.Sprintf("%+v", m)))
		}
		members[i] = Member{VM: *m.Loadbalancerruleinstance, IPs: m.Lbvmipaddresses}
	}
	return members, nil
}

// StickinessPolicy is one policy of a load balancer rule.
type StickinessPolicy struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	MethodName  string            `json:"methodname"` // SourceBased, LbCookie, AppCookie
	Description string            `json:"description"`
	State       string            `json:"state"` // empty for a live policy, Revoked for one that is going
	ForDisplay  bool              `json:"fordisplay"`
	Params      map[string]string `json:"params"`
}

// StickinessPolicies is the list object: the policies of one rule. There is always one, even when Policies is empty.
type StickinessPolicies struct {
	LBRuleID    string             `json:"lbruleid"`
	Name        string             `json:"name"`
	Description string             `json:"description"`
	Account     string             `json:"account"`
	Domain      string             `json:"domain"`
	DomainID    string             `json:"domainid"`
	State       string             `json:"state"`
	ZoneID      string             `json:"zoneid"`
	Policies    []StickinessPolicy `json:"stickinesspolicy"`
}

// StickinessSpec is what createLBStickinessPolicy takes.
type StickinessSpec struct {
	LBRuleID    string
	Name        string
	MethodName  string
	Description string
	// Params are the method's own, for instance tablesize and expire of SourceBased.
	Params map[string]string
}

// CreateStickinessPolicy starts the creation of a policy. CloudStack keeps one policy per rule: a second create
// replaces the first.
func (c Balancing) CreateStickinessPolicy(ctx context.Context, s StickinessSpec) (*Creating[StickinessPolicies],
	error) {
	p := Params{"lbruleid": s.LBRuleID, "name": s.Name, "methodname": s.MethodName}
	p.set("description", s.Description)
	p.pairs("param", s.Params)
	return create(ctx, c.caller, "createLBStickinessPolicy", p, func(ctx context.Context) (bool, string, error) {
		policies, err := c.ListStickinessPolicies(ctx, s.LBRuleID)
		for _, x := range policies {
			if x.Name == s.Name && x.MethodName == s.MethodName && x.State != "Revoked" {
				return true, x.ID, nil
			}
		}
		return false, "", err
	}, func(ctx context.Context, _ string) (*StickinessPolicies, error) { return c.stickiness(ctx, s.LBRuleID) })
}

// DeleteStickinessPolicy deletes a policy and waits for the job.
func (c Balancing) DeleteStickinessPolicy(ctx context.Context, id string) error {
	_, err := c.Job(ctx, "deleteLBStickinessPolicy", Params{"id": id}, nil)
	return err
}

// ListStickinessPolicies lists the policies of a rule, those that are going (State Revoked) included.
func (c Balancing) ListStickinessPolicies(ctx context.Context, lbRuleID string) ([]StickinessPolicy, error) {
	s, err := c.stickiness(ctx, lbRuleID)
	if err != nil {
		return nil, err
	}
	return s.Policies, nil
}

func (c Balancing) stickiness(ctx context.Context, lbRuleID string) (*StickinessPolicies, error) {
	const command = "listLBStickinessPolicies"
	inner, err := c.raw(ctx, command, Params{"lbruleid": lbRuleID}, c.opts.Retries)
	if err != nil {
		return nil, err
	}
	return stickinessOf(command, inner)
}

// stickinessOf reads the list. A rule's list without its one object is an error and not "no policy": a scenario that
// asserts that a policy is gone would pass on it.
func stickinessOf(command string, inner json.RawMessage) (*StickinessPolicies, error) {
	var list struct {
		Policies []StickinessPolicies `json:"stickinesspolicies"`
	}
	if err := decode(command, inner, &list); err != nil {
		return nil, err
	}
	if len(list.Policies) != 1 {
		return nil, unexpected(command, "one stickinesspolicies object", inner)
	}
	return &list.Policies[0], nil
}

// InternalLoadBalancer is a rule on an address of its own tier, as createLoadBalancer makes it.
type InternalLoadBalancer struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Algorithm string `json:"algorithm"`
	NetworkID string `json:"networkid"`
	SourceIP  string `json:"sourceipaddress"`
	Rules     []struct {
		State        string `json:"state"`
		SourcePort   int    `json:"sourceport"`
		InstancePort int    `json:"instanceport"`
	} `json:"loadbalancerrule"`
}

// InternalLoadBalancerSpec is what createLoadBalancer takes; without a SourceIP the server chooses an address of the
// network.
type InternalLoadBalancerSpec struct {
	Name, Algorithm, NetworkID, SourceIP string
	SourcePort, InstancePort             int
}

// CreateInternalLoadBalancer calls createLoadBalancer with scheme Internal.
func (c Balancing) CreateInternalLoadBalancer(ctx context.Context,
	s InternalLoadBalancerSpec) (*Creating[InternalLoadBalancer], error) {
	p := Params{"name": s.Name, "algorithm": s.Algorithm, "networkid": s.NetworkID,
		"sourceipaddressnetworkid": s.NetworkID,
		"sourceport":               s.SourcePort, "instanceport": s.InstancePort, "scheme": "Internal"}
	p.set("sourceipaddress", s.SourceIP)
	look := lookFor(c.ListInternalLoadBalancers, Params{"networkid": s.NetworkID},
		func(b *InternalLoadBalancer) (string, bool) { return b.ID, b.Name == s.Name })
	return create(ctx, c.caller, "createLoadBalancer", p, look,
		one(c.ListInternalLoadBalancers, "listLoadBalancers", "id"))
}

// DeleteInternalLoadBalancer calls deleteLoadBalancer.
func (c Balancing) DeleteInternalLoadBalancer(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteLoadBalancer", id, nil)
}

// ListInternalLoadBalancers calls listLoadBalancers.
func (c Balancing) ListInternalLoadBalancers(ctx context.Context, filter Params) ([]*InternalLoadBalancer, error) {
	var answer struct {
		Count int                     `json:"count"`
		All   []*InternalLoadBalancer `json:"loadbalancer"`
	}
	if err := c.Call(ctx, "listLoadBalancers", everywhere(filter), &answer); err != nil {
		return nil, err
	}
	return listed("listLoadBalancers", answer.Count, answer.All)
}

// BalancerVM is a VM that carries out the rules of one internal address.
type BalancerVM struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"`
}

// ListBalancerVMs calls listInternalLoadBalancerVMs, which is an administrator's.
func (c Balancing) ListBalancerVMs(ctx context.Context, filter Params) ([]*BalancerVM, error) {
	var answer struct {
		Count int           `json:"count"`
		All   []*BalancerVM `json:"internalloadbalancervm"`
	}
	if err := c.Call(ctx, "listInternalLoadBalancerVMs", everywhere(filter), &answer); err != nil {
		return nil, err
	}
	return listed("listInternalLoadBalancerVMs", answer.Count, answer.All)
}

// ListLoadBalancerRules calls listLoadBalancerRules.
func (c Balancing) ListLoadBalancerRules(ctx context.Context, filter Params) ([]*LoadBalancerRule, error) {
	return list[LoadBalancerRule](ctx, c.caller, "listLoadBalancerRules", "loadbalancerrule", everywhere(filter))
}

// ListLoadBalancerRuleInstances lists the VMs that are assigned to a rule.
func (c Balancing) ListLoadBalancerRuleInstances(ctx context.Context, lbRuleID string) ([]*VirtualMachine, error) {
	s := c.Library(ctx, nil).LoadBalancer
	r, err := s.ListLoadBalancerRuleInstances(s.NewListLoadBalancerRuleInstancesParams(lbRuleID))
	if err != nil {
		return nil, plain(err)
	}
	return listed("listLoadBalancerRuleInstances", r.Count, r.LoadBalancerRuleInstances)
}
