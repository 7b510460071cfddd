package autoscale

import (
	"github.com/stackproof/stackproof/zone/kernel"
)

// Finders find the room's objects by what stands after "uuid:" in a parameter's type.
func (mgr *Manager) Finders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"counter":      func(u string) bool { return mgr.counterByUUID(u) != nil },
		"condition":    func(u string) bool { return mgr.conditionByUUID(u) != nil },
		"scalepolicy":  func(u string) bool { return mgr.scalePolicyByUUID(u) != nil },
		"scaleprofile": func(u string) bool { return mgr.scaleProfileByUUID(u) != nil },
		"group":        func(u string) bool { return mgr.GroupByUUID(u) != nil },
	}
}

func (mgr *Manager) counterByUUID(u string) *Counter {
	x, _ := kernel.Find(mgr.Counters, u, func(x *Counter) string { return x.UUID })
	return x
}

func (mgr *Manager) conditionByUUID(u string) *Condition {
	x, _ := kernel.Find(mgr.Conditions, u, func(x *Condition) string { return x.UUID })
	return x
}

func (mgr *Manager) scalePolicyByUUID(u string) *ScalePolicy {
	x, _ := kernel.Find(mgr.Policies, u, func(x *ScalePolicy) string { return x.UUID })
	return x
}

func (mgr *Manager) scaleProfileByUUID(u string) *ScaleProfile {
	x, _ := kernel.Find(mgr.Profiles, u, func(x *ScaleProfile) string { return x.UUID })
	return x
}

// GroupByUUID finds the group with a uuid, removed ones included; nil for none.
func (mgr *Manager) GroupByUUID(u string) *Group {
	x, _ := kernel.Find(mgr.Groups, u, func(x *Group) string { return x.UUID })
	return x
}

func groupParam(mgr *Manager, c *kernel.Call, name string) (*Group, error) {
	return kernel.Lookup(c, name, mgr.GroupByUUID)
}
