package story

import (
	"fmt"

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
