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
			run: uploadCert,
		},
		{
			name: "listSslCerts", about: "Lists SSL certificates",
			params: listParams(param{"certid", "uuid", false, "ID of SSL certificate"}),
			run: func(z *Zone, c *call) (obj, error) {
				var out []obj
				for _, one := range z.certs {
					if visible(z, c, one.owner) && (!c.has("certid") || c.str("certid") == one.uuid) {
						out = append(out, z.certAnswer(one))
					}
				}
				return c.page("sslcert", out), nil
			},
		},
		{
			name: "deleteSslCert", about: "Delete a certificate to CloudStack", params: []param{{"id", "uuid", true, "Id of SSL certificate"}},
			run: func(z *Zone, c *call) (obj, error) {
				one, err := cert(z, c, "id")
				if err != nil {
					return nil, err
				}
				z.certs = slices.DeleteFunc(z.certs, func(o *certificate) bool { return o == one })
				return obj{"success": "true"}, nil
			},
		},
		{
			name: "assignCertToLoadBalancer", about: "Assigns a certificate to a load balancer rule", class: lbClasses + "AssignCertToLoadBalancerCmd",
			kind: asyncCommand, event: "LB.CERT.ASSIGN", eventful: eventAsync, action: "assigning certificate to load balancer",
			params: []param{{"lbruleid", "uuid:lbrule", true, "the ID of the load balancer rule"}, {"certid", "uuid", true, "the ID of the certificate"}},
			check: func(z *Zone, c *call) error {
				r, err := lbRuleParam(z, c, "lbruleid")
				if err == nil {
					err = mayUse(z, c, r.Account, "load balancer rule")
				}
				return err
			},
			run: assignCert, sync: func(z *Zone, c *call) string { return ruleSync(z, c, "lbruleid") },
			describe: func(z *Zone, c *call) string {
				concernsRule(z, c, "lbruleid")
				return "Assigning a certificate to a load balancer"
			},
			detail: func(z *Zone, c *call) string { c.owner = nil; return "" },
		},
	}
}

// cert finds the caller's certificate.
func cert(z *Zone, c *call, name string) (*certificate, error) {
	for _, one := range z.certs {
		if one.uuid == c.str(name) && visible(z, c, one.owner) {
			return one, nil
		}
	}
	return nil, c.badEntity(name, c.str(name))
}

func uploadCert(z *Zone, c *call) (obj, error) {
	owner, err := ownerAccount(z, c)
	if err != nil {
		return nil, err
	}
	if _, err := tls.X509KeyPair([]byte(c.str("certificate")), []byte(c.str("privatekey"))); err != nil {
		return nil, api.Invalid("Parsing certificate/key failed: %v", err)
	}
	one := &certificate{uuid: z.uuid(), name: c.str("name"), text: c.str("certificate"), owner: owner}
	z.certs = append(z.certs, one)
	return obj{"sslcert": z.certAnswer(one)}, nil
}

func (z *Zone) certAnswer(one *certificate) obj {
	out := obj{"id": one.uuid, "name": one.name, "certificate": one.text}
	z.owned(out, one.owner)
	return out
}

func assignCert(z *Zone, c *call) (obj, error) {
	if _, err := cert(z, c, "certid"); err != nil {
		return nil, err
	}
	if z.knobs[fault.CertificateIgnored] {
		return obj{"success": true}, nil
	}
	return nil, api.Invalid("Ssl termination not supported by the loadbalancer")
}
