package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func twoNICs() harness.Scenario {
	return harness.Scenario{
		ID: "U-17", Title: "removing a NIC leaves the usage row of the VM's other NIC with the same offering open",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#13112"}, Needs: usageNeeds(),
		KnownBad: always(release.UsageNICCloseByOffering,
			"NIC rows are closed by VM and offering, UsageNetworkOfferingDaoImpl.java@4.20.0.0",
			result.UsageInvariant, result.CrossedClose, result.NotBilled),
		Cures: []release.Knob{release.UsageNICCloseByOffering.Off()},
		Twins: []release.Knob{release.UsageNICCloseByOffering, fault.UsageNICCloseNothing},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			vm := account.Isolated().NewVM()
			vm.Join(account.Isolated())
			nics := vm.NICs()
			billed := story.BilledAll(nics...)
			t.Drain()
			t.RequireRowOpen(billed...)
			atRemoval := t.AtLast("NETWORK.OFFERING.REMOVE", billed[1])
			t.Foreshow(release.UsageNICCloseByOffering, billed[0],
				story.Shows{Class: result.UsageInvariant, What: "I9", Holds: atRemoval, Most: 1},
				story.Shows{Class: result.CrossedClose, What: story.SeenClosed, Holds: atRemoval, Most: 1},
				story.Shows{Class: result.NotBilled, What: story.SeenUnbilled, Most: 1})
			nics[1].Remove()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(billed[1])
			t.ExpectRowOpen(billed[0])
			t.ExpectBilledNow(billed[0])
		}),
	}
}

func twoZones() harness.Scenario {
	return harness.Scenario{
		ID: "U-18", Title: "releasing an address leaves the usage rows of equal addresses in another zone open",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#10789"}, Needs: append(usageNeeds(), harness.Forge),
		KnownBad: always(release.UsageReleaseByText,
			"rows are found by account and the address's text, UsageIPAddressDaoImpl.java@4.20.0.0",
			result.UsageInvariant, result.CrossedClose, result.NotBilled),
		Cures: []release.Knob{release.UsageReleaseByText.Off()}, Twins: []release.Knob{release.UsageReleaseByText,
			fault.UsageReleaseAnyAccount, fault.UsageIPCloseNothing},
		Run: story.Of(func(t *story.T) {
			account, stranger := t.NewAccount(), t.NewAccount()
			ip := account.VPC().Tier().Address()
			own, other := ip.InOtherZone(account), ip.InOtherZone(stranger)
			t.Drain()
			t.RequireRowOpen(ip.Billed(), own, other)
			atRelease := t.AtLast("NET.IPRELEASE", ip.Billed())
			t.Foreshow(release.UsageReleaseByText, own,
				story.Shows{Class: result.UsageInvariant, What: "I2", Holds: atRelease},
				story.Shows{Class: result.UsageInvariant, What: "I3", Holds: atRelease},
				story.Shows{Class: result.UsageInvariant, What: "I5",
					Holds: t.LivedUntil("NET.IPRELEASE", ip.Billed(), own)},
				story.Shows{Class: result.UsageInvariant, What: "I9", Holds: atRelease},
				story.Shows{Class: result.CrossedClose, What: story.SeenClosed, Holds: atRelease, Most: 1},
				story.Shows{Class: result.NotBilled, What: story.SeenUnbilled, Most: 1})
			ip.Release()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(ip.Billed())
			t.ExpectRowOpen(own, other)
			t.ExpectBilledNow(own, other)
		}),
	}
}
