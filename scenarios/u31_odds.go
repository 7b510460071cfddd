package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func vpnUser() harness.Scenario {
	return harness.Scenario{
		ID: "U-31", Title: "a removed VPN user's usage row is closed at the removal, not at the next usage run",
		Group: result.GroupUsage, Priority: 2,
		Guards: []string{"#4085"}, Needs: usageNeeds(),
		KnownBad: always(release.UsageVPNCloseAtJob,
			"VPN.USER.REMOVE closes with the job's time, UsageManagerImpl.java@4.20.0.0", result.WrongClose),
		Cures: []release.Knob{release.UsageVPNCloseAtJob.Off()}, Twins: []release.Knob{release.UsageVPNCloseAtJob,
			fault.UsageVPNCloseNothing},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			removed, stays := account.VPNUser("removed"), account.VPNUser("stays")
			t.Drain()
			t.RequireRowOpen(removed.Billed(), stays.Billed())
			t.Foreshow(release.UsageVPNCloseAtJob, removed.Billed(), story.Shows{Class: result.WrongClose,
				What: story.SeenClosed, Holds: t.AtJob("VPN.USER.REMOVE", removed.Billed()), Most: 1})
			removed.Remove()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(removed.Billed())
			t.ExpectRowOpen(stays.Billed())
			t.ExpectNotBilledNow(removed.Billed())
			t.ExpectBilledNow(stays.Billed())
		}),
	}
}

func notMetered() harness.Scenario {
	return harness.Scenario{
		ID: "U-32", Title: "portable and IPv6 addresses are reported as not metered, and harm no bill",
		Group: result.GroupUsage, Priority: 2,
		Guards: []string{"#3176"}, Needs: append(usageNeeds(), harness.Forge),
		Twins: []release.Knob{fault.UsageUnknownBlocks, fault.UsagePortableReleasesAll, fault.UsageIPCloseNothing},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			network := account.Isolated()
			plain, portable := network.Address(), network.PortableAddress()
			account.Forge("NET.IP6ASSIGN", 0, map[string]any{"resource_name": "fd17:5:8a43:e2a5::/64"}, nil)
			t.Drain()
			t.RequireRowOpen(plain.Billed())
			t.ReportUnmetered("a portable address", portable.Billed())
			portable.Release()
			account.Forge("NET.IP6RELEASE", 0, map[string]any{"resource_name": "fd17:5:8a43:e2a5::/64"}, nil)
			t.Drain()
			t.Drains(1)
			t.ExpectRowOpen(plain.Billed())
			t.ExpectBilledNow(plain.Billed())
			t.ReportIPv6Unmetered(account)
			plain.Release()
			t.Drain()
			t.ExpectRowClosed(plain.Billed())
		}),
	}
}

func apiAfterDelete() harness.Scenario {
	return harness.Scenario{
		ID: "U-34", Title: "listUsageRecords agrees with the database around a delete, in both formats; a deleted " +
			"rule has a usage id only where its row is kept", Group: result.GroupUsage,
		Guards: []string{"#8243", "#13015"}, Needs: usageNeeds(), Twins: []release.Knob{fault.UsageAPIShort,
			fault.UsageAPIOldFormatIgnored},
		Run: story.Of(func(t *story.T) {
			rules := t.NewAccount().VPC().Tier().LoadBalancers(2)
			t.DrainUnjudged()
			t.ExpectAPIRecords(rules...)
			rules[0].Delete()
			t.DrainUnjudged()
			t.PassHalfWindow()
			t.DrainUnjudged()
			t.ExpectAPIRecords(rules...)
		}),
	}
}

func keptRules() harness.Scenario {
	return harness.Scenario{
		ID: "U-35", Title: "an audit judges as before where the rows of deleted rules are kept",
		Group: result.GroupUsage, Priority: 2,
		Guards: []string{"#13015"}, Needs: append(usageNeeds(), harness.Upgrade),
		KnownBad: helperIDBug(result.WrongAudit),
		Twins:    []release.Knob{fault.UsageCloseNothing, release.UsageCloseByHelperID, fault.UsageCloseWrongDate},
		Run: story.Of(func(t *story.T) {
			t.KeepDeletedRules()
			account := t.NewAccount()
			account.Skew(20)
			rules := account.VPC().Tier().LoadBalancers(3)
			t.Drain()
			t.RequireOpen(rules...)
			t.RequireApart(rules...)
			rules[0].Delete()
			t.Drain()
			t.Drains(1)
			t.ExpectNoDamage()
			t.ExpectClosed(rules[0])
			t.ExpectOpen(rules[1:]...)
		}),
	}
}
