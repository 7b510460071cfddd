package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// thresholds: on the simulator CPU is at 10 %, so that a threshold of 10 is met exactly.
func thresholds() harness.Scenario {
	return harness.Scenario{
		ID: "A-20", Title: "a condition holds at its threshold where it should, a disabled group does not act, one " +
			"member too many goes, and members are as their profile says",
		Group: result.GroupAutoscale, Guards: []string{"#9587"}, Needs: []harness.Capability{harness.API,
			harness.PushLog, harness.TimeTravel},
		Twins: []release.Knob{fault.AtLeastIsMore, fault.DisabledGroupActs, fault.OneTooManyStays,
			fault.MemberSettingsLost},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			at := func(operator string) story.When {
				return story.When{Source: "CPU", Operator: operator, Threshold: 10}
			}
			least, more := tier.GroupOf("at-least", 1, at("GE")), tier.GroupOf("more", 1, at("GT"))
			most, less := tier.GroupOf("at-most", 1, at("LE")), tier.GroupOf("less", 1, at("LT"))
			equal, asleep := tier.GroupOf("equal", 1, at("EQ")), tier.GroupOf("asleep", 1, at("EQ"))
			crowd := tier.Group("crowd", 3)
			t.AwaitMembers(least, more, most, less, equal, asleep, crowd)
			asleep.Disable()
			crowd.Disable()
			crowd.Resize(1, 2)
			crowd.Enable()
			t.PassSeconds(10 * 60) // the quiet time after the first members, and some
			least.Members, most.Members, equal.Members, crowd.Members = 2, 2, 2, 2
			for _, g := range []*story.Group{least, more, most, less, equal, asleep, crowd} {
				t.ExpectMembers(g)
			}
			t.ExpectContent(tier)
			vpc := account.VPC()
			wardrobe, other := vpc.Tier(), account.Isolated()
			wardrobe.MemberDisks()
			wardrobe.MembersJoin(other)
			dressed := wardrobe.Group("dressed", 2)
			dressed.Settle()
			t.ExpectMembers(dressed)
			t.ExpectDressed(dressed, other)
		}),
	}
}
