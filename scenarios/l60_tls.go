package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// ssl is a rule that takes a certificate.
func ssl() story.Form { return story.Form{Protocol: "ssl"} }

// ofTLS is a story in a tier of an account's own, where routers end TLS; L-20 looks at the others.
func ofTLS(tell func(t *story.T, account *story.Account, tier *story.Network)) harness.Tell {
	return story.Of(func(t *story.T) {
		if !t.RoutersEndTLS() {
			t.Unsupported("virtual routers of this release take no certificates (#11468)")
		}
		account := t.NewAccount()
		tell(t, account, account.VPC().Tier())
	})
}

// endsTLS: the controls are a plain rule with the same members, and the certificate before the renewal.
func endsTLS() harness.Scenario {
	return harness.Scenario{
		ID: "L-60", Title: "a router ends TLS with the certificate that its rule has, and keeps clients",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#11468"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.CertificateNotPushed, fault.CertificateStale, fault.CertificateNotRemoved,
			fault.RouterKeepsCertificates, fault.RouterReloadSkipped, fault.ChainNotPushed,
			fault.UpdateDropsCertificate},
		About: []release.Knob{release.SSLOffload},
		Run: ofTLS(func(t *story.T, account *story.Account, tier *story.Network) {
			vms := tier.VMs(2)
			r, control := tier.LoadBalancerAs("A", ssl()).Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			first, second := account.Certificate(), account.Certificate()
			t.RequirePlain(control)
			r.Certify(first)
			t.ExpectBound(r, first)
			t.ExpectTLS(r)
			r.Stick()
			t.ExpectInForce(tier)
			t.ExpectSticky(control, r)
			r.Certify(second)
			t.ExpectBound(r, second)
			t.ExpectTLS(r)
			t.ExpectSticky(control, r)
			r.Update(cloud.Params{"algorithm": "leastconn", "protocol": "ssl"})
			t.ExpectBound(r, second)
			t.ExpectTLS(r)
			t.ExpectInForce(tier)
			r.Uncertify()
			t.ExpectBound(r, nil)
			t.ExpectNoTLS(r)
			t.RequirePlain(control)
		}),
	}
}

// certificateHalfway: the control is the certificate before the change, which the rule had.
func certificateHalfway() harness.Scenario {
	return harness.Scenario{
		ID: "L-61", Title: "a change of a certificate that fails leaves the one before", Group: result.GroupLB,
		Priority: 1, Guards: []string{"#11468"},
		Needs: []harness.Capability{harness.API, harness.PushLog, harness.PushFault},
		KnownBad: known(release.CertificateChangeNotAtomic,
			"a certificate is replaced, and a rule with one deleted, by two pushes: when the second "+
				"fails the certificate is gone (docs/findings/certificate-change-not-atomic.md)",
			result.WrongCertificate),
		Cures: []release.Knob{release.CertificateChangeNotAtomic.Off()},
		Twins: []release.Knob{release.CertificateChangeNotAtomic},
		About: []release.Knob{release.SSLOffload},
		Run: ofTLS(func(t *story.T, account *story.Account, tier *story.Network) {
			t.JudgesPushesItself()
			vms := tier.VMs(1)
			a, b := tier.LoadBalancerAs("A", ssl()).Assign(vms...), tier.LoadBalancerAs("B", ssl()).Assign(vms...)
			first, second := account.Certificate(), account.Certificate()
			a.Certify(first)
			b.Certify(first)
			t.RequireBound(first, a, b)
			t.ExpectError(a.CertifyHalfway(second), "replacing the certificate of A while its router does not answer")
			t.ExpectBound(a, first)
			t.ExpectError(b.DeleteHalfway(), "deleting B while its router does not answer")
			t.ExpectListed(b)
			t.ExpectBound(b, first)
		}),
	}
}

