// Package selfsigned makes certificates that nobody signed but themselves, as a run and its stand-ins need them.
package selfsigned

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// Pair is a certificate with its private key.
type Pair struct {
	Cert, Key string // PEM; the key in the form that CloudStack reads (PKCS #8, CertServiceImpl@4.20.0.0)
	DER       []byte // of the certificate
}

// keyBits and life are what any server takes.
const (
	keyBits = 2048
	life    = 24 * time.Hour
)

// Make makes a pair for a server's name, good for a day before and after now.
func Make(name string, now time.Time) (Pair, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Pair{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: now.Add(-life), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return Pair{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Pair{}, err
	}
	return Pair{
		Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})), DER: der,
	}, nil
}
