package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// everyColumn has one of everything that is metered, so that each column of each helper table and of cloud_usage is
// filled by something. Whatever is planted in one of them, invariant I12 must find.
func everyColumn() harness.Scenario {
	return harness.Scenario{
		ID: "U-38", Title: "usage rows and records say what their events and resources say, column by column",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#9459", "#13921"}, Needs: append(usageNeeds(), harness.Forge),
		Twins: []release.Knob{fault.UsageColumnDomain, fault.UsageColumnOffering, fault.UsageColumnDescription,
			fault.UsageColumnDefault},
		Run: story.Of(func(t *story.T) {
			OneOfEach(t)
			t.RequireEveryTable()
		}),
	}
}

// OneOfEach makes one of everything that is metered, and has two usage windows bill it.
func OneOfEach(t *story.T) {
	account := t.NewAccount()
	network := account.Isolated()
	vm := network.NewVM()
	vm.Join(account.Isolated())
	network.LoadBalancer("A").Assign(vm)
	network.PortForward(network.Address(), "P", vm)
	account.VPC()
	account.NewVolume()
	account.Upload()
	account.VPNUser("user")
	vm.BackUp()
	vm.Snapshot("of the VM")
	vm.SnapshotOnPrimary("on primary")
	t.Drain()
	t.Drains(1)
}
