package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// unusualInputs is what scenarios otherwise never do: the control of each name is that the other rules have theirs.
func unusualInputs() harness.Scenario {
	return harness.Scenario{
		ID: "U-43", Title: "names with quotes, brackets, foreign letters and 255 characters, a VM assigned twice, " +
			"and a VM of two NICs destroyed whole", Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#10789"}, Needs: append(usageNeeds(), harness.PushLog), KnownBad: helperIDBug(),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.NameMangled, fault.SecondNICStays,
			fault.AssignedAgain, fault.UsageNICCloseNothing},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccountCalled(".Of-Anna.O'Neil")
			account.Skew(20)
			tier := account.VPC().Tier()
			rules := []*story.Rule{tier.LoadBalancerAs("quoted", story.Form{End: ` "a" 'b' \\ c;`}),
				tier.LoadBalancerAs("tagged", story.Form{End: " <b>&amp;</b>"}),
				tier.LoadBalancerAs("foreign", story.Form{End: " Zürich 負荷"}),
				tier.LoadBalancerAs("long", story.Form{Length: 255})}
			t.ExpectNamed(rules...)
			vm := tier.NewVM()
			vm.Join(account.Isolated())
			nics := story.BilledAll(vm.NICs()...)
			rules[0].Assign(vm)
			pushes := tier.CountPushes()
			t.ExpectRefusal(rules[0].TryAssign(vm), 530, "putting a VM behind the rule that has it")
			pushes.ExpectSent("an assignment that was refused", 0)
			t.ExpectContent(tier)
			t.Drain()
			t.RequireOpen(rules...)
			t.RequireApart(rules...)
			t.RequireRowOpen(nics...)
			vm.Destroy()
			vm.Expunge()
			rules[0].Delete()
			rules[3].Delete()
			t.ExpectGone(rules[0], rules[3])
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(nics...)
			t.ExpectNotBilledNow(nics...)
			t.ExpectClosed(rules[0], rules[3])
			t.ExpectOpen(rules[1], rules[2])
		}),
	}
}
