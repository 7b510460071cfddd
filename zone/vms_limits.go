package zone

// checkVMLimits refuses an instance beyond any limit that it counts against; members of autoscale groups are no exception
// (UserVmManagerImpl.java@4.20.0.0, createVirtualMachine).
func (z *Zone) checkVMLimits(a *Account, o *Offering) error {
	for _, one := range []struct {
		typ    int
		amount any
	}{{limitVM, 1}, {limitCPU, o.Answer["cpunumber"]}, {limitMemory, o.Answer["memory"]}, {limitVolume, 1}} {
		n, is := one.amount.(int)
		if !is {
			continue
		}
		if err := z.checkLimitOf(a, one.typ, int64(n)); err != nil {
			return err
		}
	}
	return nil
}
