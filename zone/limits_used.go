package zone

// used counts what an account has of a limited resource.
func (z *Zone) used(a *Account, typ int) (n int64) {
	switch typ {
	case limitVM, 8, 9:
		for _, vm := range z.vms {
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
	case limitIP:
		for _, one := range z.addresses {
			if one.Account == a && one.State == "Allocated" {
				n++
			}
		}
	case 2, 10:
		for _, v := range z.volumes {
			if v.Account == a && v.Removed.IsZero() {
				if typ == 10 {
					n += v.Size >> 30
				} else {
					n++
				}
			}
		}
	case limitNetwork:
		for _, one := range z.networks {
			if one.Account == a && one.Removed.IsZero() {
				n++
			}
		}
	case limitVPC:
		for _, one := range z.vpcs {
			if one.Account == a && one.Removed.IsZero() {
				n++
			}
		}
	}
	return n
}

// vmStates counts an account's running and stopped instances.
func (z *Zone) vmStates(a *Account) (running, stopped int) {
	for _, vm := range z.vms {
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
