package watch

import (
	"fmt"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Billed is something that rows of a usage helper table bill: a rule, an address, a network, a VM's running time.
type Billed struct {
	Name string // as verdicts say it
	Ref  usageprobe.Ref
}

func (b Billed) String() string {
	return fmt.Sprintf("%s %s (internal id %d)", b.Ref.Kind, b.Name, b.Ref.ID)
}

// BilledBy says whether a record bills something.
func (b Billed) BilledBy(r usageprobe.Record) bool {
	switch b.Ref.Kind {
	case usageprobe.KindNIC, usageprobe.KindBackup, usageprobe.KindOnPrimary:
		return r.VMID == b.Ref.ID
	case usageprobe.KindVMSnapshot:
		return r.VMID == b.Ref.ID && (b.Ref.Part == "" || fmt.Sprint(r.UsageID) == b.Ref.Part)
	}
	return r.UsageID == b.Ref.ID
}
