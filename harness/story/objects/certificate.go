package objects

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/internal/selfsigned"
)

// Certificate is one that an account uploaded.
type Certificate struct {
	owned
	ID  string
	der []byte
}

// Certificate uploads a certificate that nobody signed but itself, with a key of its own.
func (a *Account) Certificate() *Certificate {
	t := a.t
	defer t.Step("certificate")()
	pair, err := selfsigned.Make(ServerName, t.Now())
	t.Must(err, "making a certificate")
	name := t.Unique("cert")
	entry := t.intend("certificate", name, a.Name)
	var answer struct{ SSLCert struct{ ID string } }
	p := cloud.Params{"name": name, "certificate": pair.Cert, "privatekey": pair.Key, "enabledrevocationcheck": false}
	if t.Site.Disposable { // a server may refuse a chain that ends in what nobody trusts
		p["certchain"] = pair.Cert
	}
	t.Must(a.Cloud.Call(t.Ctx, "uploadSslCert", p, &answer), "uploadSslCert")
	c := &Certificate{a.own(), answer.SSLCert.ID, pair.DER}
	t.created(entry, c.ID, 0)
	t.OnRemove("certificate "+name, func(ctx context.Context) error {
		return t.removed(c.ID, a.Cloud.Call(ctx, "deleteSslCert", cloud.Params{"id": c.ID}, nil))
	})
	return c
}

// ServerName is what certificates are made for.
const ServerName = "stackproof.invalid"

// Shown is what a client is shown of it.
func (c *Certificate) Shown() []byte { return c.der }

// Certificate is what TLS ends with on the router; nil for none.
func (r *Rule) Certificate() *Certificate { return r.certificate }

// Certify puts a certificate on the rule, in the place of one that it has.
func (r *Rule) Certify(c *Certificate) {
	if refusal := r.TryCertify(c); refusal != nil {
		r.t.Inconclusive("assignCertToLoadBalancer on %s was refused: %v", r, refusal)
	}
}

// TryCertify is Certify for what may be refused: the refusal, or nil.
func (r *Rule) TryCertify(c *Certificate) *cloud.Error {
	t := r.t
	defer t.Step("certificate on %s", r.Name)()
	_, err := r.Account.Cloud.Job(t.Ctx, "assignCertToLoadBalancer",
		cloud.Params{"lbruleid": r.ID, "certid": c.ID, "forced": true}, nil)
	refusal := t.Refusal(err, "assignCertToLoadBalancer on %s", r)
	if refusal == nil {
		if r.certificate == nil { // a certificate that is on a rule cannot be deleted
			t.OnRemove("certificate of "+r.Name, func(ctx context.Context) error { return uncertify(ctx, r) })
		}
		r.certificate = c
	}
	return refusal
}

// CertifyHalfway is Certify in the place of another certificate, and the second of the two pushes that this takes
// fails: the refusal, or nil.
func (r *Rule) CertifyHalfway(c *Certificate) *cloud.Error {
	defer r.t.Step("certificate on %s, its second push fails", r.Name)()
	return halfway(r, "assignCertToLoadBalancer", "LB.CERT.ASSIGN",
		cloud.Params{"lbruleid": r.ID, "certid": c.ID, "forced": true})
}

// DeleteHalfway deletes a rule with a certificate, and the second of the two pushes that this takes fails.
func (r *Rule) DeleteHalfway() *cloud.Error {
	defer r.t.Step("delete %s, its second push fails", r.Name)()
	return halfway(r, "deleteLoadBalancerRule", "LB.DELETE", cloud.Params{"id": r.ID})
}

// secondPush is how long the first of two pushes takes, so that the fault is set before the second one.
const secondPush = time.Second

// halfway carries out a command of two pushes of which the second fails: the refusal, or nil.
func halfway(r *Rule, command, event string, params cloud.Params) *cloud.Error {
	t := r.t
	before, begun := t.PushCount(r.Network), r.Account.begun(event)
	slow := t.fail("pushes", lbCommand, fmt.Sprintf("wait:%d", secondPush.Milliseconds()), 2)
	pending, err := r.Account.Cloud.Start(t.Ctx, command, params, nil)
	t.Must(err, "%s of %s", command, r)
	t.Until("the first push of "+command, time.Minute, 50*time.Millisecond, func() (bool, string) {
		n, jobs := t.PushCount(r.Network)-before, r.Account.begun(event)-begun
		return n > 0 || t.Site.Journal != nil && jobs > 0, fmt.Sprintf("%d pushes, %d jobs", n, jobs)
	})
	slow.Turn(failing, 1)
	_, err = pending.Wait(t.Ctx, nil)
	refusal := t.Refusal(err, "%s of %s", command, r)
	if met := slow.Met(); met != 1 || refusal == nil || strings.Contains(refusal.Text, "remove certificate") {
		t.Inconclusive("%s was to fail with its second push: %d pushes failed, and it ended with %v", command, met,
			refusal)
	}
	slow.End()
	return refusal
}

// begun counts the jobs of the account that have begun, by their events. A lab shows a push when it is answered, and
// answers no call between the event and the push.
func (a *Account) begun(event string) int {
	started := 0
	for _, e := range a.Events(event) {
		if e.State == "Started" {
			started++
		}
	}
	return started
}

// Uncertify takes the rule's certificate off.
func (r *Rule) Uncertify() {
	defer r.t.Step("no certificate on %s", r.Name)()
	r.t.Must(uncertify(r.t.Ctx, r), "removeCertFromLoadBalancer on %s", r)
}

func uncertify(ctx context.Context, r *Rule) error {
	if r.certificate == nil || !r.Deleted.IsZero() {
		return nil
	}
	_, err := r.Account.Cloud.Job(ctx, "removeCertFromLoadBalancer", cloud.Params{"lbruleid": r.ID}, nil)
	if err == nil {
		r.certificate = nil
	}
	return err
}
