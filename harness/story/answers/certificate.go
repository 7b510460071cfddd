package answers

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// RoutersEndTLS says whether virtual routers of the target's release take certificates (#11468).
func (t Answers) RoutersEndTLS() bool { return t.HasParameter("assignCertToLoadBalancer", "forced") }

// ExpectBound expects that the API lists a certificate on the rule; nil for none.
func (t Answers) ExpectBound(r *objects.Rule, c *objects.Certificate) {
	defer t.Step("certificate of %s as listed", r.Name)()
	t.Checked(1)
	want := "none"
	if c != nil {
		want = c.ID
	}
	if got := t.bound(r); want != got {
		t.Find(result.Finding{Class: result.WrongCertificate, Subject: r.Called(), Says: fmt.Sprintf(
			"%s has another certificate than it should have: listSslCerts shows %s, not %s", r.Called(), got, want)})
	}
}

// RequireBound makes sure that rules have a certificate before it is changed.
func (t Answers) RequireBound(c *objects.Certificate, rules ...*objects.Rule) {
	defer t.Step("certificate of %s as listed", objects.Names(rules))()
	for _, r := range rules {
		if got := t.bound(r); got != c.ID {
			t.Inconclusive("%s was given certificate %s, and listSslCerts shows %s", r, c.ID, got)
		}
	}
}

// bound is the certificate that the API lists on a rule.
func (t Answers) bound(r *objects.Rule) string {
	var answer struct{ SSLCert []struct{ ID string } }
	t.Must(r.Account.Cloud.Call(t.ctx, "listSslCerts", cloud.Params{"lbruleid": r.ID}, &answer), "listSslCerts")
	if len(answer.SSLCert) == 0 {
		return "none"
	}
	return answer.SSLCert[0].ID
}
