package lb

import (
	"crypto/tls"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Certificates can be uploaded; no rule of a virtual router takes one before 4.22
// (LoadBalancingRulesManagerImpl@4.20.0.0: the provider lacks the capability SslTermination).

// certificate is an uploaded certificate. The lab's tables have none of its kind, so that it lives in memory only.
type certificate struct {
	uuid, name, text string
	owner            *tenancy.Account
}

func certCommands() []command {
	return []command{
		{
			Name: "uploadSslCert", About: "Upload a certificate to CloudStack",
			Params: []param{{Name: "certificate", Type: "string", Required: true, About: "SSL certificate"},
				{Name: "privatekey", Type: "string", Required: true, About: "Private key"},
				{Name: "certchain", Type: "string", About: "Certificate chain of trust"},
				{Name: "password", Type: "string", About: "Password for the private key"},
				{Name: "account", Type: "string", About: "account that will own the SSL certificate"},
				{Name: "domainid", Type: "uuid:domain", About: "domain ID of the account owning the SSL certificate"},
				{Name: "name", Type: "string", Required: true, About: "Name for the uploaded certificate"},
				{Name: "enabledrevocationcheck", Type: "boolean", About: "Enables revocation checking for " +
					"certificates"}},
			Run: uploadCert,
		},
		{
			Name: "listSslCerts", About: "Lists SSL certificates",
			Params: kernel.ListParams(param{Name: "certid", Type: "uuid", About: "ID of SSL certificate"}),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				var out []obj
				for _, one := range mgr.certs {
					if tenancy.Visible(mgr.tenancy, c, one.owner) && (!c.Has("certid") || c.Str("certid") == one.uuid) {
						out = append(out, certAnswer(mgr, one))
					}
				}
				return c.Page("sslcert", out), nil
			},
		},
		{
			Name: "deleteSslCert", About: "Delete a certificate to CloudStack",
			Params: []param{{Name: "id", Type: "uuid", Required: true, About: "Id of SSL certificate"}},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				one, err := cert(mgr, c, "id")
				if err != nil {
					return nil, err
				}
				mgr.certs = slices.DeleteFunc(mgr.certs, func(o *certificate) bool { return o == one })
				return obj{"success": "true"}, nil
			},
		},
		{
			Name: "assignCertToLoadBalancer", About: "Assigns a certificate to a load balancer rule",
			Class: lbClasses + "AssignCertToLoadBalancerCmd",
			Kind:  kernel.AsyncCommand, Event: "LB.CERT.ASSIGN", Eventful: kernel.EventAsync,
			Action: "assigning certificate to load balancer",
			Params: []param{{Name: "lbruleid", Type: "uuid:lbrule", Required: true, About: "the ID of the load " +
				"balancer rule"},
				{Name: "certid", Type: "uuid", Required: true, About: "the ID of the certificate"}},
			Check: func(mgr *Manager, c *kernel.Call) error {
				r, err := LBRuleParam(mgr, c, "lbruleid")
				if err == nil {
					err = tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule")
				}
				return err
			},
			Run: assignCert, Sync: func(mgr *Manager, c *kernel.Call) string { return ruleSync(mgr, c, "lbruleid") },
			Subject:  func(mgr *Manager, c *kernel.Call) kernel.Subject { return ruleSubject(mgr, c.Str("lbruleid")) },
			Describe: func(*Manager, *kernel.Call) string { return "Assigning a certificate to a load balancer" },
		},
	}
}

// cert finds the caller's certificate.
func cert(mgr *Manager, c *kernel.Call, name string) (*certificate, error) {
	for _, one := range mgr.certs {
		if one.uuid == c.Str(name) && tenancy.Visible(mgr.tenancy, c, one.owner) {
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
	one := &certificate{uuid: mgr.UUID(), name: c.Str("name"), text: c.Str("certificate"), owner: owner}
	mgr.certs = append(mgr.certs, one)
	return obj{"sslcert": certAnswer(mgr, one)}, nil
}

func certAnswer(mgr *Manager, one *certificate) obj {
	out := obj{"id": one.uuid, "name": one.name, "certificate": one.text}
	mgr.tenancy.Owned(out, one.owner)
	return out
}

func assignCert(mgr *Manager, c *kernel.Call) (obj, error) {
	if _, err := cert(mgr, c, "certid"); err != nil {
		return nil, err
	}
	return nil, api.Invalid("Ssl termination not supported by the loadbalancer")
}

// HasCert says whether the caller has the certificate that a parameter names.
func HasCert(mgr *Manager, c *kernel.Call, name string) bool {
	_, err := cert(mgr, c, name)
	return err == nil
}
