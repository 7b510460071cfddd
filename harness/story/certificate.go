package story

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
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
	pair, err := selfsigned.Make(serverName, t.now())
	t.Must(err, "making a certificate")
	name := t.Unique("cert")
	entry := t.intend("certificate", name, a.Name)
	var answer struct{ SSLCert struct{ ID string } }
	p := cloud.Params{"name": name, "certificate": pair.Cert, "privatekey": pair.Key, "enabledrevocationcheck": false}
	if t.site.Disposable { // a server may refuse a chain that ends in what nobody trusts
		p["certchain"] = pair.Cert
	}
	t.Must(a.Cloud.Call(t.ctx, "uploadSslCert", p, &answer), "uploadSslCert")
	c := &Certificate{a.own(), answer.SSLCert.ID, pair.DER}
	t.created(entry, c.ID, 0)
	t.OnRemove("certificate "+name, func(ctx context.Context) error {
		return t.removed(c.ID, a.Cloud.Call(ctx, "deleteSslCert", cloud.Params{"id": c.ID}, nil))
	})
	return c
}

// serverName is what certificates are made for.
const serverName = "stackproof.invalid"

// RoutersEndTLS says whether virtual routers of the target's release take certificates (#11468).
func (t *T) RoutersEndTLS() bool { return t.HasParameter("assignCertToLoadBalancer", "forced") }

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
	_, err := r.Account.Cloud.Job(t.ctx, "assignCertToLoadBalancer",
		cloud.Params{"lbruleid": r.ID, "certid": c.ID, "forced": true}, nil)
	refusal := t.refusal(err, "assignCertToLoadBalancer on %s", r)
	if refusal == nil {
		if r.certificate == nil { // a certificate that is on a rule cannot be deleted
			t.OnRemove("certificate of "+r.Name, func(ctx context.Context) error { return r.uncertify(ctx) })
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
	pending, err := r.Account.Cloud.Start(t.ctx, command, params, nil)
	t.Must(err, "%s of %s", command, r)
	t.until("the first push of "+command, time.Minute, 50*time.Millisecond, func() (bool, string) {
		n, jobs := t.PushCount(r.Network)-before, r.Account.begun(event)-begun
		return n > 0 || t.site.Journal != nil && jobs > 0, fmt.Sprintf("%d pushes, %d jobs", n, jobs)
	})
	slow.Turn(failing, 1)
	_, err = pending.Wait(t.ctx, nil)
	refusal := t.refusal(err, "%s of %s", command, r)
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
	for _, e := range a.events(event) {
		if e.State == "Started" {
			started++
		}
	}
	return started
}

// Uncertify takes the rule's certificate off.
func (r *Rule) Uncertify() {
	defer r.t.Step("no certificate on %s", r.Name)()
	r.t.Must(r.uncertify(r.t.ctx), "removeCertFromLoadBalancer on %s", r)
}

func (r *Rule) uncertify(ctx context.Context) error {
	if r.certificate == nil || !r.Deleted.IsZero() {
		return nil
	}
	_, err := r.Account.Cloud.Job(ctx, "removeCertFromLoadBalancer", cloud.Params{"lbruleid": r.ID}, nil)
	if err == nil {
		r.certificate = nil
	}
	return err
}

// ExpectBound expects that the API lists a certificate on the rule; nil for none.
func (t Answers) ExpectBound(r *Rule, c *Certificate) {
	defer t.Step("certificate of %s as listed", r.Name)()
	t.Checked(1)
	want := "none"
	if c != nil {
		want = c.ID
	}
	if got := t.bound(r); want != got {
		t.Find(result.Finding{Class: result.WrongCertificate, Subject: r.called(), Says: fmt.Sprintf(
			"%s has another certificate than it should have: listSslCerts shows %s, not %s", r.called(), got, want)})
	}
}

// RequireBound makes sure that rules have a certificate before it is changed.
func (t Answers) RequireBound(c *Certificate, rules ...*Rule) {
	defer t.Step("certificate of %s as listed", names(rules))()
	for _, r := range rules {
		if got := t.bound(r); got != c.ID {
			t.Inconclusive("%s was given certificate %s, and listSslCerts shows %s", r, c.ID, got)
		}
	}
}

// bound is the certificate that the API lists on a rule.
func (t Answers) bound(r *Rule) string {
	var answer struct{ SSLCert []struct{ ID string } }
	t.Must(r.Account.Cloud.Call(t.ctx, "listSslCerts", cloud.Params{"lbruleid": r.ID}, &answer), "listSslCerts")
	if len(answer.SSLCert) == 0 {
		return "none"
	}
	return answer.SSLCert[0].ID
}

// ExpectTLS expects that the rule's port speaks TLS with its certificate, whatever name a client asks for, and answers
// nobody who speaks plain text.
func (t ClientLooks) ExpectTLS(r *Rule) {
	defer t.Step("TLS of %s", r.Name)()
	t.Checked(1)
	for _, name := range []string{serverName, ""} {
		shown, err := t.shake(r, name)
		switch {
		case err != nil:
			t.Find(result.Finding{Class: result.WrongProtocol, Subject: r.called(), Says: fmt.Sprintf(
				"%s has a certificate, but clients do not get a TLS connection (server name %q): %v", r.called(), name,
				err)})
		case !bytes.Equal(shown, r.certificate.der):
			t.Find(result.Finding{Class: result.WrongCertificate, Subject: r.called(), Says: fmt.Sprintf(
				"%s shows its clients another certificate than it has (server name %q)", r.called(), name)})
		}
	}
	if home, plain := t.plain(r); plain {
		t.Find(result.Finding{Class: result.PlainText, Subject: r.called(), Says: fmt.Sprintf(
			"%s has a certificate, and %s answers a client that speaks plain text on its port", r.called(), home)})
	}
}

// ExpectNoTLS expects that nobody speaks TLS on the rule's port any more.
func (t ClientLooks) ExpectNoTLS(r *Rule) {
	defer t.Step("no TLS on %s", r.Name)()
	t.Checked(1)
	if _, err := t.shake(r, serverName); err == nil {
		t.Find(result.Finding{Class: result.WrongCertificate, Subject: r.called(), Says: fmt.Sprintf(
			"%s has no certificate any more, and its clients still get a TLS connection", r.called())})
	}
}

// ExpectNoPlain expects that a rule of protocol ssl without a certificate answers nobody in plain text.
func (t ClientLooks) ExpectNoPlain(r *Rule) {
	defer t.Step("no plain text on %s", r.Name)()
	t.Checked(1)
	if home, plain := t.plain(r); plain {
		t.Find(result.Finding{Class: result.PlainText, Subject: r.called(), Says: fmt.Sprintf(
			"%s has protocol ssl and no certificate, and %s answers in plain text on its port", r.called(), home)})
	}
}

// RequirePlain makes sure that clients who speak plain text are answered where they should be: the control of
// ExpectNoPlain.
func (t ClientLooks) RequirePlain(r *Rule) {
	defer t.Step("plain text on %s", r.Name)()
	if _, plain := t.plain(r); !plain {
		t.Inconclusive("%s, which has no certificate, answers no plain text either", r)
	}
}

// ExpectForwardedProto expects that a rule which ends TLS tells its members "https" and nothing else, whatever
// X-Forwarded-Proto a client sends: an application that believes the first one takes a client's word for the router's.
// The control is a rule that changes no request: its members tell the client's word.
func (t ClientLooks) ExpectForwardedProto(r, control *Rule) {
	defer t.Step("X-Forwarded-Proto of %s", r.Name)()
	t.Checked(1)
	const word = "http"
	told, err := t.proto(control, word, false)
	if err != nil {
		t.Inconclusive("a request to %s: %v", control, err)
	}
	if told != word {
		t.Inconclusive("the member of %s was told X-Forwarded-Proto %q by a client that sent %q", control, told, word)
	}
	if told, err = t.proto(r, word, true); err != nil {
		t.Inconclusive("a request over TLS to %s: %v", r, err)
	}
	if told != "https" {
		t.Find(result.Finding{Class: result.WrongForwarded, Subject: subject(r.Billed().Ref),
			Seen: []result.Seen{{What: SeenForwarded, Text: told}},
			Says: fmt.Sprintf("%s ends TLS, and where a client sends X-Forwarded-Proto %q itself its member is told "+
				"%q, not \"https\"", r.called(), word, told)})
	}
}

// SeenForwarded is what forwarded headers are seen by: their values as a member gets them.
const SeenForwarded = "X-Forwarded-Proto"

// proto is what a member is told as X-Forwarded-Proto of a client that sends a word itself.
func (t ClientLooks) proto(r *Rule, word string, secure bool) (string, error) {
	c, err := t.connect(r, t.site.Routers.Clients()[0])
	if err != nil {
		return "", err
	}
	defer func() { _ = c.conn.Close() }() // the other side may have closed it
	if secure {
		if _, err := t.secure(c, serverName); err != nil {
			return "", err
		}
	}
	body, err := c.get(r, "X-Forwarded-Proto: "+word+"\r\n")
	for line := range strings.Lines(string(body)) {
		if told, ok := strings.CutPrefix(line, "proto "); ok {
			return strings.TrimSpace(told), err
		}
	}
	return "", err
}

// shake opens a TLS connection to the rule and gives the certificate that it was shown.
func (t ClientLooks) shake(r *Rule, name string) ([]byte, error) {
	c, err := t.connect(r, t.site.Routers.Clients()[0])
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.conn.Close() }() // the other side may have closed it
	return t.secure(c, name)
}

