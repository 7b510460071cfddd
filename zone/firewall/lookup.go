package firewall

import (
	"github.com/stackproof/stackproof/zone/kernel"
)

// Finders find the room's objects by what stands after "uuid:" in a parameter's type.
func (mgr *Manager) Finders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"pfrule": func(u string) bool { return mgr.PFRuleByUUID(u) != nil || mgr.GonePFRule(u) != nil },
		"egress": func(u string) bool { return mgr.egressByUUID(u) != nil },
		"fwrule": func(u string) bool { return mgr.FWRuleByUUID(u) != nil },
	}
}

// PFRuleByUUID finds the port forwarding rule with a uuid, removed ones included; nil for none.
func (mgr *Manager) PFRuleByUUID(u string) *PFRule {
	return mgr.PFRules.ByUUID(u)
}

// FWRuleByUUID finds the firewall rule with a uuid, removed ones included; nil for none.
func (mgr *Manager) FWRuleByUUID(u string) *Rule {
	return mgr.FWRules.ByUUID(u)
}

func pfRuleParam(mgr *Manager, c *kernel.Call, name string) (*PFRule, error) {
	return kernel.Lookup(c, name, mgr.PFRuleByUUID)
}

func fwRuleParam(mgr *Manager, c *kernel.Call, name string) (*Rule, error) {
	return kernel.Lookup(c, name, mgr.FWRuleByUUID)
}

// GonePFRule is the deleted port forwarding rule with a uuid, where rules are deleted softly; nil for none.
func (mgr *Manager) GonePFRule(u string) *PFRule {
	for _, p := range mgr.GonePF {
		if p.UUID == u {
			return p
		}
	}
	return nil
}

// EverPFRule is the port forwarding rule with an internal id, alive or deleted softly; nil for none.
func (mgr *Manager) EverPFRule(id int64) *PFRule {
	if p := mgr.PFRules.ByID(id); p != nil {
		return p
	}
	for _, p := range mgr.GonePF {
		if p.ID == id {
			return p
		}
	}
	return nil
}
