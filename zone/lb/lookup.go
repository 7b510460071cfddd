package lb

import (
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
)

// Finders find the room's objects by what stands after "uuid:" in a parameter's type.
func (mgr *Manager) Finders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"policy": func(u string) bool { _, p := mgr.policyByUUID(u); return p != nil },
		"lbrule": func(u string) bool { return mgr.push.LBRuleByUUID(u) != nil || mgr.push.GoneRule(u) != nil },
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

// LBRuleParam is the load balancer rule that a parameter names. Where rules are deleted softly the check of parameters
// lets a deleted one pass, and who wants it finds out (DeleteLoadBalancerRuleCmd.java@main).
func LBRuleParam(mgr *Manager, c *kernel.Call, name string) (*push.Rule, error) {
	if gone := mgr.push.GoneRule(c.Str(name)); gone != nil {
		if c.Cmd.Name == "createLBStickinessPolicy" {
			return nil, api.Invalid("Failed: LB rule id: %d not present ", gone.ID)
		}
		return nil, api.Invalid("Unable to find load balancer rule: %d", gone.ID)
	}
	return kernel.Lookup(c, name, mgr.push.LBRuleByUUID)
}
