package scenarios

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func answerForms() harness.Scenario {
	return harness.Scenario{
		ID: "U-36", Title: "usage records, usage types and refusals are answered in the form of their release",
		Group: result.GroupUsage, Priority: 2,
		Guards: []string{"#8243"}, Needs: usageNeeds(),
		Twins: []release.Knob{release.UsageDatesAsString, release.UsageTypeJSONOld, release.NoDomainPath,
			release.AnswerFieldsOld, release.ErrorCommandCut},
		Run: story.Of(func(t *story.T) {
			rule := t.NewAccount().VPC().Tier().LoadBalancer("A")
			t.DrainUnjudged()
			t.ExpectForms(rule)
		}),
	}
}
