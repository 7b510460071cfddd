package scenarios

import (
	"fmt"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// burden is a rule at a limit, which its router may not be able to serve.
type burden struct {
	what   string
	form   story.Form
	policy *story.Policy
}

// longList is more words than HAProxy reads in one line (64).
const longList = 70

func burdens() []burden {
	var many []string
	for i := range longList {
		many = append(many, fmt.Sprintf("10.%d.0.0/16", i+1))
	}
	cookie := func(name string) *story.Policy {
		p := story.CookiePolicy(name)
		return &p
	}
	return []burden{
		{what: "with the lowest port", form: story.Form{Public: 1, Private: 1}},
		{what: "with the highest port", form: story.Form{Public: 65535, Private: 65535}},
		{what: "with public port 0", form: story.Form{Public: story.NoPort}},
		{what: "with private port 0", form: story.Form{Private: story.NoPort}},
		{what: "on the port of the router's statistics", form: story.Form{Public: 8081}},
		{what: "for 70 networks", form: story.Form{CIDRs: many}},
		{what: "for the network of all", form: story.Form{CIDRs: []string{"0.0.0.0/0", "::/0"}}},
		{what: "with a blank in its cookie's name", policy: cookie("S R V")},
		{what: "with a hash in its cookie's name", policy: cookie("SRV#1")},
	}
}

// siblingsServed: whether a rule at a limit is refused, fails or works is its own matter. The control of each is the
// change of a sibling that comes after it, which must reach the sibling's clients.
func siblingsServed() harness.Scenario {
	return harness.Scenario{
		ID:       "L-45",
		Title:    "a rule that its router cannot serve does not freeze its siblings",
		Group:    result.GroupLB,
		Priority: 1,
		Weight:   3,
		Guards:   []string{"#3253", "#11468"},
		Needs:    routerNeeds(),
		KnownBad: everywhere(
			"the API takes rules that HAProxy refuses. Up to 4.21 the router's file is frozen until they "+
				"go, from 4.22 on every change of their siblings fails (docs/findings/port-zero.md, "+
				"docs/findings/source-list-too-long.md)",
			result.RouterFrozen,
			result.SiblingsBlocked,
		),
		Cures: []release.Knob{release.PortZeroAccepted.Off(), release.SourceListUnbounded.Off(),
			release.StickyValuesUnchecked.Off()},
		Twins: []release.Knob{fault.RouterReloadSkipped, fault.RouterFileStale, fault.PolicyDropped},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			sibling, control := tier.LoadBalancer("sibling").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, sibling)
			for i, b := range burdens() {
				heavy := tier.Bear(fmt.Sprintf("heavy%d", i), b.form, b.policy, vms[0])
				t.ExpectChange("a rule "+b.what, sibling)
				if heavy != nil {
					heavy.Delete()
				}
			}
			t.ExpectAsListed(control, sibling)
			t.ExpectValidFile(tier)
		}),
	}
}
