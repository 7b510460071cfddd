package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Owner names the account that an object is made for; empty is the caller's.
type Owner struct{ Account, DomainID string }

func (o Owner) params(p Params) Params {
	return p.set("account", o.Account).set("domainid", o.DomainID)
}

// own lists the owner's objects and nobody else's, whoever the caller is.
func (o Owner) own() Params {
	if o.Account != "" {
		return o.params(Params{"listall": true})
	}
	return Params{"listall": false}
}

// one reads one object by its id.
func one[T any](list func(context.Context, Params) ([]*T, error), command, field string) func(context.Context,
	string) (*T, error) {
	return func(ctx context.Context, id string) (*T, error) {
		got, err := list(ctx, Params{field: id})
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("%s: %s %s: %d objects", command, field, id, len(got))
		}
		if err != nil {
			return nil, err
		}
		return got[0], nil
	}
}

// lookFor is a Look over a list.
func lookFor[T any](list func(context.Context, Params) ([]*T, error), filter Params, is func(*T) (string, bool)) Look {
	return func(ctx context.Context) (bool, string, error) {
		got, err := list(ctx, filter)
		for _, x := range got {
			if id, ok := is(x); ok {
				return true, id, nil
			}
		}
		return false, "", err
	}
}

// createNow makes a synchronous create. A lost answer is decided as in Start.
func createNow[T any](ctx context.Context, c *Client, command string, p Params, look Look,
	read func(context.Context, string) (*T, error)) (*T, error) {
	var object T
	id, err := c.certainly(ctx, command, look, func() error { return c.object(ctx, command, p, &object) })
	if err != nil {
		return nil, err
	}
	if id != "" {
		return read(ctx, id)
	}
	return &object, nil
}

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
func (c *Client) CreateLoadBalancerRule(ctx context.Context, s LoadBalancerRuleSpec) (*Creating[LoadBalancerRule],
	error) {
	p := Params{"name": s.Name, "algorithm": s.Algorithm, "publicport": s.PublicPort, "privateport": s.PrivatePort}
	s.params(p).set("publicipid", s.PublicIPID).set("networkid", s.NetworkID).set("protocol",
		s.Protocol).set("cidrlist", s.CIDRs).set("openfirewall", s.OpenFirewall)
	look := lookFor(c.ListLoadBalancerRules, Params{}.set("publicipid", s.PublicIPID),
		func(r *LoadBalancerRule) (string, bool) { return r.Id, r.Name == s.Name })
	return create(ctx, c, "createLoadBalancerRule", p, look, one(c.ListLoadBalancerRules, "listLoadBalancerRules",
		"id"))
}

// UpdateLoadBalancerRule changes algorithm, name, description or protocol, by the command's own names.
func (c *Client) UpdateLoadBalancerRule(ctx context.Context, id string, change Params) (*LoadBalancerRule, error) {
	return changed[LoadBalancerRule](ctx, c, "updateLoadBalancerRule", id, change)
}

// changed makes an asynchronous change of the object id and returns the object of the job's result.
func changed[T any](ctx context.Context, c *Client, command, id string, change Params) (*T, error) {
	p := Params{"id": id}
	for k, v := range change {
		p[k] = v
	}
	var object T
	if _, err := c.Job(ctx, command, p, &object); err != nil {
		return nil, err
	}
	return &object, nil
}

// finish makes an asynchronous call on the object id and waits for its success.
func (c *Client) finish(ctx context.Context, command, id string, more Params) error {
	p := Params{"id": id}
	for k, v := range more {
		p[k] = v
	}
	_, err := c.Job(ctx, command, p, nil)
	return err
}

// unseen is a Look over objects without names: one that fits and that no answer has told of.
func unseen[T any](c *Client, list func(context.Context, Params) ([]*T, error), filter Params,
	is func(*T) (string, bool)) Look {
	return lookFor(list, filter, func(x *T) (string, bool) {
		id, ok := is(x)
		return id, ok && !c.seen.has(id)
	})
}

// DeleteLoadBalancerRule deletes a rule.
func (c *Client) DeleteLoadBalancerRule(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteLoadBalancerRule", id, nil)
}

// AssignToLoadBalancerRule puts VMs behind a rule, with one push for all.
func (c *Client) AssignToLoadBalancerRule(ctx context.Context, id string, vmIDs ...string) error {
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
func (c *Client) RemoveFromLoadBalancerRule(ctx context.Context, id string, vmIDs ...string) error {
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
func (c *Client) ListLoadBalancerRuleMembers(ctx context.Context, lbRuleID string) ([]Member, error) {
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
