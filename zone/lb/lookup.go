package lb

import (
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
)

// Finders find the room's objects by what stands after "uuid:" in a parameter's type.
func (mgr *Manager) Finders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"policy": func(u string) bool { _, p := mgr.policyByUUID(u); return p != nil },
		"lbrule": func(u string) bool { return mgr.push.LBRuleByUUID(u) != nil },
	}
}

// policyByUUID finds a stickiness policy and the rule it belongs to.
func (mgr *Manager) policyByUUID(u string) (*push.Rule, *push.Policy) {
	for _, r := range mgr.push.LBRules.All() {
		if p, ok := kernel.Find(r.Policies, u, func(p *push.Policy) string { return p.UUID }); ok {
			return r, p
		}
	}
	return nil, nil
}

// LBRuleParam is the load balancer rule that a parameter names.
func LBRuleParam(mgr *Manager, c *kernel.Call, name string) (*push.Rule, error) {
	return kernel.Lookup(c, name, mgr.push.LBRuleByUUID)
}
