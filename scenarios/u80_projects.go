package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// projectListing: a project has an account of its own, which lists and usage know it by.
func projectListing() harness.Scenario {
	return harness.Scenario{
		ID: "U-80", Title: "what belongs to a project is billed to it, and listed as its own", Group: result.GroupUsage,
		Priority: 1, Guards: []string{"#5866"}, Needs: usageNeeds(),
		Twins: []release.Knob{fault.UsageAPIProjectIgnored, fault.ProjectBilledToOwner, fault.ProjectRulesListed},
		Run: story.Of(func(t *story.T) {
			administrator := t.NewAccount()
			project := administrator.Project("project")
			administrator.VPC().Tier().LoadBalancer("own")
			rules := project.VPC().Tier().LoadBalancers(2)
			t.Listings.ExpectOwned(project, administrator, rules...)
			t.Drain()
			t.ExpectOpen(rules...)
			of := func(a *story.Account) func(usageprobe.Record) bool { return ofAccounts([]*story.Account{a}) }
			t.Listings.ExpectRecordsBy("project", cloud.Params{"projectid": project.ID}, of(project))
			t.Listings.ExpectRecordsBy("account", cloud.Params{"accountid": administrator.ID}, of(administrator))
			t.Listings.ExpectListingRefused("a project and an account", 431,
				cloud.Params{"projectid": project.ID, "accountid": administrator.ID})
		}),
	}
}
