package site

import (
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Used counts what an account has of a limited resource.
func (mgr *Manager) Used(a *tenancy.Account, typ int) (n int64) {
	switch typ {
	case tenancy.LimitVM, 8, 9:
		for _, vm := range mgr.compute.VMs.All() {
			if vm.Account != a || !vm.Removed.IsZero() || vm.State == "Destroyed" {
				continue
			}
			switch typ {
			case 8:
				n += int64(vm.Offering.Answer["cpunumber"].(int))
			case 9:
				n += int64(vm.Offering.Answer["memory"].(int))
			default:
				n++
			}
		}
	case tenancy.LimitIP:
		for _, one := range mgr.net.Addresses.All() {
			if one.Account == a && one.State == "Allocated" {
				n++
			}
		}
	case 2, 10:
		for _, v := range mgr.compute.Volumes.All() {
			if v.Account == a && v.Removed.IsZero() {
				if typ == 10 {
					n += v.Size >> 30
				} else {
					n++
				}
			}
		}
	case tenancy.LimitNetwork:
		for _, one := range mgr.net.Networks.All() {
			if one.Account == a && one.Removed.IsZero() {
				n++
			}
		}
	case tenancy.LimitVPC:
		for _, one := range mgr.net.VPCs.All() {
			if one.Account == a && one.Removed.IsZero() {
				n++
			}
		}
	}
	return n
}

// VMStates counts an account's running and stopped instances.
func (mgr *Manager) VMStates(a *tenancy.Account) (running, stopped int) {
	for _, vm := range mgr.compute.VMs.All() {
		if vm.Account == a && vm.Removed.IsZero() {
			switch vm.State {
			case "Running":
				running++
			case "Stopped":
				stopped++
			}
		}
	}
	return running, stopped
}
