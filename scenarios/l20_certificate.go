package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func certificateRefused() harness.Scenario {
	return harness.Scenario{
		ID: "L-20", Title: "a certificate is refused where routers end no TLS, and leaves its rule and the siblings " +
			"alone", Group: result.GroupLB, Priority: 2,
		Guards: []string{"#11468"}, Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []release.Knob{fault.CertificateIgnored, release.VRCompareAsSet, fault.PushLost,
			fault.RouterReloadSkipped},
		Run: story.Of(func(t *story.T) {
			t.RequireNotIn(release.Where(release.SSLOffload), "takes certificates on routers (#11468)")
			account := t.NewAccount()
			tier := account.VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			a.Stick()
			certificate := account.Certificate()
			pushes := tier.CountPushes()
			t.ExpectRefused(431, "assignCertToLoadBalancer", account, cloud.Params{"lbruleid": a.ID,
				"certid": certificate.ID})
			pushes.ExpectSent("a certificate that was refused", 0)
			t.ExpectListed(a)
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			b.Stick()
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, b)
		}),
	}
}
