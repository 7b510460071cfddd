package cloud

import "context"

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
func (c *Client) CreateInternalLoadBalancer(ctx context.Context,
	s InternalLoadBalancerSpec) (*Creating[InternalLoadBalancer], error) {
	p := Params{"name": s.Name, "algorithm": s.Algorithm, "networkid": s.NetworkID,
		"sourceipaddressnetworkid": s.NetworkID,
		"sourceport":               s.SourcePort, "instanceport": s.InstancePort, "scheme": "Internal"}
	p.set("sourceipaddress", s.SourceIP)
	look := lookFor(c.ListInternalLoadBalancers, Params{"networkid": s.NetworkID},
		func(b *InternalLoadBalancer) (string, bool) { return b.ID, b.Name == s.Name })
	return create(ctx, c, "createLoadBalancer", p, look, one(c.ListInternalLoadBalancers, "listLoadBalancers", "id"))
}

// ListInternalLoadBalancers calls listLoadBalancers.
func (c *Client) ListInternalLoadBalancers(ctx context.Context, filter Params) ([]*InternalLoadBalancer, error) {
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
func (c *Client) ListBalancerVMs(ctx context.Context, filter Params) ([]*BalancerVM, error) {
	var answer struct {
		Count int           `json:"count"`
		All   []*BalancerVM `json:"internalloadbalancervm"`
	}
	if err := c.Call(ctx, "listInternalLoadBalancerVMs", everywhere(filter), &answer); err != nil {
		return nil, err
	}
	return listed("listInternalLoadBalancerVMs", answer.Count, answer.All)
}