// secure has a client's connection speak TLS from now on and gives the certificate that it was shown.
func (t ClientLooks) secure(c *client, name string) ([]byte, error) {
	secured := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true, ServerName: name})
	if err := c.conn.SetDeadline(time.Now().Add(requestTime)); err != nil {
		return nil, err
	}
	if err := secured.HandshakeContext(t.ctx); err != nil {
		return nil, err
	}
	c.conn, c.in = secured, bufio.NewReader(secured)
	return secured.ConnectionState().PeerCertificates[0].Raw, nil
}

// plain says whether a backend answers a client that speaks plain text, and which.
func (t ClientLooks) plain(r *Rule) (home string, answered bool) {
	c, err := t.connect(r, t.site.Routers.Clients()[0])
	if err == nil {
		err = c.ask(r)
		_ = c.conn.Close() // the other side may have closed it
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Inconclusive("%s neither answers nor refuses plain text within %s: %v", r, requestTime, err)
	}
	if err != nil {
		return "", false
	}
	return c.home, true
}

// ExpectKeysHidden expects that no push which a rule's router was sent shows a private key in the management log. It
// says where, and never what.
func (t RouterLooks) ExpectKeysHidden(r *Rule) {
	defer t.Step("private keys in the management log")()
	t.Checked(1)
	pushes, err := t.site.Pushes.Of(t.ctx, r.Network.Router())
	t.Must(err, "reading the pushes of router %s", r.Network.Router())
	seen, carried := 0, 0
	for _, p := range pushes {
		for _, lb := range p.LoadBalancers {
			if lb.UUID != r.ID || lb.Certificate == nil {
				continue
			}
			if carried++; lb.Certificate.KeyLogged {
				seen++
			}
		}
	}
	switch {
	case carried == 0:
		t.Inconclusive("no push to router %s carries the certificate of %s", r.Network.Router(), r)
	case seen > 0:
		t.Find(result.Finding{Class: result.SecretLogged, Subject: r.called(), Says: fmt.Sprintf("the management log "+
			"shows the private key of the certificate of %s, in %d of the %d pushes that carry it", r.called(), seen,
			carried)})
	}
}
