package zone

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/autoscale"
)

func (b *bench) theGroup() obj { return b.one("listAutoScaleVmGroups", "autoscalevmgroup") }

func TestGroupLifeCycle(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	a := b.address(site.vpc)
	rule := b.rule(a, site.tier, "G", 80)
	internal := b.count("SELECT id FROM cloud.firewall_rules WHERE uuid=?", rule)
	group := b.group(rule, 2)
	assert.Equal(t, "Active", b.ruleState(rule), "a group makes an empty rule active")
	assert.Equal(t, "ENABLED", b.theGroup()["state"])
	b.advance(9 * time.Second)
	assert.EqualValues(t, 0, b.theGroup()["availablevirtualmachinecount"], "nothing before one interval")
	b.advance(2 * time.Second)
	assert.EqualValues(t, 2, b.theGroup()["availablevirtualmachinecount"])
	members := b.call("listLoadBalancerRuleInstances", "id="+rule)["loadbalancerruleinstance"].([]any)
	require.Len(t, members, 2)
	assert.Regexp(t, `^autoScaleVm-grp-1-[a-z]{6}$`, members[0].(obj)["name"])
	assert.Regexp(t, `^autoScaleVm-grp-2-[a-z]{6}$`, members[1].(obj)["name"])
	member := members[0].(obj)["id"].(string)
	b.advance(time.Minute)
	assert.EqualValues(t, 2, b.theGroup()["availablevirtualmachinecount"], "min=max neither grows nor shrinks")

	t.Run("guards", func(t *testing.T) {
		refusedDelete := fmt.Sprintf("530 Cannot delete load balancer rule %d because it is being used by 1 "+
			"Autoscale VM group.", internal)
		assert.Equal(t, refusedDelete, b.broken("deleteLoadBalancerRule", "id="+rule))
		assert.Equal(t, refusedDelete, b.broken("disassociateIpAddress", "id="+a))
		assert.Equal(t, "530 Failed to assign load balancer rule", b.broken("assignToLoadBalancerRule", "id="+rule,
			"virtualmachineids="+site.vms[0]))
		assert.Equal(t, "431 Failed to remove instance from load balancer rule",
			b.broken("removeFromLoadBalancerRule", "id="+rule, "virtualmachineids="+member))
		assert.Equal(t, "431 An AutoScale Vm Group can be updated with minMembers/maxMembers/Interval only when "+
			"it is in disabled state",
			b.broken("updateAutoScaleVmGroup", "id="+group, "minmembers=1"))
		assert.Equal(t, "431 Cannot delete autoscale vm group id : 1 because it is in ENABLED state. Please "+
			"disable it or pass cleanup=true flag which will destroy all VMs.",
			b.broken("deleteAutoScaleVmGroup", "id="+group))
		const busy = "431 Cannot perform actions on VM in an AutoScale VM group, Please disable the VM group and retry."
		assert.Equal(t, busy, b.broken("stopVirtualMachine", "id="+member))
		assert.Equal(t, busy, b.broken("destroyVirtualMachine", "id="+member))
		assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.usage_event WHERE type='LB.DELETE'"), "a refusal "+
			"leaves no event")
		second := b.refused("createAutoScaleVmGroup", "lbruleid="+rule, "minmembers=1", "maxmembers=1", "name=x",
			"scaleuppolicyids="+b.policyID("up"),
			"scaledownpolicyids="+b.policyID("down"), "vmprofileid="+b.theGroup()["vmprofileid"].(string))
		assert.Equal(t, 431, second.Code)
		assert.Contains(t, second.Text, "already attached")
	})

	b.job("disableAutoScaleVmGroup", "id="+group)
	assert.Equal(t, "DISABLED", b.theGroup()["state"])
	assert.EqualValues(t, 2, b.theGroup()["availablevirtualmachinecount"], "members stay")
	assert.Contains(t, b.broken("deleteLoadBalancerRule", "id="+rule), "530 ", "a disabled group guards its rule "+
		"as well")
	assert.Contains(t, b.broken("deleteAutoScaleVmGroup", "id="+group), "because there are 2 VMs.")
	b.job("removeFromLoadBalancerRule", "id="+rule, "virtualmachineids="+member)
	assert.EqualValues(t, 1, b.theGroup()["availablevirtualmachinecount"], "a VM that leaves the rule of a "+
		"disabled group leaves the group")
	b.advance(time.Minute)
	assert.EqualValues(t, 1, b.theGroup()["availablevirtualmachinecount"], "a disabled group is not monitored")
	b.job("enableAutoScaleVmGroup", "id="+group)
	b.advance(11 * time.Second)
	assert.EqualValues(t, 2, b.theGroup()["availablevirtualmachinecount"])
	b.job("deleteAutoScaleVmGroup", "id="+group, "cleanup=true")
	assert.Empty(t, b.call("listAutoScaleVmGroups"))
	assert.Equal(t, "Add", b.ruleState(rule))
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.usage_event WHERE type='LB.DELETE'"))
	assert.Zero(t, b.count("SELECT COUNT(*) FROM cloud.autoscale_vmgroup_vm_map"))
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.autoscale_vmgroups WHERE removed IS NOT NULL AND "+
		"state='REVOKE'"))
	b.job("deleteLoadBalancerRule", "id="+rule)
}

