package result

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestClassesAreSaidOnce: a class without a sentence says nothing to who reads a report.
func TestClassesAreSaidOnce(t *testing.T) {
	seen := map[Class]bool{}
	for _, c := range Classes() {
		assert.False(t, seen[c.Class], "%s is there twice", c.Class)
		seen[c.Class] = true
		assert.True(t, strings.HasSuffix(c.About, ".") && strings.Count(c.About, ". ") == 0, "%s: one sentence, not %q",
			c.Class, c.About)
	}
	for _, c := range Classes() {
		for _, cause := range c.Follows {
			assert.True(t, seen[cause], "%s follows from %s, which is no class", c.Class, cause)
		}
	}
}

// TestConsequencesAreNoFindingsOfTheirOwn: a leaked row is billed on, and that is one fact; an independent failure of
// the same resource is another.
func TestConsequencesAreNoFindingsOfTheirOwn(t *testing.T) {
	leak := Finding{Says: "the row is open", Subject: "rule 1", Class: LeakedRow}
	billed := Finding{Says: "it is billed on", Subject: "rule 1", Class: BilledAfterEnd}
	for name, order := range map[string][]Finding{"cause first": {leak, billed}, "consequence first": {billed, leak}} {
		var all []Finding
		for _, f := range order {
			all = AddFinding(all, f)
		}
		if assert.Len(t, all, 1, name) {
			assert.Equal(t, Finding{Says: leak.Says, Subject: "rule 1", Class: LeakedRow,
				Numbers: []string{billed.Says}}, all[0], name)
		}
	}
	other := Finding{Says: "its event is missing", Subject: "rule 1", Class: WrongEvent}
	elsewhere := Finding{Says: "another one is billed on", Subject: "rule 2", Class: BilledAfterEnd}
	assert.Len(t, AddFinding(AddFinding([]Finding{leak}, other), elsewhere), 3)
}
