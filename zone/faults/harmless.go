package faults

import (
	"errors"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
)

// harmless is a command that ends nothing, and the usage events that a fault writes after it.
type harmless struct {
	command string
	knob    release.Knob
	after   func(c *kernel.Call) error
}

// afterwards writes usage events after commands that have none.
type afterwards struct{ *Faults }

func (f afterwards) harmless() []harmless {
	return []harmless{
		{"updateLoadBalancerRule", fault.UpdateCreatesAgain, f.ofRule("id", "LB.CREATE")},
		{"createLBStickinessPolicy", fault.StickEndsRule, f.ofRule("lbruleid", "LB.DELETE")},
		{"removeFromLoadBalancerRule", fault.RemoveEndsSibling, f.endSibling},
		{"disableAutoScaleVmGroup", fault.DisableEndsRule, f.endGroupRule},
		{"restartVPC", fault.RestartRenewsRules, f.renewRules},
		{"stopVirtualMachine", fault.StopEndsForwards, f.endForwards},
		{"rebootVirtualMachine", fault.RebootEndsVolumes, f.endVolumes},
		{"resizeVolume", fault.ResizeCreatesVolume, f.createVolume},
	}
}

// writesAfter puts the usage events of faults after the commands that have none.
func (f afterwards) writesAfter(all []kernel.Bound) []kernel.Bound {
	for _, h := range f.harmless() {
		for i := range all {
			if next := all[i].Run; all[i].Name == h.command {
				all[i].Run = func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
					answer, err := next(k, c)
					if err == nil && f.On(h.knob) {
						err = h.after(c)
					}
					return answer, err
				}
			}
		}
	}
	return all
}

// ofRule writes an event of the rule that a parameter names.
func (f afterwards) ofRule(param, event string) func(c *kernel.Call) error {
	return func(c *kernel.Call) error {
		if r := f.push.LBRuleByUUID(c.Str(param)); r != nil {
			return f.lb.LBUsage(c.Ctx, event, r, "")
		}
		return nil
	}
}

func (f afterwards) endSibling(c *kernel.Call) error {
	rule := f.push.LBRuleByUUID(c.Str("id"))
	for _, other := range f.push.LBRules.All() {
		if rule != nil && other != rule && other.Account == rule.Account {
			return f.lb.LBUsage(c.Ctx, "LB.DELETE", other, "")
		}
	}
	return nil
}

func (f afterwards) endGroupRule(c *kernel.Call) error {
	if g := f.autoscale.GroupByUUID(c.Str("id")); g != nil {
		return f.lb.LBUsage(c.Ctx, "LB.DELETE", g.Rule, "")
	}
	return nil
}

func (f afterwards) renewRules(c *kernel.Call) error {
	var errs []error
	for _, r := range f.push.LBRules.All() {
		if vpc := r.Network.VPC; vpc != nil && vpc.UUID == c.Str("id") {
			errs = append(errs, f.renew(c, r))
		}
	}
	return errors.Join(errs...)
}

func (f afterwards) renew(c *kernel.Call, r *push.Rule) error {
	return errors.Join(f.lb.LBUsage(c.Ctx, "LB.DELETE", r, ""), f.lb.LBUsage(c.Ctx, "LB.CREATE", r, ""))
}

func (f afterwards) endForwards(c *kernel.Call) error {
	var errs []error
	for _, pf := range f.firewall.PFRules.All() {
		if pf.VM.UUID == c.Str("id") {
			errs = append(errs, f.UsageEvent(c.Ctx, "NET.RULEDELETE", pf.Account, 0, pf.ID, nil))
		}
	}
	return errors.Join(errs...)
}

func (f afterwards) endVolumes(c *kernel.Call) error {
	var errs []error
	for _, v := range f.compute.Volumes.All() {
		if v.VM != nil && v.VM.UUID == c.Str("id") && v.Removed.IsZero() {
			errs = append(errs, f.UsageEvent(c.Ctx, "VOLUME.DELETE", v.Account, kernel.ZoneID, v.ID,
				obj{"resource_name": v.Name}))
		}
	}
	return errors.Join(errs...)
}

func (f afterwards) createVolume(c *kernel.Call) error {
	v := f.compute.VolumeByUUID(c.Str("id"))
	if v == nil {
		return nil
	}
	fields := obj{"resource_name": v.Name, "size": v.Size}
	if v.Offering != nil {
		fields["offering_id"] = v.Offering.ID
	}
	return f.UsageEvent(c.Ctx, "VOLUME.CREATE", v.Account, kernel.ZoneID, v.ID, fields)
}
