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
		KnownBad: everywhere("NIC rows are closed by VM and offering, UsageNetworkOfferingDaoImpl.java@4.20.0.0",
			result.UsageInvariant, result.WrongClose, result.CrossedClose),
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
		KnownBad: everywhere("rows are found by account and the address's text, UsageIPAddressDaoImpl.java@4.20.0.0",
			result.UsageInvariant, result.WrongClose, result.CrossedClose),
		Cures: []release.Knob{release.UsageReleaseByText.Off()}, Twins: []release.Knob{release.UsageReleaseByText,
			fault.UsageReleaseAnyAccount, fault.UsageIPCloseNothing},
		Run: story.Of(func(t *story.T) {
			account, stranger := t.NewAccount(), t.NewAccount()
			ip := account.VPC().Tier().Address()
			own, other := ip.InOtherZone(account), ip.InOtherZone(stranger)
			t.Drain()
			t.RequireRowOpen(ip.Billed(), own, other)
			ip.Release()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(ip.Billed())
			t.ExpectRowOpen(own, other)
			t.ExpectBilledNow(own, other)
		}),
	}
}
