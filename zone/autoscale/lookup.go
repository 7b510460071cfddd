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
	return mgr.Counters.ByUUID(u)
}

func (mgr *Manager) conditionByUUID(u string) *Condition {
	return mgr.Conditions.ByUUID(u)
}

func (mgr *Manager) scalePolicyByUUID(u string) *ScalePolicy {
	return mgr.Policies.ByUUID(u)
}

func (mgr *Manager) scaleProfileByUUID(u string) *ScaleProfile {
	return mgr.Profiles.ByUUID(u)
}

// GroupByUUID finds the group with a uuid, removed ones included; nil for none.
func (mgr *Manager) GroupByUUID(u string) *Group {
	return mgr.Groups.ByUUID(u)
}

func groupParam(mgr *Manager, c *kernel.Call, name string) (*Group, error) {
	return kernel.Lookup(c, name, mgr.GroupByUUID)
}
