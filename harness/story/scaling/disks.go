package scaling

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// RequireDataDisks makes sure that an account has so many data disks.
func (t Scaling) RequireDataDisks(a *objects.Account, count int) {
	if got := a.DataDisks(); got != count {
		t.Inconclusive("account %s has %d data disks, want %d: members came without theirs", a.Name, got, count)
	}
}

// ExpectDressed expects that each member of the group is in the other network, and that its account has a data disk for
// each.
func (t Scaling) ExpectDressed(g *objects.Group, other *objects.Network) {
	defer t.Step("disks and networks of the members of %s", g.Name)()
	t.Checked(1)
	vms := g.VMs()
	for _, vm := range vms {
		found, err := vm.Account.Cloud.ListVirtualMachines(t.ctx, cloud.Params{"id": vm.ID, "networkid": other.ID})
		t.Must(err, "listing %s", vm.Name)
		if len(found) != 1 {
			t.Fail(result.WrongMembers, fmt.Sprintf("member %s of %s is not in %s, which its profile names", vm.Name,
				g.Name, other.Name))
		}
	}
	if got := g.Account.DataDisks(); got != len(vms) {
		t.Fail(result.WrongMembers, fmt.Sprintf("the %d members of %s have %d data disks, and their profile names one "+
			"for each", len(vms), g.Name, got))
	}
}

// SeenDisks is what data disks that are left are seen by: how many.
const SeenDisks = "data disks"

// ExpectNoDataDisks expects that nothing is left of the disks of members that are gone.
func (t Scaling) ExpectNoDataDisks(a *objects.Account, why string) {
	t.Checked(1)
	if left := a.DataDisks(); left > 0 {
		t.on.FailAs(result.DisksLeft, result.Seen{What: SeenDisks, Number: float64(left)},
			fmt.Sprintf("%d data disks of account %s are left and billed on: %s", left, a.Name, why))
	}
}
