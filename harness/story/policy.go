package story

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
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
	return Policy{Method: "LbCookie", Params: map[string]string{"cookie-name": name, "mode": "insert",
		"indirect": "true"}}
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
	defer r.t.Step("%s stickiness on %s", p.Method, r.Name)()
	made, err := r.Account.Cloud.CreateStickinessPolicy(r.t.ctx, cloud.StickinessSpec{LBRuleID: r.ID,
		Name: r.t.Unique("sticky"), MethodName: p.Method, Params: p.Params})
	if err == nil {
		_, err = made.Wait(r.t.ctx)
	}
	if refusal := r.t.refusal(err, "createLBStickinessPolicy on %s", r); refusal != nil {
		return refusal
	}
	r.Policy = made.ID
	return nil
}

// ExpectGiven gives the rule a policy that is sound, and says whether it was taken. A refusal is a failure.
func (t Answers) ExpectGiven(r *Rule, p Policy) bool {
	t.Checked(1)
	refusal := r.TryGive(p)
	if refusal != nil {
		t.Find(result.Finding{Class: result.WrongRefusal, Subject: r.called(),
			Says: fmt.Sprintf("%s refuses a sound policy %s: %v", r.called(), p, refusal)})
	}
	return refusal == nil
}

// StickTogether gives the rules the common source policy one after the other without waiting for the jobs, spacing
// apart.
func (t *T) StickTogether(spacing time.Duration, rules ...*Rule) {
	defer t.Step("source stickiness on %d rules, %s apart", len(rules), spacing)()
	t.hurried(spacing, rules, func(r *Rule) (*cloud.Pending, error) {
		made, err := r.Account.Cloud.CreateStickinessPolicy(t.ctx, cloud.StickinessSpec{LBRuleID: r.ID,
			Name: t.Unique("sticky"), MethodName: "SourceBased", Params: sourcePolicy()})
		if err != nil {
			return nil, err
		}
		r.Policy = made.ID
		return &made.Pending, nil
	})
}

// UnstickTogether takes the policies away again in the same way.
func (t *T) UnstickTogether(spacing time.Duration, rules ...*Rule) {
	defer t.Step("no stickiness on %d rules, %s apart", len(rules), spacing)()
	t.hurried(spacing, rules, func(r *Rule) (*cloud.Pending, error) {
		id := r.Policy
		r.Policy = ""
		return r.Account.Cloud.Start(t.ctx, "deleteLBStickinessPolicy", cloud.Params{"id": id}, nil)
	})
}

// hurried starts a change of each rule, spacing apart, and waits for them when all are under way.
func (t *T) hurried(spacing time.Duration, rules []*Rule, change func(*Rule) (*cloud.Pending, error)) {
	pending := make([]*cloud.Pending, len(rules))
	for i, r := range rules {
		if i > 0 && spacing > 0 {
			select {
			case <-time.After(spacing): // real time: the distance of two reloads is what is tried
			case <-t.ctx.Done():
				t.Must(context.Cause(t.ctx), "spacing calls")
			}
		}
		var err error
		pending[i], err = change(r)
		t.Must(err, "changing the policy of %s", r)
	}
	for i, p := range pending {
		_, err := p.Wait(t.ctx, nil)
		t.Must(err, "changing the policy of %s", rules[i])
	}
}
