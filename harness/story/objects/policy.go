package objects

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
)

// TryToggle is Toggle for what may be refused: the refusal, or nil.
func (r *Rule) TryToggle() *cloud.Error {
	if r.Policy == "" {
		return r.TryGive(Policy{Method: "SourceBased", Params: sourcePolicy()})
	}
	defer r.t.Step("no stickiness on %s", r.Name)()
	err := r.Account.Cloud.DeleteStickinessPolicy(r.t.Ctx, r.Policy)
	refusal := r.t.Refusal(err, "deleting the policy of %s", r)
	if refusal == nil {
		r.Policy = ""
	}
	return refusal
}

// Policy is what a stickiness policy is created with. A flag has any value: presence counts.
type Policy struct {
	Method string
	Params map[string]string
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
	defer r.t.Step("%s stickiness on %s", p.Method, r.Name)()
	made, err := r.Account.Cloud.CreateStickinessPolicy(r.t.Ctx, cloud.StickinessSpec{LBRuleID: r.ID,
		Name: r.t.Unique("sticky"), MethodName: p.Method, Params: p.Params})
	if err == nil {
		_, err = made.Wait(r.t.Ctx)
	}
	if refusal := r.t.Refusal(err, "createLBStickinessPolicy on %s", r); refusal != nil {
		return refusal
	}
	r.Policy = made.ID
	return nil
}

// StickTogether gives the rules the common source policy one after the other without waiting for the jobs, spacing
// apart.
func (m Making) StickTogether(spacing time.Duration, rules ...*Rule) {
	defer m.t.Step("source stickiness on %d rules, %s apart", len(rules), spacing)()
	m.t.hurried(spacing, rules, func(r *Rule) (*cloud.Pending, error) {
		made, err := r.Account.Cloud.CreateStickinessPolicy(m.t.Ctx, cloud.StickinessSpec{LBRuleID: r.ID,
			Name: m.t.Unique("sticky"), MethodName: "SourceBased", Params: sourcePolicy()})
		if err != nil {
			return nil, err
		}
		r.Policy = made.ID
		return &made.Pending, nil
	})
}

// UnstickTogether takes the policies away again in the same way.
func (m Making) UnstickTogether(spacing time.Duration, rules ...*Rule) {
	defer m.t.Step("no stickiness on %d rules, %s apart", len(rules), spacing)()
	m.t.hurried(spacing, rules, func(r *Rule) (*cloud.Pending, error) {
		id := r.Policy
		r.Policy = ""
		return r.Account.Cloud.Start(m.t.Ctx, "deleteLBStickinessPolicy", cloud.Params{"id": id}, nil)
	})
}

// hurried starts a change of each rule, spacing apart, and waits for them when all are under way.
func (t *Cast) hurried(spacing time.Duration, rules []*Rule, change func(*Rule) (*cloud.Pending, error)) {
	pending := make([]*cloud.Pending, len(rules))
	for i, r := range rules {
		if i > 0 && spacing > 0 {
			select {
			case <-time.After(spacing): // real time: the distance of two reloads is what is tried
			case <-t.Ctx.Done():
				t.Must(context.Cause(t.Ctx), "spacing calls")
			}
		}
		var err error
		pending[i], err = change(r)
		t.Must(err, "changing the policy of %s", r)
	}
	for i, p := range pending {
		_, err := p.Wait(t.Ctx, nil)
		t.Must(err, "changing the policy of %s", rules[i])
	}
}
