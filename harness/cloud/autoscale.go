package cloud

import (
	"context"
	"strings"
)

// Scaling are the calls about autoscale groups and what they are made of.
type Scaling struct{ *caller }

// CreateCounter starts the creation of a counter: source is CPU, MEMORY, VIRTUALROUTER ..., value names what is
// measured.
func (c Scaling) CreateCounter(ctx context.Context, name, source, value, provider string) (*Creating[Counter], error) {
	p := Params{"name": name, "source": source, "value": value, "provider": provider}
	look := lookFor(c.ListCounters, Params{"name": name}, func(x *Counter) (string, bool) {
		return x.Id,
			x.Name == name && x.Value == value
	})
	return create(ctx, c.caller, "createCounter", p, look, one(c.ListCounters, "listCounters", "id"))
}

// DeleteCounter deletes a counter.
func (c Scaling) DeleteCounter(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteCounter", id, nil)
}

// CreateCondition starts the creation of a condition: counter operator (EQ GT LT GE LE) threshold. Conditions have no
// names: one whose answer was lost is the one of the owner that no answer has told of.
func (c Scaling) CreateCondition(ctx context.Context, counterID, operator string, threshold int64,
	o Owner) (*Creating[Condition], error) {
	p := o.params(Params{"counterid": counterID, "relationaloperator": operator, "threshold": threshold})
	look := unseen(c.caller, c.ListConditions, o.own(), func(x *Condition) (string, bool) {
		return x.Id, x.Relationaloperator == operator && x.Threshold == threshold
	})
	return create(ctx, c.caller, "createCondition", p, look, one(c.ListConditions, "listConditions", "id"))
}

// DeleteCondition deletes a condition.
func (c Scaling) DeleteCondition(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteCondition", id, nil)
}

// AutoScalePolicySpec is what createAutoScalePolicy takes.
type AutoScalePolicySpec struct {
	Name         string // unique for the account
	Action       string // scaleup, scaledown
	Duration     int    // seconds
	QuietTime    *int   // seconds; nil is the server's default of 300
	ConditionIDs []string
}

// CreateAutoScalePolicy starts the creation of a policy.
func (c Scaling) CreateAutoScalePolicy(ctx context.Context, s AutoScalePolicySpec) (*Creating[AutoScalePolicy], error) {
	p := Params{"action": s.Action, "duration": s.Duration, "conditionids": s.ConditionIDs}
	p.set("name", s.Name).set("quiettime", s.QuietTime)
	var look Look
	if s.Name != "" {
		look = lookFor(c.ListAutoScalePolicies, nil, func(x *AutoScalePolicy) (string, bool) {
			return x.Id, x.Name == s.Name && strings.EqualFold(x.Action, s.Action)
		})
	}
	return create(ctx, c.caller, "createAutoScalePolicy", p, look,
		one(c.ListAutoScalePolicies, "listAutoScalePolicies", "id"))
}

// DeleteAutoScalePolicy deletes a policy.
func (c Scaling) DeleteAutoScalePolicy(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteAutoScalePolicy", id, nil)
}

// AutoScaleVMProfileSpec is what createAutoScaleVmProfile takes.
type AutoScaleVMProfileSpec struct {
	Owner
	ZoneID, ServiceOfferingID, TemplateID string
	ExpungeGrace                          *int // seconds; nil is the server's default of 120
	// OtherDeployParams are further parameters of the members' deployment (rootdisksize, networkids, ...).
	OtherDeployParams map[string]string
}

// CreateAutoScaleVMProfile starts the creation of a profile. Profiles have no names: one whose answer was lost is the
// one of the owner that no answer has told of.
func (c Scaling) CreateAutoScaleVMProfile(ctx context.Context, s AutoScaleVMProfileSpec) (*Creating[AutoScaleVMProfile],
	error) {
	p := s.params(Params{"zoneid": s.ZoneID, "serviceofferingid": s.ServiceOfferingID, "templateid": s.TemplateID})
	p.set("expungevmgraceperiod", s.ExpungeGrace)
	p.pairs("otherdeployparams", s.OtherDeployParams)
	look := unseen(c.caller, c.ListAutoScaleVMProfiles, s.own(), func(x *AutoScaleVMProfile) (string, bool) {
		return x.Id, x.Serviceofferingid == s.ServiceOfferingID && x.Templateid == s.TemplateID
	})
	return create(ctx, c.caller, "createAutoScaleVmProfile", p, look,
		one(c.ListAutoScaleVMProfiles, "listAutoScaleVmProfiles", "id"))
}

// DeleteAutoScaleVMProfile deletes a profile.
func (c Scaling) DeleteAutoScaleVMProfile(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteAutoScaleVmProfile", id, nil)
}