// policyID is the policy of the group at hand.
func (b *bench) policyID(direction string) string {
	b.Helper()
	return b.theGroup()["scale"+direction+"policies"].([]any)[0].(obj)["id"].(string)
}

func TestGroupCreateChecks(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	used, free := b.rule(b.address(site.vpc), site.tier, "U", 80), b.rule(b.address(site.vpc), site.tier, "F", 80)
	b.group(b.rule(b.address(site.vpc), site.tier, "G", 80), 1)
	b.job("assignToLoadBalancerRule", "id="+used, "virtualmachineids="+site.vms[0])
	base := func(words ...string) []string {
		return append([]string{"lbruleid=" + free, "minmembers=1", "maxmembers=2", "name=x",
			"scaleuppolicyids=" + b.policyID("up"),
			"scaledownpolicyids=" + b.policyID("down"), "vmprofileid=" + b.theGroup()["vmprofileid"].(string)},
			words...)
	}
	for text, words := range map[string][]string{
		"there are Vms already bound":                                 base("lbruleid=" + used),
		"minmembers is an invalid value: 0":                           base("minmembers=0"),
		"maxmembers is an invalid value: -1":                          base("maxmembers=-1"),
		"minmembers (3)cannot be greater than maxmembers (2)":         base("minmembers=3"),
		"interval is an invalid value: 0":                             base("interval=0"),
		"cannot be less than vm group's interval : 61":                base("interval=61"),
		"Invalid AutoScale VM group name":                             base("name=no blanks"),
		"Only scaleup policies can be specified in scaleuppolicyids":  base("scaleuppolicyids=" + b.policyID("down")),
		"Unable to execute API command autoscalevmgroup due to":       base("vmprofileid=nobody"),
		"Unable to execute API command autoscalevmgroup due to inval": base("minmembers=two"),
	} {
		e := b.refused("createAutoScaleVmGroup", words...)
		assert.Equal(t, 431, e.Code, text)
		assert.Contains(t, e.Text, text)
	}
	plain := b.refused("createAutoScaleVmProfile", "zoneid="+b.z.net.Site.UUID,
		"serviceofferingid="+b.offering("listServiceOfferings", "serviceoffering", "Small"),
		"templateid="+b.offering("listTemplates", "template", "CentOS"), "otherdeployparams=networkids=x")
	assert.Equal(t, "Unable to execute API command autoscalevmprofile due to invalid value networkids=x for "+
		"parameter otherdeployparams", plain.Text)
}

func TestFailingGroupPushes(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(1)
	rule := b.rule(b.address(site.vpc), site.tier, "G", 80)
	group := b.group(rule, 1)
	b.failing(true)
	assert.Equal(t, "530 Failed to disable AutoScale Vm Group", b.broken("disableAutoScaleVmGroup", "id="+group))
	assert.Equal(t, "ENABLED", b.theGroup()["state"])
	b.failing(false)
	b.job("disableAutoScaleVmGroup", "id="+group)
	b.failing(true)
	assert.Equal(t, "530 Failed to enable AutoScale Vm Group", b.broken("enableAutoScaleVmGroup", "id="+group))
	assert.Equal(t, "DISABLED", b.theGroup()["state"])
	assert.Equal(t, "530 Failed to delete autoscale vm group", b.broken("deleteAutoScaleVmGroup", "id="+group))
	assert.Equal(t, "DISABLED", b.theGroup()["state"])
	b.failing(false)
	b.job("deleteAutoScaleVmGroup", "id="+group)
	assert.Empty(t, b.call("listAutoScaleVmGroups"))
}

