package lb

import (
	"crypto/tls"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func certCommands() []command {
	return []command{
		{
			Name: "uploadSslCert", About: "Upload a certificate to CloudStack",
			Params: []param{{Name: "certificate", Type: "string", Required: true, About: "SSL certificate"},
				{Name: "privatekey", Type: "string", Required: true, About: "Private key"},
				{Name: "certchain", Type: "string", About: "Certificate chain of trust"},
				{Name: "password", Type: "string", About: "Password for the private key"},
				{Name: "projectid", Type: "uuid:project", About: "the project of the resource"},
				{Name: "account", Type: "string", About: "account that will own the SSL certificate"},
				{Name: "domainid", Type: "uuid:domain", About: "domain ID of the account owning the SSL certificate"},
				{Name: "name", Type: "string", Required: true, About: "Name for the uploaded certificate"},
				{Name: "enabledrevocationcheck", Type: "boolean", About: "Enables revocation checking for " +
					"certificates"}},
			Run: uploadCert,
		},
		{
			Name: "listSslCerts", About: "Lists SSL certificates",
			Params: kernel.ListParams(param{Name: "certid", Type: "uuid", About: "ID of SSL certificate"},
				param{Name: "accountid", Type: "uuid", About: "Account ID"},
				param{Name: "lbruleid", Type: "uuid:lbrule", About: "Load balancer rule ID"}),
			Run: listCerts,
		},
		{
			Name: "deleteSslCert", About: "Delete a certificate to CloudStack",
			Params: []param{{Name: "id", Type: "uuid", Required: true, About: "Id of SSL certificate"}},
			Run:    deleteCert,
		},
	}
}

// cert finds the caller's certificate.
func cert(mgr *Manager, c *kernel.Call, name string) (*push.Certificate, error) {
	for _, one := range mgr.certs {
		if one.UUID == c.Str(name) && tenancy.Visible(mgr.tenancy, c, one.Owner) {
			return one, nil
		}
	}
	return nil, c.BadEntity(name, c.Str(name))
}

func uploadCert(mgr *Manager, c *kernel.Call) (obj, error) {
	owner, err := tenancy.OwnerAccount(mgr.tenancy, c)
	if err != nil {
		return nil, err
	}
	if _, err := tls.X509KeyPair([]byte(c.Str("certificate")), []byte(c.Str("privatekey"))); err != nil {
		return nil, api.Invalid("Parsing certificate/key failed: %v", err)
	}
	one := &push.Certificate{UUID: mgr.UUID(), Name: c.Str("name"), Text: c.Str("certificate"),
		Key: c.Str("privatekey"), Chain: c.Str("certchain"), Owner: owner}
	mgr.certs = append(mgr.certs, one)
	return obj{"sslcert": certAnswer(mgr, one)}, nil
}

// deleteCert removes a certificate that is on no rule (CertServiceImpl.deleteSslCert@4.22.1.0).
func deleteCert(mgr *Manager, c *kernel.Call) (obj, error) {
	one, err := cert(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	names := ""
	for _, r := range boundTo(mgr, one) {
		names += r.Name + " "
	}
	if names != "" {
		return nil, api.Internal("Certificate in use by a loadbalancer(s) %s", names)
	}
	mgr.certs = slices.DeleteFunc(mgr.certs, func(o *push.Certificate) bool { return o == one })
	return obj{"success": "true"}, nil
}

// boundTo are the rules that a certificate is on.
func boundTo(mgr *Manager, one *push.Certificate) []*push.Rule {
	return rulesWhere(mgr.push.LBRules.All(), func(r *push.Rule) bool {
		return r.Certificate != nil && r.Certificate.Certificate == one
	})
}

// listCerts shows one certificate, those of an account, or that of a rule (CertServiceImpl.listSslCerts@4.22.1.0).
func listCerts(mgr *Manager, c *kernel.Call) (obj, error) {
	out := []obj{}
	show := func(one *push.Certificate) { out = append(out, certAnswer(mgr, one)) }
	switch {
	case c.Has("certid"):
		one, err := cert(mgr, c, "certid")
		if err != nil {
			return nil, err
		}
		show(one)
	case c.Has("lbruleid"):
		r, err := LBRuleParam(mgr, c, "lbruleid")
		if err == nil {
			err = tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule")
		}
		if err != nil {
			return nil, err
		}
		if r.Certificate != nil {
			show(r.Certificate.Certificate)
		}
	case c.Has("accountid"):
		for _, one := range mgr.certs {
			if one.Owner.UUID == c.Str("accountid") && tenancy.Visible(mgr.tenancy, c, one.Owner) {
				show(one)
			}
		}
	default:
		return nil, api.Invalid("Invalid parameters either certificate ID or Account ID or Loadbalancer ID or " +
			"Project ID required")
	}
	return c.Page("sslcert", out), nil
}

func certAnswer(mgr *Manager, one *push.Certificate) obj {
	out := obj{"id": one.UUID, "name": one.Name, "certificate": one.Text, "fingerprint": one.Fingerprint()}
	if one.Chain != "" {
		out["certchain"] = one.Chain
	}
	if rules := boundTo(mgr, one); len(rules) > 0 {
		ids := []string{}
		for _, r := range rules {
			ids = append(ids, r.UUID)
		}
		out["loadbalancerrulelist"] = ids
	}
	mgr.tenancy.Owned(out, one.Owner)
	return out
}

// HasCert says whether the caller has the certificate that a parameter names.
func HasCert(mgr *Manager, c *kernel.Call, name string) bool {
	_, err := cert(mgr, c, name)
	return err == nil
}
