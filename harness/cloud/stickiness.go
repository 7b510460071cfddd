package cloud

import (
	"context"
	"encoding/json"
)

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
func (c *Client) CreateStickinessPolicy(ctx context.Context, s StickinessSpec) (*Creating[StickinessPolicies], error) {
	p := Params{"lbruleid": s.LBRuleID, "name": s.Name, "methodname": s.MethodName}
	p.set("description", s.Description)
	p.pairs("param", s.Params)
	return create(ctx, c, "createLBStickinessPolicy", p, func(ctx context.Context) (bool, string, error) {
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
func (c *Client) DeleteStickinessPolicy(ctx context.Context, id string) error {
	_, err := c.Job(ctx, "deleteLBStickinessPolicy", Params{"id": id}, nil)
	return err
}

// ListStickinessPolicies lists the policies of a rule, those that are going (State Revoked) included.
func (c *Client) ListStickinessPolicies(ctx context.Context, lbRuleID string) ([]StickinessPolicy, error) {
	s, err := c.stickiness(ctx, lbRuleID)
	if err != nil {
		return nil, err
	}
	return s.Policies, nil
}

func (c *Client) stickiness(ctx context.Context, lbRuleID string) (*StickinessPolicies, error) {
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