// CPU is always 10 % on the simulator: GT 5 always scales up, until the maximum; scaling down to the bound takes
// the last member out at once and destroys it after the grace period.
func TestScaling(t *testing.T) {
	b := newBench(t, "4.20.0.0")
	site := b.vpcSite(0)
	rule := b.rule(b.address(site.vpc), site.tier, "G", 80)
	group := b.group(rule, 1)
	b.job("disableAutoScaleVmGroup", "id="+group)
	g := b.z.autoscale.GroupByUUID(group)
	b.z.kernel.Lock()
	g.Up[0].Conditions[0].Threshold = 5
	b.z.kernel.Unlock()
	b.job("updateAutoScaleVmGroup", "id="+group, "maxmembers=3")
	b.job("enableAutoScaleVmGroup", "id="+group)
	b.advance(11 * time.Second)
	assert.EqualValues(t, 1, b.theGroup()["availablevirtualmachinecount"])
	b.advance(4 * time.Minute)
	assert.EqualValues(t, 1, b.theGroup()["availablevirtualmachinecount"], "quiet time of 300 s since the first member")
	b.advance(20 * time.Minute)
	assert.EqualValues(t, 3, b.theGroup()["availablevirtualmachinecount"])
	b.job("disableAutoScaleVmGroup", "id="+group)
	b.job("updateAutoScaleVmGroup", "id="+group, "maxmembers=2")
	b.job("enableAutoScaleVmGroup", "id="+group)
	last := g.Rule.Members[2].VM
	b.taken()
	b.advance(11 * time.Second)
	pushes := b.taken()
	require.Equal(t, 1, len(pushes))
	assert.Equal(t, "true", balancer(t, pushes[0], rule).Destinations[2].Revoked)
	assert.Equal(t, "SCALING", b.theGroup()["state"])
	assert.Equal(t, "Running", last.State, "it lives on for the grace period")
	b.advance(2 * time.Minute)
	assert.False(t, last.Removed.IsZero())
	assert.Equal(t, "ENABLED", b.theGroup()["state"])
	assert.EqualValues(t, 2, b.theGroup()["availablevirtualmachinecount"])
}

// Members that do not start stay stopped in the group, one more each interval without end. Where the defect is switched
// off they are destroyed, and after the threshold no more are made.
func TestFailingStarts(t *testing.T) {
	off := release.AutoscaleUnboundedRetries.Off()
	for name, c := range map[string]struct {
		release            string
		knobs              []release.Knob
		made, left, events int
	}{
		"4.20.1.0": {"4.20.1.0", nil, 20, 20, 0},
		"4.22.1.0": {"4.22.1.0", nil, 20, 20, 0},
		"cured": {"4.20.3.0", []release.Knob{off}, autoscale.ErroredThreshold + 1, 0,
			autoscale.ErroredThreshold + 1},
	} {
		b := newBench(t, c.release, c.knobs...)
		site := b.vpcSite(0)
		rule := b.rule(b.address(site.vpc), site.tier, "G", 80)
		b.call("configureSimulator", "zoneid="+b.z.net.Site.UUID, "name=StartCommand", "value=result:fail")
		b.group(rule, 2)
		b.advance(201 * time.Second)
		made := "SELECT COUNT(*) FROM cloud.vm_instance WHERE name LIKE 'autoScaleVm%'"
		assert.Equal(t, c.made, b.count(made), name)
		assert.Equal(t, c.left, b.count(made+" AND removed IS NULL AND state='Stopped'"), name)
		assert.Equal(t, c.left, b.count("SELECT COUNT(*) FROM cloud.autoscale_vmgroup_vm_map"), name)
		assert.Equal(t, c.events, b.count("SELECT COUNT(*) FROM cloud.event WHERE type='AUTOSCALEVMGROUP.SCALEUP' "+
			"AND level='ERROR'"), name)
		b.call("cleanupSimulatorMock", "id=1")
	}
}

