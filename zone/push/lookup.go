package push

import (
	"github.com/stackproof/stackproof/zone/kernel"
)

func (mgr *Manager) LBRuleByUUID(u string) *Rule {
	r, _ := kernel.Find(mgr.LBRules, u, func(r *Rule) string { return r.UUID })
	return r
}
