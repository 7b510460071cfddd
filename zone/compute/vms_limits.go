package compute

import (
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// CheckVMLimits refuses an instance beyond any limit that it counts against; members of autoscale groups are no
// exception (UserVmManagerImpl.java@4.20.0.0, createVirtualMachine).
func (mgr *Manager) CheckVMLimits(a *tenancy.Account, o *net.Offering) error {
	for _, one := range []struct {
		typ    int
		amount any
	}{{tenancy.LimitVM, 1}, {tenancy.LimitCPU, o.Answer["cpunumber"]}, {tenancy.LimitMemory, o.Answer["memory"]},
		{tenancy.LimitVolume, 1}} {
		n, is := one.amount.(int)
		if !is {
			continue
		}
		if err := mgr.tenancy.CheckLimitOf(a, one.typ, int64(n)); err != nil {
			return err
		}
	}
	return nil
}
