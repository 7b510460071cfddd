package router

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// CertificateFolder holds the certificates of a router's rules (HAProxyConfigurator.java@4.22.0.0).
const CertificateFolder = "/etc/cloudstack/ssl"

// Certificate is what a rule ends TLS with, as a push carries it (LoadBalancingRule.LbSslCert@4.22.0.0). Key is a
// secret: it never goes into a report.
type Certificate struct {
	Cert, Key, Chain string // PEM
	Revoked          bool
	KeyLogged        bool // the management log shows the key
}

// ShowsPrivateKey says whether a text has a private key in it, by the first line of one.
func ShowsPrivateKey(text string) bool { return strings.Contains(text, "PRIVATE KEY-----") }

// CertificateEntry is a certificate on its way to the router, under the name of its rule's section, with the names of
// that file (LoadBalancerRule.SslCertEntry@4.22.0.0). It holds a private key.
type CertificateEntry struct {
	Name  string `json:"name"`
	Cert  string `json:"cert"`
	Key   string `json:"key"`
	Chain string `json:"chain,omitempty"`
}

// file is what the router writes of an entry. A password is not used: an encrypted key stays encrypted
// (CsLoadBalancer.py@4.22.0.0).
func (e CertificateEntry) file() string {
	text := unixLines(e.Cert)
	if e.Chain != "" {
		text += unixLines(e.Chain)
	}
	return text + unixLines(e.Key)
}

func unixLines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") + "\n" }

// endsTLS says whether TLS of a rule ends on the router.
func (lb LoadBalancer) endsTLS(rules Rules) bool {
	return rules.EndsTLS && lb.LBProtocol == "ssl" && lb.Certificate != nil && !lb.Certificate.Revoked
}

// withheld says whether a rule is not served: where plain text would be.
func (lb LoadBalancer) withheld(rules Rules) bool {
	return rules.EndsTLS && !rules.PlainWithoutCertificate && lb.LBProtocol == "ssl" && !lb.endsTLS(rules)
}

// tlsOptions stand on the bind line and on each server line of a rule that ends TLS, the servers' without effect: no
// "ssl" goes before them (HAProxyConfigurator.java@4.22.0.0).
const tlsOptions = " ssl-min-ver TLSv1.2 no-tls-tickets ciphers ECDHE-RSA-AES256-GCM-SHA384:" +
	"ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:" +
	"AES128-GCM-SHA256 ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

// tlsBind is what a bind line goes on with.
func tlsBind(lb LoadBalancer, rules Rules) string {
	verb := "set-header"
	if rules.KeepsForwardedProto {
		verb = "add-header"
	}
	return " ssl crt " + CertificateFolder + "/" + lb.Name() + ".pem alpn h2,http/1.1" + tlsOptions +
		"\n\thttp-request " + verb + " X-Forwarded-Proto https"
}

// certificates are what goes with a push; nil where routers know none. A rule that is being deleted has one, too, as
// long as its certificate is not revoked.
func certificates(p Push, rules Rules) []CertificateEntry {
	if !rules.EndsTLS {
		return nil
	}
	entries := []CertificateEntry{}
	for _, lb := range p.LoadBalancers {
		if lb.endsTLS(rules) {
			entries = append(entries,
				CertificateEntry{lb.Name(), lb.Certificate.Cert, lb.Certificate.Key, lb.Certificate.Chain})
		}
	}
	return entries
}

// writeCertificates brings the folder to what a push says: the first thing that the router does with one, before the
// check of the new file. The running HAProxy keeps what it read (CsLoadBalancer.py@4.22.0.0). A router that knows no
// certificates gets nil, and has nothing to do.
func (r *Router) writeCertificates(entries []CertificateEntry) error {
	if entries == nil {
		return nil
	}
	folder := filepath.Join(r.dir, CertificateFolder)
	var errs []error
	for _, e := range entries {
		if r.faults.KeepsCertificates && fileExists(filepath.Join(folder, e.Name+".pem")) {
			continue
		}
		errs = append(errs, os.WriteFile(filepath.Join(folder, e.Name+".pem"), []byte(e.file()), 0o600))
	}
	there, err := os.ReadDir(folder)
	errs = append(errs, err)
	for _, one := range there {
		due := slices.ContainsFunc(entries, func(e CertificateEntry) bool { return e.Name+".pem" == one.Name() })
		if !due && !r.faults.KeepsCertificates {
			errs = append(errs, os.Remove(filepath.Join(folder, one.Name())))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("writing the router's certificates: %w", err)
	}
	return nil
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