// groupFaults says how each planted fault shows on a group of two members whose rule has a policy.
func groupFaults() map[release.Knob]func(b *bench, rule, group string) {
	return map[release.Knob]func(b *bench, rule, group string){
		fault.EnableWithoutPush: func(b *bench, _, group string) {
			b.job("disableAutoScaleVmGroup", "id="+group)
			b.taken()
			b.job("enableAutoScaleVmGroup", "id="+group)
			assert.Empty(b, b.taken())
		},
		fault.DisableWithoutPush: func(b *bench, _, group string) {
			b.job("disableAutoScaleVmGroup", "id="+group)
			assert.Empty(b, b.taken())
		},
		fault.PolicyRemovedOnDisable: func(b *bench, rule, group string) {
			b.job("disableAutoScaleVmGroup", "id="+group)
			b.job("enableAutoScaleVmGroup", "id="+group)
			p := b.taken()
			assert.Empty(b, balancer(b, p[len(p)-1], rule).Stickiness)
		},
		fault.PolicyNotRemoved: func(b *bench, rule, _ string) {
			policy := b.one("listLBStickinessPolicies", "stickinesspolicies",
				"lbruleid="+rule)["stickinesspolicy"].([]any)[0].(obj)["id"].(string)
			b.job("disableAutoScaleVmGroup", "id="+b.theGroup()["id"].(string))
			b.job("deleteLBStickinessPolicy", "id="+policy)
			p := b.taken()
			assert.Len(b, balancer(b, p[len(p)-1], rule).Stickiness, 1)
		},
		fault.MembersLostOnDisable: func(b *bench, rule, group string) {
			b.job("disableAutoScaleVmGroup", "id="+group)
			assert.Empty(b, b.call("listLoadBalancerRuleInstances", "id="+rule))
		},
		fault.GuardMissing: func(b *bench, rule, _ string) { b.job("deleteLoadBalancerRule", "id="+rule) },
		fault.EnabledUpdateAllowed: func(b *bench, _, group string) {
			b.job("updateAutoScaleVmGroup", "id="+group, "maxmembers=4")
		},
		fault.MemberGuardMissing: func(b *bench, rule, _ string) {
			member := b.call("listLoadBalancerRuleInstances",
				"id="+rule)["loadbalancerruleinstance"].([]any)[0].(obj)["id"].(string)
			b.job("stopVirtualMachine", "id="+member)
		},
		fault.RuleUnlisted: func(b *bench, _, group string) {
			b.job("disableAutoScaleVmGroup", "id="+group)
			assert.Empty(b, b.call("listLoadBalancerRules"))
		},
		fault.StickyListEmpty: func(b *bench, rule, _ string) {
			assert.Empty(b, b.one("listLBStickinessPolicies", "stickinesspolicies",
				"lbruleid="+rule)["stickinesspolicy"])
		},
		fault.GroupDeleteEndsRule: func(b *bench, _, group string) {
			b.job("deleteAutoScaleVmGroup", "id="+group, "cleanup=true")
			assert.Equal(b, 1, b.count("SELECT COUNT(*) FROM cloud.usage_event WHERE type='LB.DELETE'"))
		},
	}
}

func TestGroupFaults(t *testing.T) {
	prepare := func(t *testing.T, knob release.Knob) (*bench, string, string) {
		b := newBench(t, "4.20.1.0", knob)
		site := b.vpcSite(0)
		rule := b.rule(b.address(site.vpc), site.tier, "G", 80)
		group := b.group(rule, 2)
		b.advance(11 * time.Second)
		b.job("createLBStickinessPolicy", "lbruleid="+rule, "name=s", "methodname=SourceBased")
		b.taken()
		return b, rule, group
	}
	for knob, check := range groupFaults() {
		t.Run(string(knob), func(t *testing.T) {
			b, rule, group := prepare(t, knob)
			check(b, rule, group)
		})
	}
	t.Run(string(fault.MonitorBlind), func(t *testing.T) {
		b, _, _ := prepare(t, fault.MonitorBlind)
		assert.EqualValues(t, 0, b.theGroup()["availablevirtualmachinecount"])
	})
}

// A condition can be changed while every group that uses it is disabled, and the answer is the condition.
func TestUpdateCondition(t *testing.T) {
	for release, named := range map[string]string{
		"4.20.0.0": `^536 Cannot update condition \d+ as it is being used in 1 vm groups NOT in Disabled state\.$`,
		"4.20.1.0": `^536 Cannot update condition Condition \{"id":\d+,"uuid":"[0-9a-f-]{36}"\} as ` +
			`it is being used in 1 vm groups NOT in Disabled state\.$`,
	} {
		t.Run(release, func(t *testing.T) {
			b := newBench(t, release)
			site := b.vpcSite(1)
			group := b.group(b.rule(b.address(site.vpc), site.tier, "G", 80), 2)
			up := b.one("listConditions", "condition", "policyid="+b.policyID("up"))
			change := []string{"id=" + up["id"].(string), "relationaloperator=le", "threshold=7"}
			assert.Regexp(t, named, b.broken("updateCondition", change...))
			assert.Equal(t, up, b.one("listConditions", "condition", "policyid="+b.policyID("up")),
				"a refusal changes nothing")

			b.job("disableAutoScaleVmGroup", "id="+group)
			changed := b.job("updateCondition", change...)["condition"].(obj)
			assert.Equal(t, "LE", changed["relationaloperator"])
			assert.EqualValues(t, 7, changed["threshold"])
			assert.Equal(t, changed, b.one("listConditions", "condition", "policyid="+b.policyID("up")))

			assert.Equal(t, "431 The Operator NE does not exist; Unable to update Condition.",
				b.broken("updateCondition", change[0], "relationaloperator=ne", "threshold=7"))
			assert.Equal(t, "431 The threshold -1 must be equal to or greater than 0.",
				b.broken("updateCondition", change[0], "relationaloperator=LE", "threshold=-1"))
		})
	}
}
