package faults

import (
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/lb"
	"github.com/stackproof/stackproof/zone/push"
)

// run is the work of a command.
type run = func(k *kernel.Kernel, c *kernel.Call) (obj, error)

// Commands puts the faults around the commands that they concern.
func (f *Faults) Commands(all []kernel.Bound) []kernel.Bound {
	wrappers := map[string]func(next run) run{
		"listLoadBalancerRules":         f.listRules,
		"createLoadBalancerRule":        f.ruleAnswer,
		"updateLoadBalancerRule":        f.updateRule,
		"deleteLoadBalancerRule":        f.deleteRule,
		"assignToLoadBalancerRule":      f.assign,
		"listLoadBalancerRuleInstances": f.listInstances,
		"listLBStickinessPolicies":      f.listPolicies,
		"deleteLBStickinessPolicy":      f.succeeds(fault.StickyDeleteIgnored),
		"assignCertToLoadBalancer":      f.assignCert,
		"getRouterHealthCheckResults":   f.healthChecks,
		"listUsageRecords":              f.listRecords,
		"deleteAutoScaleVmGroup":        f.deleteGroup,
		"disableAutoScaleVmGroup":       f.disableGroup,
		"updateAutoScaleVmGroup":        f.updateGroup,
		"updateAutoScaleVmProfile":      f.updateProfile,
		"listAutoScaleVmGroups":         f.forgets(fault.ListGroupsAll, "lbruleid"),
	}
	for i := range all {
		if wrap := wrappers[all[i].Name]; wrap != nil {
			all[i].Run = wrap(all[i].Run)
		}
	}
	f.beforeCreate(all, "createAutoScalePolicy", fault.PolicyFirstCondition, firstCondition)
	f.beforeCreate(all, "createLoadBalancerRule", fault.NameMangled, mangleName)
	return afterwards{f}.writesAfter(all)
}

// succeeds answers success instead of doing anything.
func (f *Faults) succeeds(knob release.Knob) func(next run) run {
	return func(next run) run {
		return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
			if f.On(knob) {
				return obj{"success": true}, nil
			}
			return next(k, c)
		}
	}
}

// listRules leaves out rules of disabled groups and source lists, and shows deleted rules.
func (f *Faults) listRules(next run) run {
	next = f.forgets(fault.ListNetworkIgnored, "networkid")(next)
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		if f.On(fault.ProjectRulesListed) && !c.Has("projectid") {
			c.Params["projectid"] = "-1"
		}
		answer, err := next(k, c)
		if err != nil {
			return nil, err
		}
		rules, _ := answer["loadbalancerrule"].([]obj)
		count, _ := answer["count"].(int)
		if f.On(fault.ListOthersShown) {
			others := f.others(c, rules)
			rules, count = append(rules, others...), count+len(others)
		}
		if f.On(fault.ListCountOfPage) {
			count = len(rules)
		}
		if f.On(fault.RuleUnlisted) {
			all := len(rules)
			rules = slices.DeleteFunc(slices.Clone(rules), func(one obj) bool {
				r := f.push.LBRuleByUUID(one["id"].(string))
				return r != nil && r.Group != nil && r.Group.Disabled()
			})
			count -= all - len(rules)
		}
		if f.On(fault.RuleListedAfterDelete) {
			for _, r := range f.ghosts {
				if lb.WantsRule(f.lb, c, r) {
					rules, count = append(rules, lb.RuleAnswer(f.lb, r)), count+1
				}
			}
		}
		if f.On(fault.SourceListUnlisted) {
			for _, one := range rules {
				delete(one, "cidrlist")
			}
		}
		if len(rules) == 0 {
			if count == 0 {
				return obj{}, nil
			}
			return obj{"count": count}, nil
		}
		return obj{"count": count, "loadbalancerrule": rules}, nil
	}
}

// ruleAnswer leaves a rule's source list out of its answer.
func (f *Faults) ruleAnswer(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		answer, err := next(k, c)
		if rule, ok := answer["loadbalancer"].(obj); ok && f.On(fault.SourceListUnlisted) {
			delete(rule, "cidrlist")
		}
		return answer, err
	}
}

