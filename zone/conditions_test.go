package zone

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

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
