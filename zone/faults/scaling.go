package faults

import (
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/kernel"
)

// missing is how many members the monitor makes, given how many a sound one would.
func (f *Faults) missing(g *autoscale.Group, sound int) int {
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

// updateProfile forgets the new offering.
func (f *Faults) updateProfile(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		if f.On(fault.ProfileUpdateIgnored) {
			delete(c.Params, "serviceofferingid")
		}
		return next(k, c)
	}
}

// firstCondition leaves a policy the first of its conditions.
func firstCondition(params map[string]string) {
	params["conditionids"], _, _ = strings.Cut(params["conditionids"], ",")
}
