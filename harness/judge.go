package harness

import usageprobe "github.com/stackproof/stackproof/probes/usage"

// UsageJudge says what does not hold of usage rows; before is the look before, nil without one.
type UsageJudge func(before *usageprobe.Snapshot, after usageprobe.Snapshot) []usageprobe.Violation

// JudgeUsage is the judge of every run: I1 to I9 and I12.
func JudgeUsage(before *usageprobe.Snapshot, after usageprobe.Snapshot) []usageprobe.Violation {
	return append(usageprobe.Invariants(before, after, usageprobe.Touched{}), usageprobe.Says(before, after)...)
}
