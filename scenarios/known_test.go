package scenarios_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios"
)

// beside are faults that have nothing to do with the known defect of a scenario, and that it meets.
func beside() map[string][]release.Knob {
	return map[string][]release.Knob{
		"U-09": {fault.UsageRecordRounded, fault.DeleteEventTwice, fault.MemberMissing},
		"U-17": {fault.UsageNICCloseNothing, fault.UsageSkipWindow},
		"U-18": {fault.UsageReleaseAnyAccount, fault.UsageSkipWindow},
		"U-24": {fault.UsageVolumeCloseWrongDate, fault.UsageCloseHourOff},
		"U-27": {fault.UsageVMSnapshotCloseNothing, fault.UsageOverlapWindow},
		"U-29": {fault.UsageAggregationGMT, fault.UsageDayOf24Hours},
		"U-31": {fault.UsageVPNCloseNothing, fault.UsageGapWindow},
		"U-56": {fault.UsageBackupSizeIgnored, fault.UsageSkipWindow},
		"L-05": {fault.PolicyDropped, fault.RouterFileStale},
		"L-09": {fault.PolicyWrongRule, fault.FailedPushSucceeds},
		"L-10": {fault.MemberMissing, fault.RouterServerMissing},
		"L-19": {fault.SecondPolicyKept, fault.PolicyNotRemoved},
		"L-21": {fault.KeepAlivePushed, fault.PushLost},
		"A-05": {fault.PushLostMembers, fault.InstanceListShort},
		"A-06": {fault.MembersLostOnDisable},
		"A-09": {fault.MemberMissing, fault.RouterServerMissing},
		"A-12": {fault.InstanceListShort},
	}
}

// TestKnownFailuresExcuseNothingElse plants a second fault beside each known failure of the newest release whose usage
// server is sound: it must become a plain failure, and without the second fault stay known.
func TestKnownFailuresExcuseNothingElse(t *testing.T) {
	needLab(t)
	// On 4.22.1.0 the stalled usage run is known beside every usage scenario's own defect.
	const newest = "4.20.3.0"
	pool := lab.NewPool("")
	defer func() { require.NoError(t, pool.Close()) }()
	for _, s := range scenarios.Catalogue() {
		faults := beside()[s.ID]
		if !s.KnownBad.On(newest) {
			assert.Empty(t, faults, "%s is not known to fail", s.ID)
			continue
		}
		if len(faults) == 0 { // known by its classes alone
			continue
		}
		t.Run(s.ID, func(t *testing.T) {
			tell := func(planted ...release.Knob) result.Case {
				set, err := release.ProfileKnobs(newest)
				require.NoError(t, errors.Join(err, fault.Set(set, planted...)))
				target, err := lab.New(lab.Options{Release: newest, Knobs: set, Pool: pool, Groups: []int{2}})
				require.NoError(t, err)
				c := harness.RunScenario(t.Context(), target, s, harness.Plan{Seed: 1, Progress: silent{}})
				require.NoError(t, target.Close(t.Context()))
				return c
			}
			c := tell()
			assert.Equal(t, result.Fail, c.Verdict, c.Reason)
			assert.True(t, c.Known, c.Reason)
			for _, second := range faults {
				c := tell(second)
				assert.Equal(t, result.Fail, c.Verdict, "%s: %s", second, c.Reason)
				assert.False(t, c.Known, "%s is excused: %v", second, c.Findings)
			}
		})
	}
}
