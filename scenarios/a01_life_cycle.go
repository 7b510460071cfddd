package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func groupLifeCycle() harness.Scenario {
	return harness.Scenario{
		ID: "A-01", Title: "each step of a group's life sends its pushes, with all rules in them",
		Group: result.GroupAutoscale, Priority: 1,
		Guards: []string{"#9583", "#5553"}, Needs: []harness.Capability{harness.API, harness.PushLog},
		Twins: []release.Knob{fault.GroupCreateWithoutPush, fault.EnableWithoutPush, fault.DisableWithoutPush,
			fault.UpdateWithPush, fault.PushLostMembers,
			fault.MemberCreatedTwice, fault.MembersLostOnDisable, fault.MonitorBlind, fault.PolicyRemovedOnDisable,
			fault.PushPartial, fault.RuleUnlisted,
			fault.PushLostWhileEnabled},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			sibling := tier.LoadBalancer("sibling").Assign(tier.VMs(2)...)
			sibling.Stick()
			pushes := tier.CountPushes()
			g := tier.Group("group", 2)
			pushes.ExpectSent("createAutoScaleVmGroup", 1)
			g.Settle()
			t.ExpectMembers(g)
			pushes.ExpectSent("bringing two members", 2)
			g.Stick()
			pushes.ExpectSent("a policy on the enabled group's rule", 1)
			t.ExpectContent(tier, g.Rule, sibling)
			g.Disable()
			pushes.ExpectSent("disableAutoScaleVmGroup", 1)
			t.ExpectContent(tier, g.Rule, sibling)
			t.ExpectMembers(g)
			g.Resize(2, 2)
			pushes.ExpectSent("updateAutoScaleVmGroup", 0)
			g.Enable()
			pushes.ExpectSent("enableAutoScaleVmGroup", 1)
			t.ExpectContent(tier, g.Rule, sibling)
			g.DeleteGroup()
			pushes.ExpectSent("deleteAutoScaleVmGroup with two members", 3)
			t.ExpectContent(tier, sibling)
		}),
	}
}