// AutoScaleVMGroupSpec is what createAutoScaleVmGroup takes.
type AutoScaleVMGroupSpec struct {
	Name                                 string
	LBRuleID, VMProfileID                string // a rule has at most one group
	Min, Max                             int
	Interval                             *int // seconds; nil is the server's default of 30
	ScaleUpPolicyIDs, ScaleDownPolicyIDs []string
}

// CreateAutoScaleVMGroup starts the creation of a group.
func (c Scaling) CreateAutoScaleVMGroup(ctx context.Context, s AutoScaleVMGroupSpec) (*Creating[AutoScaleVMGroup],
	error) {
	p := Params{"lbruleid": s.LBRuleID, "vmprofileid": s.VMProfileID, "minmembers": s.Min, "maxmembers": s.Max,
		"scaleuppolicyids": s.ScaleUpPolicyIDs, "scaledownpolicyids": s.ScaleDownPolicyIDs}
	p.set("name", s.Name).set("interval", s.Interval)
	look := lookFor(c.ListAutoScaleVMGroups, Params{"lbruleid": s.LBRuleID}, func(g *AutoScaleVMGroup) (string,
		bool) {
		return g.Id, g.Lbruleid == s.LBRuleID
	})
	return create(ctx, c.caller, "createAutoScaleVmGroup", p, look,
		one(c.ListAutoScaleVMGroups, "listAutoScaleVmGroups", "id"))
}

// AutoScaleVMGroup reads one group.
func (c Scaling) AutoScaleVMGroup(ctx context.Context, id string) (*AutoScaleVMGroup, error) {
	return one(c.ListAutoScaleVMGroups, "listAutoScaleVmGroups", "id")(ctx, id)
}

// EnableAutoScaleVMGroup enables a group, with one push unless it is enabled already.
func (c Scaling) EnableAutoScaleVMGroup(ctx context.Context, id string) (*AutoScaleVMGroup, error) {
	return changed[AutoScaleVMGroup](ctx, c.caller, "enableAutoScaleVmGroup", id, nil)
}

// DisableAutoScaleVMGroup disables a group, with one push.
func (c Scaling) DisableAutoScaleVMGroup(ctx context.Context, id string) (*AutoScaleVMGroup, error) {
	return changed[AutoScaleVMGroup](ctx, c.caller, "disableAutoScaleVmGroup", id, nil)
}

// UpdateAutoScaleVMGroup changes name, minmembers, maxmembers, interval or policies of a disabled group, by the
// command's own names.
func (c Scaling) UpdateAutoScaleVMGroup(ctx context.Context, id string, change Params) (*AutoScaleVMGroup, error) {
	return changed[AutoScaleVMGroup](ctx, c.caller, "updateAutoScaleVmGroup", id, change)
}

// DeleteAutoScaleVMGroup deletes a group; cleanup destroys its VMs and is needed while it is enabled.
func (c Scaling) DeleteAutoScaleVMGroup(ctx context.Context, id string, cleanup bool) error {
	return c.finish(ctx, "deleteAutoScaleVmGroup", id, Params{"cleanup": cleanup})
}

// ListCounters calls listCounters.
func (c Scaling) ListCounters(ctx context.Context, filter Params) ([]*Counter, error) {
	return list[Counter](ctx, c.caller, "listCounters", "counter", filter)
}

// ListConditions calls listConditions.
func (c Scaling) ListConditions(ctx context.Context, filter Params) ([]*Condition, error) {
	return list[Condition](ctx, c.caller, "listConditions", "condition", everywhere(filter))
}

// ListAutoScalePolicies calls listAutoScalePolicies.
func (c Scaling) ListAutoScalePolicies(ctx context.Context, filter Params) ([]*AutoScalePolicy, error) {
	return list[AutoScalePolicy](ctx, c.caller, "listAutoScalePolicies", "autoscalepolicy", everywhere(filter))
}

// ListAutoScaleVMProfiles calls listAutoScaleVmProfiles.
func (c Scaling) ListAutoScaleVMProfiles(ctx context.Context, filter Params) ([]*AutoScaleVMProfile, error) {
	return list[AutoScaleVMProfile](ctx, c.caller, "listAutoScaleVmProfiles", "autoscalevmprofile", everywhere(filter))
}

// ListAutoScaleVMGroups calls listAutoScaleVmGroups.
func (c Scaling) ListAutoScaleVMGroups(ctx context.Context, filter Params) ([]*AutoScaleVMGroup, error) {
	return list[AutoScaleVMGroup](ctx, c.caller, "listAutoScaleVmGroups", "autoscalevmgroup", everywhere(filter))
}
