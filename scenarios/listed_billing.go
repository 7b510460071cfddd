package scenarios

import "github.com/stackproof/stackproof/harness/story"

// listedBilling is the story of U-01 and U-07 as far as the API alone can tell it: records of a deleted rule stop,
// after a part of the window, those of its neighbours go on.
func listedBilling(t *story.T) {
	account := t.NewAccount()
	account.SkewBlind(20)
	rules := account.VPC().Tier().LoadBalancers(3)
	t.PassRuns(1)
	t.PassHalfWindow()
	t.ExpectListedBilling(rules[1], rules[0], rules[2])
}
