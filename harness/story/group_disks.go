package story

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// MemberDisks gives the members of groups that are made from now on a data disk each.
func (n *Network) MemberDisks() {
	n.memberDisk = map[string]string{"diskofferingid": n.Account.fixedDisk()}
}

// DataDisks are how many data disks an account has.
func (a *Account) DataDisks() int {
	var answer struct {
		Count int `json:"count"`
	}
	filter := a.byName()
	filter["type"], filter["listall"] = "DATADISK", true
	a.t.Must(a.t.site.Cloud.Call(a.t.ctx, "listVolumes", filter, &answer), "listing the disks of %s", a.Name)
	return answer.Count
}

// RequireDataDisks makes sure that an account has so many data disks.
func (t Scaling) RequireDataDisks(a *Account, count int) {
	if got := a.DataDisks(); got != count {
		t.Inconclusive("account %s has %d data disks, want %d: members came without theirs", a.Name, got, count)
	}
}

// MembersJoin has the members of groups that are made from now on in another network, too.
func (n *Network) MembersJoin(other *Network) {
	if n.memberDisk == nil {
		n.memberDisk = map[string]string{}
	}
	n.memberDisk["networkids"] = n.ID + "," + other.ID
}

// ExpectDressed expects that each member of the group is in the other network, and that its account has a data disk for
// each.
func (t Scaling) ExpectDressed(g *Group, other *Network) {
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
func (t Scaling) ExpectNoDataDisks(a *Account, why string) {
	t.Checked(1)
	if left := a.DataDisks(); left > 0 {
		t.failAs(result.DisksLeft, result.Seen{What: SeenDisks, Number: float64(left)},
			fmt.Sprintf("%d data disks of account %s are left and billed on: %s", left, a.Name, why))
	}
}
