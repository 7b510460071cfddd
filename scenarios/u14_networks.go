package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// openedTwice is the old model of network and VPC rows.
func openedTwice() harness.Known {
	return harness.Known{Releases: release.Where(release.NetworkUsageModelOld),
		Why: "#10687: network and VPC rows are opened at each create event and closed one at a time; fixed by " +
			"#10712 and #10755 in 4.19.3.0 and 4.20.1.0",
		Classes: []result.Class{result.DuplicateNetwork, result.RowCount, result.LeakedRow}}
}

func networkRow() harness.Scenario {
	return harness.Scenario{
		ID: "U-14", Title: "a network has one open usage row at any time of its life, and none after it",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#10687", "#10712", "#10755"}, Needs: usageNeeds(), KnownBad: openedTwice(),
		Twins: []release.Knob{release.NetworkUsageModelOld, fault.UsageNetworkRowTwice, fault.UsageNetworkCloseNothing},
		Run: story.Of(func(t *story.T) {
			network := t.NewAccount().Isolated()
			vm := network.NewVM()
			t.Drain()
			t.ExpectRowOpen(network.Billed())
			vm.Stop()
			network.AwaitShutdown()
			vm.Start() // implements the network again
			t.Drain()
			t.ExpectRowOpen(network.Billed())
			network.Restart(true)
			network.Update()
			t.Drain()
			t.ExpectRowOpen(network.Billed())
			vm.Destroy()
			vm.Expunge()
			network.Delete()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(network.Billed())
			t.ExpectNotBilledNow(network.Billed())
		}),
	}
}

func vpcRow() harness.Scenario {
	return harness.Scenario{
		ID: "U-15", Title: "a VPC has one open usage row at any time of its life, also when its create event is " +
			"there twice", Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#10712", "#10755"}, Needs: append(usageNeeds(), harness.Forge), KnownBad: openedTwice(),
		Twins: []release.Knob{release.NetworkUsageModelOld, fault.UsageVPCCloseNothing},
		Run: story.Of(func(t *story.T) {
			vpc := t.NewAccount().VPC()
			t.Repeat("VPC.CREATE", vpc.InternalID)
			t.Drain()
			t.ExpectRowOpen(vpc.Billed())
			vpc.Restart(true)
			t.Drain()
			t.ExpectRowOpen(vpc.Billed())
			vpc.Delete()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(vpc.Billed())
			t.ExpectNotBilledNow(vpc.Billed())
		}),
	}
}
