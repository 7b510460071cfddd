package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// mappedOnce needs a zone that is thrown away: a rule with a member that is there twice is stuck. Whether the call is
// refused or puts the second address alone behind the rule is its own matter. The control is a VM that is not there
// yet.
func mappedOnce() harness.Scenario {
	return harness.Scenario{
		ID: "L-68", Title: "a VM that is behind a rule is not put there once more beside its second address",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#13015"},
		Needs: []harness.Capability{harness.API, harness.PushLog, harness.TimeTravel},
		KnownBad: known(release.MemberMappedTwice, "#13015: the check looks at the addresses of vmidipmap alone, and "+
			"no key forbids a second row any more (docs/findings/member-mapped-twice.md)", result.MappedTwice),
		Cures: []release.Knob{release.MemberMappedTwice.Off()},
		Twins: []release.Knob{release.MemberMappedTwice, fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vm, fresh := tier.NewVM(), tier.NewVM()
			second, freshSecond := vm.SecondAddress(), fresh.SecondAddress()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"})
			t.ExpectCarriedOut(r.TryAssignWith(freshSecond), "putting a VM with both its addresses behind A")
			t.ExpectMemberAddresses(r, result.WrongMembers, fresh.IP, freshSecond.IP)
			r.Assign(vm)
			t.ExpectMemberAddresses(r, result.WrongMembers, fresh.IP, freshSecond.IP, vm.IP)
			if r.TryAssignWith(second) == nil {
				t.ExpectMemberAddresses(r, result.MappedTwice, fresh.IP, freshSecond.IP, vm.IP, second.IP)
			} else {
				t.ExpectMemberAddresses(r, result.HalfChanged, fresh.IP, freshSecond.IP, vm.IP)
			}
			t.ExpectContent(tier)
		}),
	}
}

// takenTwice needs a clock that stands still between two calls: of jobs that are asked for, no two end in one second.
// The control is the same with seconds between.
func takenTwice() harness.Scenario {
	return harness.Scenario{
		ID: "L-69", Title: "a VM can be taken from a rule twice within a second", Group: result.GroupLB, Priority: 2,
		Guards: []string{"#13015"}, Needs: []harness.Capability{harness.API, harness.PushLog, harness.TimeTravel},
		KnownBad: known(release.RemovedTwiceFails, "#13015: both rows of a member would have one date of removal, "+
			"which their key forbids", result.RemovedTwice, result.ServerException),
		Cures: []release.Knob{release.RemovedTwiceFails.Off()},
		Twins: []release.Knob{release.RemovedTwiceFails, fault.MemberMissing},
		Run: story.Of(func(t *story.T) {
			t.JudgesPushesItself() // the removal that fails is in a push
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(vms...)
			t.TakeTwice(r, vms[0], func() { t.PassSeconds(2) })
			t.ExpectMemberAddresses(r, result.WrongMembers, vms[1].IP)
			r.Assign(vms[0])
			t.PassSeconds(2)
			t.TakeTwice(r, vms[0], func() {})
			t.PassSeconds(2)
			t.ExpectChangeable(r, nil) // and with its push goes what was left
			t.ExpectMemberAddresses(r, result.WrongMembers, vms[1].IP)
			t.ExpectContent(tier)
		}),
	}
}