// keysHidden: the control is the certificate itself, which the same lines carry.
func keysHidden() harness.Scenario {
	return harness.Scenario{
		ID: "L-62", Title: "the management log shows no private key", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#11468"}, Needs: pushNeeds(),
		KnownBad: known(release.PrivateKeysLogged,
			"pushes are logged with the private keys of certificates, at the level that packages ship "+
				"with (docs/findings/private-key-logged.md)",
			result.SecretLogged),
		Cures: []release.Knob{release.PrivateKeysLogged.Off()},
		Twins: []release.Knob{release.PrivateKeysLogged},
		About: []release.Knob{release.SSLOffload},
		Run: ofTLS(func(t *story.T, account *story.Account, tier *story.Network) {
			r := tier.LoadBalancerAs("A", ssl()).Assign(tier.VMs(1)...)
			r.Certify(account.Certificate())
			t.ExpectKeysHidden(r)
		}),
	}
}

// noPlainText: the control is a rule of protocol tcp with the same member, which answers in plain text.
func noPlainText() harness.Scenario {
	return harness.Scenario{
		ID: "L-63", Title: "a rule of protocol ssl answers nobody in plain text", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#11468"}, Needs: routerNeeds(),
		KnownBad: known(release.SSLWithoutCertificatePlain,
			"a rule of protocol ssl is served in plain text before it has a certificate and after it "+
				"lost one (docs/findings/ssl-without-certificate.md)",
			result.PlainText),
		Cures: []release.Knob{release.SSLWithoutCertificatePlain.Off()},
		Twins: []release.Knob{release.SSLWithoutCertificatePlain},
		About: []release.Knob{release.SSLOffload},
		Run: ofTLS(func(t *story.T, account *story.Account, tier *story.Network) {
			vms := tier.VMs(1)
			r, control := tier.LoadBalancerAs("A", ssl()).Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			t.RequirePlain(control)
			t.ExpectNoPlain(r)
			r.Certify(account.Certificate())
			t.ExpectTLS(r)
			r.Uncertify()
			t.ExpectNoPlain(r)
			t.RequirePlain(control)
		}),
	}
}

// healthyTLS: the control is the check before the rule has its certificate.
func healthyTLS() harness.Scenario {
	return harness.Scenario{
		ID: "L-64", Title: "a router's own health check is green where TLS ends on it", Group: result.GroupLB,
		Priority: 2, Guards: []string{"#12591"}, Needs: routerNeeds(),
		KnownBad: known(release.SSLHealthCheckRed,
			"#12591: haproxy_check.py compares the whole bind line with the rule's address: it is red "+
				"for every rule that ends TLS",
			result.HealthAlarm),
		Cures: []release.Knob{release.SSLHealthCheckRed.Off()},
		Twins: []release.Knob{release.SSLHealthCheckRed},
		About: []release.Knob{release.SSLOffload},
		Run: ofTLS(func(t *story.T, account *story.Account, tier *story.Network) {
			r := tier.LoadBalancerAs("A", ssl()).Assign(tier.VMs(1)...)
			t.RequireHealthy(tier)
			r.Certify(account.Certificate())
			t.ExpectTLS(r)
			t.ExpectHealthy(tier)
		}),
	}
}

// forwardedProto: the control is a rule of protocol tcp with the same member, which passes on what the client sent.
func forwardedProto() harness.Scenario {
	return harness.Scenario{
		ID: "L-65", Title: "the members behind TLS are told the client's protocol by the router alone",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#11468"}, Needs: routerNeeds(),
		KnownBad: known(release.ForwardedProtoKept,
			"a rule that ends TLS adds X-Forwarded-Proto and leaves a client's own in front "+
				"(docs/findings/forwarded-proto-kept.md)",
			result.WrongForwarded),
		Cures: []release.Knob{release.ForwardedProtoKept.Off()},
		Twins: []release.Knob{release.ForwardedProtoKept, fault.CertificateNotPushed},
		About: []release.Knob{release.SSLOffload},
		Run: ofTLS(func(t *story.T, account *story.Account, tier *story.Network) {
			vms := tier.VMs(1)
			r, control := tier.LoadBalancerAs("A", ssl()).Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			r.Certify(account.Certificate())
			t.ExpectTLS(r)
			t.Foreshow(release.ForwardedProtoKept, r.Billed(), story.Shows{Class: result.WrongForwarded,
				What: story.SeenForwarded, Holds: story.Says("http, https"), Most: 1})
			t.ExpectForwardedProto(r, control)
		}),
	}
}
