package story_test

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/story"
)

// A story of one's own on a lab of 4.20.3.0. It has a control: the rule that is not deleted.
func ExampleOf() {
	ctx := context.Background()
	target, err := lab.New(lab.Options{Release: "4.20.3.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = target.Close(ctx) }()
	mine := harness.Scenario{
		ID: "MY-01", Title: "a rule stays billed beside a deleted one",
		Needs: []harness.Capability{harness.API, harness.UsageDB, harness.UsageRun},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			account.Skew(20)
			rules := account.VPC().Tier().LoadBalancers(2)
			t.Drain()
			t.RequireOpen(rules...)
			t.RequireApart(rules...)
			rules[0].Delete()
			t.DrainThrough(1)
			t.ExpectClosed(rules[0])
			t.ExpectOpen(rules[1])
		}),
	}
	c := harness.RunScenario(ctx, target, mine, harness.Plan{Seed: 1})
	fmt.Println(c.ID, c.Verdict, c.Reason)
	// Output: MY-01 pass
}
