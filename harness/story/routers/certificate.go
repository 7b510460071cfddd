package routers

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// ExpectTLS expects that the rule's port speaks TLS with its certificate, whatever name a client asks for, and answers
// nobody who speaks plain text.
func (t ClientLooks) ExpectTLS(r *objects.Rule) {
	defer t.Step("TLS of %s", r.Name)()
	t.Checked(1)
	for _, name := range []string{objects.ServerName, ""} {
		shown, err := t.shake(r, name)
		switch {
		case err != nil:
			t.Find(result.Finding{Class: result.WrongProtocol, Subject: r.Called(), Says: fmt.Sprintf(
				"%s has a certificate, but clients do not get a TLS connection (server name %q): %v", r.Called(), name,
				err)})
		case !bytes.Equal(shown, r.Certificate().Shown()):
			t.Find(result.Finding{Class: result.WrongCertificate, Subject: r.Called(), Says: fmt.Sprintf(
				"%s shows its clients another certificate than it has (server name %q)", r.Called(), name)})
		}
	}
	if home, plain := t.plain(r); plain {
		t.Find(result.Finding{Class: result.PlainText, Subject: r.Called(), Says: fmt.Sprintf(
			"%s has a certificate, and %s answers a client that speaks plain text on its port", r.Called(), home)})
	}
}

// ExpectNoTLS expects that nobody speaks TLS on the rule's port any more.
func (t ClientLooks) ExpectNoTLS(r *objects.Rule) {
	defer t.Step("no TLS on %s", r.Name)()
	t.Checked(1)
	if _, err := t.shake(r, objects.ServerName); err == nil {
		t.Find(result.Finding{Class: result.WrongCertificate, Subject: r.Called(), Says: fmt.Sprintf(
			"%s has no certificate any more, and its clients still get a TLS connection", r.Called())})
	}
}

// ExpectNoPlain expects that a rule of protocol ssl without a certificate answers nobody in plain text.
func (t ClientLooks) ExpectNoPlain(r *objects.Rule) {
	defer t.Step("no plain text on %s", r.Name)()
	t.Checked(1)
	if home, plain := t.plain(r); plain {
		t.Find(result.Finding{Class: result.PlainText, Subject: r.Called(), Says: fmt.Sprintf(
			"%s has protocol ssl and no certificate, and %s answers in plain text on its port", r.Called(), home)})
	}
}

// RequirePlain makes sure that clients who speak plain text are answered where they should be: the control of
// ExpectNoPlain.
func (t ClientLooks) RequirePlain(r *objects.Rule) {
	defer t.Step("plain text on %s", r.Name)()
	if _, plain := t.plain(r); !plain {
		t.Inconclusive("%s, which has no certificate, answers no plain text either", r)
	}
}

// ExpectForwardedProto expects that a rule which ends TLS tells its members "https" and nothing else, whatever
// X-Forwarded-Proto a client sends: an application that believes the first one takes a client's word for the router's.
// The control is a rule that changes no request: its members tell the client's word.
func (t ClientLooks) ExpectForwardedProto(r, control *objects.Rule) {
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
		t.Find(result.Finding{Class: result.WrongForwarded, Subject: watch.Subject(r.Billed().Ref),
			Seen: []result.Seen{{What: SeenForwarded, Text: told}},
			Says: fmt.Sprintf("%s ends TLS, and where a client sends X-Forwarded-Proto %q itself its member is told "+
				"%q, not \"https\"", r.Called(), word, told)})
	}
}

// SeenForwarded is what forwarded headers are seen by: their values as a member gets them.
const SeenForwarded = "X-Forwarded-Proto"

// proto is what a member is told as X-Forwarded-Proto of a client that sends a word itself.
func (t ClientLooks) proto(r *objects.Rule, word string, secure bool) (string, error) {
	c, err := t.connect(r, t.site.Routers.Clients()[0])
	if err != nil {
		return "", err
	}
	defer func() { _ = c.conn.Close() }() // the other side may have closed it
	if secure {
		if _, err := t.secure(c, objects.ServerName); err != nil {
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
func (t ClientLooks) shake(r *objects.Rule, name string) ([]byte, error) {
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
func (t ClientLooks) plain(r *objects.Rule) (home string, answered bool) {
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
func (t RouterLooks) ExpectKeysHidden(r *objects.Rule) {
	defer t.Step("private keys in the management log")()
	t.Checked(1)
	seen, carried := 0, 0
	for _, p := range t.on.Pushes(r.Network.Router()) {
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
		t.Find(result.Finding{Class: result.SecretLogged, Subject: r.Called(), Says: fmt.Sprintf("the management log "+
			"shows the private key of the certificate of %s, in %d of the %d pushes that carry it", r.Called(), seen,
			carried)})
	}
}
