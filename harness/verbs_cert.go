package harness

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/release"
)

// Certificate is one that an account uploaded.
type Certificate struct {
	*Account
	ID string
}

// Certificate uploads a certificate that nobody signed but itself, with a key of its own.
func (a *Account) Certificate() *Certificate {
	t := a.t
	defer t.step("certificate")()
	cert, key, err := selfSigned(t.now())
	t.must(err, "making a certificate")
	name := t.unique("cert")
	entry := t.intend("certificate", name, a.Name)
	var answer struct{ SSLCert struct{ ID string } }
	t.must(a.Cloud.Call(t.ctx, "uploadSslCert", cloud.Params{"name": name, "certificate": cert, "privatekey": key, "enabledrevocationcheck": false}, &answer), "uploadSslCert")
	c := &Certificate{a, answer.SSLCert.ID}
	t.created(entry, c.ID, 0)
	t.onRemove("certificate "+name, func(ctx context.Context) error {
		return t.removed(c.ID, a.Cloud.Call(ctx, "deleteSslCert", cloud.Params{"id": c.ID}, nil))
	})
	return c
}

// keyBits and certLife are what any server takes.
const (
	keyBits  = 2048
	certLife = 24 * time.Hour
)

// selfSigned makes a certificate and its key, as PEM; the key in the form that CloudStack reads (CertServiceImpl@4.20.0.0).
func selfSigned(now time.Time) (cert, key string, err error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stackproof.invalid"}, DNSNames: []string{"stackproof.invalid"},
		NotBefore: now.Add(-certLife), NotAfter: now.Add(certLife), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})), nil
}

// RequireNotIn ends a story about what releases cannot do on one that can.
func (t *T) RequireNotIn(able release.Range, what string) {
	if able.Contains(t.site.Release) {
		t.Unsupported("release %s %s: that is another story", t.site.Release, what)
	}
}
