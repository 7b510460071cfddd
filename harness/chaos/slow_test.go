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
