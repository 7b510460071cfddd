package reports

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/result"
)

func TestDefectsAreALineEach(t *testing.T) {
	run := result.Run{Release: "4.22.1.0", Results: []result.Case{
		{ID: "U-01", Verdict: result.Pass},
		{ID: "L-07", Verdict: result.Fail, Known: true, KnownWhy: "#14131: keep-alive writes\nan option",
			Reason: "it froze"},
		{ID: "L-01", Verdict: result.Fail, Reason: "nobody is sticky"},
	}}
	told := Defects(run, 0)
	assert.Equal(t, "4.22.1.0: 1 of 3 scenarios show a known defect, and 1 fail without being known (marked !)\n"+
		"L-01 ! nobody is sticky\nL-07   #14131: keep-alive writes an option\n", told)
	for _, l := range strings.Split(Defects(run, 20), "\n")[1:] {
		assert.LessOrEqual(t, len([]rune(l)), 20, l)
	}
	assert.NotContains(t, Defects(result.Run{Release: "4.22.1.0"}, 0), "marked")
}