// updateRule forgets the new algorithm, or protocol.
func (f *Faults) updateRule(next run) run {
	update := f.ruleAnswer(next)
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		if f.On(fault.AlgorithmUpdateIgnored) {
			delete(c.Params, "algorithm")
		}
		if r := f.push.LBRuleByUUID(c.Str("id")); r != nil && c.Has("protocol") && f.On(fault.ProtocolUpdateIgnored) {
			c.Params["protocol"] = r.LBProtocol
		}
		return update(k, c)
	}
}

// deleteRule remembers the rule, so that it can be listed.
func (f *Faults) deleteRule(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		r := f.push.LBRuleByUUID(c.Str("id"))
		answer, err := next(k, c)
		if err == nil && r != nil && f.On(fault.RuleListedAfterDelete) {
			f.ghosts = append(f.ghosts, r)
		}
		return answer, err
	}
}

// withoutLast drops the last element of a list answer that has more than least; the count goes along if told.
func withoutLast(answer obj, key string, least int, counted bool) {
	list, _ := answer[key].([]obj)
	if len(list) <= least {
		return
	}
	answer[key] = list[:len(list)-1]
	if len(list) == 1 {
		delete(answer, key)
	}
	if n, ok := answer["count"].(int); ok && counted {
		answer["count"] = n - 1
	}
}

// listInstances leaves the last member out.
func (f *Faults) listInstances(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		answer, err := next(k, c)
		if err == nil && f.On(fault.InstanceListShort) {
			for _, key := range []string{"loadbalancerruleinstance", "lbrulevmidip"} {
				withoutLast(answer, key, 1, true)
			}
		}
		return answer, err
	}
}

// listPolicies shows no policy.
func (f *Faults) listPolicies(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		answer, err := next(k, c)
		rules, _ := answer["stickinesspolicies"].([]obj)
		for _, one := range rules {
			if f.On(fault.StickyListEmpty) {
				one["stickinesspolicy"] = []obj{}
			}
		}
		return answer, err
	}
}

// assignCert takes a certificate that exists and does nothing with it.
func (f *Faults) assignCert(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		answer, err := next(k, c)
		if err != nil && f.On(fault.CertificateIgnored) && lb.HasCert(f.lb, c, "certid") {
			return obj{"success": true}, nil
		}
		return answer, err
	}
}

// healthChecks raises an alarm.
func (f *Faults) healthChecks(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		answer, err := next(k, c)
		if err != nil || !f.On(fault.HealthCheckAlarms) {
			return answer, err
		}
		for _, one := range answer["routerhealthchecks"].(obj)["healthchecks"].([]obj) {
			one["success"], one["details"] = false, "Missing section for load balancing"
		}
		return answer, nil
	}
}

// deleteGroup ends the usage of the group's rule.
func (f *Faults) deleteGroup(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		g := f.autoscale.GroupByUUID(c.Str("id"))
		answer, err := next(k, c)
		if err == nil && g != nil && f.On(fault.GroupDeleteEndsRule) {
			err = f.lb.LBUsage(c.Ctx, "LB.DELETE", g.Rule, "")
		}
		return answer, err
	}
}

// disableGroup loses the members of a group that works.
func (f *Faults) disableGroup(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		g := f.autoscale.GroupByUUID(c.Str("id"))
		if g != nil {
			f.unwatched[g.ID] = true
		}
		if g != nil && g.Removed.IsZero() && !g.Disabled() && f.On(fault.MembersLostOnDisable) {
			for _, m := range slices.Clone(g.Rule.Members) {
				if err := f.lb.RemoveMember(c.Ctx, g.Rule, m); err != nil {
					return nil, err
				}
			}
		}
		return next(k, c)
	}
}

// updateGroup sends the group's rule to its routers, which no release does.
func (f *Faults) updateGroup(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		answer, err := next(k, c)
		if g := f.autoscale.GroupByUUID(c.Str("id")); err == nil && g != nil && f.On(fault.UpdateWithPush) {
			err = f.push.PushNetwork(c.Ctx, g.Rule.Network, push.Cause{})
		}
		return answer, err
	}
}

// beforeCreate has a fault change what a command that creates something is given.
func (f *Faults) beforeCreate(all []kernel.Bound, command string, knob release.Knob,
	change func(params map[string]string)) {
	for i := range all {
		if next := all[i].Create; all[i].Name == command {
			all[i].Create = func(k *kernel.Kernel, c *kernel.Call) (kernel.Created, error) {
				if f.On(knob) {
					change(c.Params)
				}
				return next(k, c)
			}
		}
	}
}
