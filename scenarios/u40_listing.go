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

// listingFilters compares listUsageRecords with the database, filter by filter (UsageServiceImpl.java@4.20.0.0).
func listingFilters() harness.Scenario {
	return harness.Scenario{
		ID: "U-40", Title: "listUsageRecords lists by account, domain, type, usage id and period what the database " +
			"has, page by page", Group: result.GroupUsage,
		Guards: []string{"#5866", "#4717", "#8243"}, Needs: usageNeeds(),
		Twins: []release.Knob{fault.UsageAPIAccountIgnored, fault.UsageAPIDomainIgnored, fault.UsageAPISubdomainsLost,
			fault.UsageAPITypeIgnored, fault.UsageAPIIDIgnored, fault.UsageAPIPeriodIgnored, fault.UsageAPICountOfPage,
			fault.UsageAPIPageRepeated, fault.UsageAPIUnknownIDAll, fault.UsageAPIShort},
		Run: story.Of(func(t *story.T) {
			outer := t.NewDomain()
			a, b := outer.NewAccount(), outer.NewDomain().NewAccount()
			elsewhere := t.NewAccount()
			vpc := a.VPC()
			tier := vpc.Tier()
			rules := tier.LoadBalancers(2)
			b.VPC().Tier().LoadBalancer("of b")
			elsewhere.VPC()
			t.Drain()
			t.Drains(2)
			of := func(accounts ...*story.Account) func(usageprobe.Record) bool { return ofAccounts(accounts) }
			t.ExpectRecordsBy("account id", cloud.Params{"accountid": a.ID}, of(a))
			t.ExpectRecordsBy("account and domain", cloud.Params{"account": a.Name, "domainid": outer.ID}, of(a))
			t.ExpectRecordsBy("domain", cloud.Params{"domainid": outer.ID}, of(a))
			t.ExpectRecordsBy("domain and those below", cloud.Params{"domainid": outer.ID, "isrecursive": true},
				of(a, b))
			t.ExpectRecordsBy("type", cloud.Params{"accountid": a.ID, "type": usageprobe.UsageLoadBalancer},
				func(r usageprobe.Record) bool { return of(a)(r) && r.Type == usageprobe.UsageLoadBalancer })
			expectByUsageID(t, rules[1].ID, rules[1].Billed())
			expectByUsageID(t, rules[0].Address.ID, rules[0].Address.Billed())
			t.ExpectPeriods(a)
			t.ExpectPages(a, 3)
			t.ExpectNoneListed("an unknown usage id", cloud.Params{"type": usageprobe.UsageLoadBalancer,
				"usageid": t.Unknown()})
			t.ExpectListingRefused("usage id without a type", 431, cloud.Params{"usageid": rules[0].ID})
			for _, by := range []string{"accountid", "domainid", "projectid"} {
				t.ExpectListingRefused("an unknown "+by, 431, cloud.Params{by: t.Unknown()})
			}
			t.ReportFilters(tier, vpc)
		}),
	}
}

func expectByUsageID(t *story.T, id string, thing story.Billed) {
	usageType := usageprobe.RecordType(thing.Ref.Kind)
	t.ExpectRecordsBy("usage id", cloud.Params{"type": usageType, "usageid": id},
		func(r usageprobe.Record) bool { return r.Type == usageType && r.UsageID == thing.Ref.ID })
}

// ofAccounts says whether a record is of one of the accounts.
func ofAccounts(accounts []*story.Account) func(usageprobe.Record) bool {
	return func(r usageprobe.Record) bool {
		for _, a := range accounts {
			if a.InternalID == r.AccountID {
				return true
			}
		}
		return false
	}
}

// nicListing: a network offering's id is the usage id of NIC records.
func nicListing() harness.Scenario {
	return harness.Scenario{
		ID: "U-41", Title: "listUsageRecords lists the records of NICs by their network offering",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#10697", "#10852"}, Needs: usageNeeds(),
		KnownBad: known(release.UsageNICFilterEmpty,
			"#10697: the list is empty for a network offering's id; fixed by #10852 in 4.19.3.0 and "+
				"4.20.1.0",
			result.WrongListing),
		Twins: []release.Knob{release.UsageNICFilterEmpty, fault.UsageAPIIDIgnored},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			vm := tier.NewVM()
			vm.Join(account.Isolated())
			t.DrainUnjudged()
			first := t.OfferingOf(vm.NICs()[0].Billed())
			t.ExpectRecordsBy("network offering", cloud.Params{"accountid": account.ID,
				"type": usageprobe.UsageNetworkOffering, "usageid": tier.Offering()},
				func(r usageprobe.Record) bool {
					return r.Type == usageprobe.UsageNetworkOffering && r.OfferingID == first
				})
		}),
	}
}
