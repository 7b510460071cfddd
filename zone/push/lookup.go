package push

// LBRuleByUUID finds the load balancer rule with a uuid, removed ones included; nil for none.
func (mgr *Manager) LBRuleByUUID(u string) *Rule {
	return mgr.LBRules.ByUUID(u)
}

// GoneRule is the deleted rule with a uuid, where rules are deleted softly; nil for none.
func (mgr *Manager) GoneRule(u string) *Rule {
	for _, r := range mgr.GoneRules {
		if r.UUID == u {
			return r
		}
	}
	return nil
}

// EverRule is the rule with an internal id, alive or deleted softly; nil for none.
func (mgr *Manager) EverRule(id int64) *Rule {
	if r := mgr.LBRules.ByID(id); r != nil {
		return r
	}
	for _, r := range mgr.GoneRules {
		if r.ID == id {
			return r
		}
	}
	return nil
}
