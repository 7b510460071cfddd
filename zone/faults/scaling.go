package faults

import (
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/kernel"
)

// missing is how many members the monitor makes, given how many a sound one would.
func (f *Faults) missing(g *autoscale.Group, sound int) int {
	if f.least == nil {
		f.least = map[int64]int{}
	}
	if _, seen := f.least[g.ID]; !seen {
		f.least[g.ID] = g.Min
	}
	switch {
	case f.On(fault.MonitorBlind), f.On(fault.EnabledUnwatched) && f.unwatched[g.ID]:
		return 0
	case f.On(fault.MonitorOldBounds):
		return max(0, sound-(g.Min-f.least[g.ID]))
	case sound > 0 && f.On(fault.MemberCreatedTwice):
		return sound + 1
	}
	return sound
}

// unwatch notes that a group was disabled.
func (f *Faults) unwatch(g *autoscale.Group) {
	if f.unwatched == nil {
		f.unwatched = map[int64]bool{}
	}
	f.unwatched[g.ID] = true
}

// updateProfile forgets the new offering.
func (f *Faults) updateProfile(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		if f.On(fault.ProfileUpdateIgnored) {
			delete(c.Params, "serviceofferingid")
		}
		return next(k, c)
	}
}

// firstCondition has policies created with the first of their conditions.
func (f *Faults) firstCondition(all []kernel.Bound) {
	for i := range all {
		if next := all[i].Create; all[i].Name == "createAutoScalePolicy" {
			all[i].Create = func(k *kernel.Kernel, c *kernel.Call) (kernel.Created, error) {
				if f.On(fault.PolicyFirstCondition) {
					c.Params["conditionids"], _, _ = strings.Cut(c.Params["conditionids"], ",")
				}
				return next(k, c)
			}
		}
	}
}
