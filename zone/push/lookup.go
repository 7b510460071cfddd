package push

import (
	"github.com/stackproof/stackproof/zone/kernel"
)

// LBRuleByUUID finds the load balancer rule with a uuid, removed ones included; nil for none.
func (mgr *Manager) LBRuleByUUID(u string) *Rule {
	r, _ := kernel.Find(mgr.LBRules, u, func(r *Rule) string { return r.UUID })
	return r
}
