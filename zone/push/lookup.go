package push

// LBRuleByUUID finds the load balancer rule with a uuid, removed ones included; nil for none.
func (mgr *Manager) LBRuleByUUID(u string) *Rule {
	return mgr.LBRules.ByUUID(u)
}
