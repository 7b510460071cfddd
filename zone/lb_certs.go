package zone

import (
	"crypto/tls"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
)

// Certificates can be uploaded; no rule of a virtual router takes one before 4.22 (LoadBalancingRulesManagerImpl@4.20.0.0:
// the provider lacks the capability SslTermination).

// certificate is an uploaded certificate. The lab's tables have none of its kind, so that it lives in memory only.
type certificate struct {
	uuid, name, text string
	owner            *Account
}

func (z *Zone) certCommands() []command {
	return []command{
		{
			name: "uploadSslCert", about: "Upload a certificate to CloudStack",
			params: []param{{"certificate", "string", true, "SSL certificate"}, {"privatekey", "string", true, "Private key"}, {"certchain", "string", false, "Certificate chain of trust"},
				{"password", "string", false, "Password for the private key"}, {"account", "string", false, "account that will own the SSL certificate"},
				{"domainid", "uuid:domain", false, "domain ID of the account owning the SSL certificate"}, {"name", "string", true, "Name for the uploaded certificate"},
				{"enabledrevocationcheck", "boolean", false, "Enables revocation checking for certificates"}},
			run: (*call).uploadCert,
		},
		{
			name: "listSslCerts", about: "Lists SSL certificates",
			params: listParams(param{"certid", "uuid", false, "ID of SSL certificate"}),
			run: func(c *call) (obj, error) {
				var out []obj
				for _, one := range c.z.certs {
					if c.visible(one.owner) && (!c.has("certid") || c.str("certid") == one.uuid) {
						out = append(out, c.z.certAnswer(one))
					}
				}
				return c.page("sslcert", out), nil
			},
		},
		{
			name: "deleteSslCert", about: "Delete a certificate to CloudStack", params: []param{{"id", "uuid", true, "Id of SSL certificate"}},
			run: func(c *call) (obj, error) {
				one, err := c.cert("id")
				if err != nil {
					return nil, err
				}
				c.z.certs = slices.DeleteFunc(c.z.certs, func(o *certificate) bool { return o == one })
				return obj{"success": "true"}, nil
			},
		},
		{
			name: "assignCertToLoadBalancer", about: "Assigns a certificate to a load balancer rule", class: lbClasses + "AssignCertToLoadBalancerCmd",
			kind: asyncCommand, event: "LB.CERT.ASSIGN", eventful: eventAsync, action: "assigning certificate to load balancer",
			params: []param{{"lbruleid", "uuid:lbrule", true, "the ID of the load balancer rule"}, {"certid", "uuid", true, "the ID of the certificate"}},
			check: func(c *call) error {
				r, err := c.lbRule("lbruleid")
				if err == nil {
					err = c.mayUse(r.Account, "load balancer rule")
				}
				return err
			},
			run: (*call).assignCert, sync: func(c *call) string { return c.ruleSync("lbruleid") },
			describe: func(c *call) string { c.concernsRule("lbruleid"); return "Assigning a certificate to a load balancer" },
			detail:   func(c *call) string { c.owner = nil; return "" },
		},
	}
}

// cert finds the caller's certificate.
func (c *call) cert(name string) (*certificate, error) {
	for _, one := range c.z.certs {
		if one.uuid == c.str(name) && c.visible(one.owner) {
			return one, nil
		}
	}
	return nil, c.badEntity(name, c.str(name))
}

func (c *call) uploadCert() (obj, error) {
	owner, err := c.ownerAccount()
	if err != nil {
		return nil, err
	}
	if _, err := tls.X509KeyPair([]byte(c.str("certificate")), []byte(c.str("privatekey"))); err != nil {
		return nil, api.Invalid("Parsing certificate/key failed: %v", err)
	}
	one := &certificate{uuid: c.z.uuid(), name: c.str("name"), text: c.str("certificate"), owner: owner}
	c.z.certs = append(c.z.certs, one)
	return obj{"sslcert": c.z.certAnswer(one)}, nil
}

func (z *Zone) certAnswer(one *certificate) obj {
	out := obj{"id": one.uuid, "name": one.name, "certificate": one.text}
	z.owned(out, one.owner)
	return out
}

func (c *call) assignCert() (obj, error) {
	if _, err := c.cert("certid"); err != nil {
		return nil, err
	}
	if c.z.knobs[fault.CertificateIgnored] {
		return obj{"success": true}, nil
	}
	return nil, api.Invalid("Ssl termination not supported by the loadbalancer")
}
