package chaos

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/result"
)

// A verdict that is other, missing, or there besides is named; equal ones are not, whatever their reasons.
func TestDifferences(t *testing.T) {
	of := func(verdicts map[string]result.Verdict) (s Slowed) {
		for _, id := range []string{"L-01", "U-01", "U-02"} {
			if v, ok := verdicts[id]; ok {
				s.Cases = append(s.Cases, result.Case{ID: id, Verdict: v, Reason: "why " + id})
			}
		}
		return s
	}
	quiet := of(map[string]result.Verdict{"L-01": result.Pass, "U-01": result.Fail})
	assert.Empty(t, quiet.Differences(quiet))
	assert.Equal(t, []string{"L-01: inconclusive, quiet pass: why L-01"},
		of(map[string]result.Verdict{"L-01": result.Inconclusive, "U-01": result.Fail}).Differences(quiet))
	assert.Equal(t, []string{"L-01: no verdict, quiet pass", "U-02: pass, quiet none: why U-02"},
		of(map[string]result.Verdict{"U-01": result.Fail, "U-02": result.Pass}).Differences(quiet))
}

// A quiet run that is undecided, or finds what nobody knows of, is no measure. What the release or the target makes so
// is one.
func TestUnsound(t *testing.T) {
	sound := Slowed{Cases: []result.Case{{ID: "U-01", Verdict: result.Pass},
		{ID: "U-03", Verdict: result.Inconclusive, ByDesign: true}, {ID: "U-09", Verdict: result.Fail, Known: true},
		{ID: "U-11", Verdict: result.Unsupported}}}
	assert.Empty(t, sound.Unsound())
	for want, spoiled := range map[string]result.Case{
		"L-04: inconclusive: late": {ID: "L-04", Verdict: result.Inconclusive, Reason: "late"},
		"U-08: fail: twice":        {ID: "U-08", Verdict: result.Fail, Reason: "twice"},
	} {
		assert.Equal(t, []string{want}, Slowed{Cases: append(sound.Cases, spoiled)}.Unsound())
	}
	assert.Equal(t, []string{"it has no verdicts"}, Slowed{}.Unsound())
	sound.Hung = true
	assert.Equal(t, []string{"it was killed at its bound"}, sound.Unsound())
}
