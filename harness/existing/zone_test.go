package existing

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// speed makes a usage window of a minute last a second. Much more, and the zone's minutes pass between a call and its
// row.
const speed = 60

// standing is a lab zone over TCP, as somebody else's would be.
type standing struct {
	zone   *zone.Zone
	server *database.Server
	log    string
}

func stand(t *testing.T, release string) standing {
	t.Helper()
	return standWith(t, release, nil, nil)
}

// standWith is a zone with settings of its own, or with some behaviour switched ("name", "name=off").
func standWith(t *testing.T, name string, settings map[string]string, words []release.Knob) standing {
	t.Helper()
	return standLoaded(t, name, zone.Load{}, settings, words)
}

// standLoaded is a zone that has much to do.
func standLoaded(t *testing.T, name string, load zone.Load, settings map[string]string,
	words []release.Knob) standing {
	t.Helper()
	harnesstest.NeedLab(t)
	server, err := database.Start(t.Context(), database.Options{Schema: name})
	if server != nil {
		t.Cleanup(func() { assert.NoError(t, server.Close()) })
	}
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(t.TempDir(), "management-server.log"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, log.Close()) })
	knobs, err := release.ProfileKnobs(name)
	require.NoError(t, err)
	require.NoError(t, fault.Set(knobs, words...))
	z, err := zone.Open(t.Context(), zone.Options{Release: name, Knobs: knobs, DB: server, Clock: zone.NewScaled(speed),
		ManagementLog: log, Seed: 1, Settings: settings, Load: load})
	if z != nil {
		t.Cleanup(func() { assert.NoError(t, z.Close(context.WithoutCancel(t.Context()))) })
	}
	require.NoError(t, err)
	return standing{z, server, log.Name()}
}

func (s standing) config() config.Config {
	return config.Config{API: config.API{URL: s.zone.APIURL(), Key: s.zone.APIKey(), Secret: s.zone.SecretKey()},
		DSN: config.Words{s.server.ReadOnlyDSN()},
		Log: config.Log{File: config.Words{s.log}}, Clock: "api", Disposable: true, Groups: []int{2}}
}

// carryOut runs scenarios at once and wants nothing left behind.
func carryOut(t *testing.T, c config.Config, ids ...string) (result.Run, *Target) {
	t.Helper()
	chosen, err := scenarios.Catalogue().Select(ids...)
	require.NoError(t, err)
	target, err := Open(t.Context(), Options{Name: "existing", Config: c, TempDir: t.TempDir()})
	require.NoError(t, err)
	run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: len(chosen),
		Progress: harnesstest.Silent{}})
	require.NoError(t, errors.Join(err, target.Close(context.WithoutCancel(t.Context()))))
	return run, target
}

func verdicts(r result.Run) map[string]result.Verdict {
	all := map[string]result.Verdict{}
	for _, c := range r.Results {
		all[c.ID] = c.Verdict
	}
	return all
}

func reasons(r result.Run) string {
	var b strings.Builder
	for _, c := range r.Results {
		b.WriteString(c.ID + " " + string(c.Verdict) + ": " + c.Reason + "\n")
	}
	return b.String()
}

// TestReleases tells both stories over TCP on every release profile.
func TestReleases(t *testing.T) {
	for _, release := range release.All() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			s := stand(t, release)
			run, target := carryOut(t, s.config(), "U-01", "U-03", "L-01")
			want := map[string]result.Verdict{"U-01": result.Pass, "U-03": result.Inconclusive, "L-01": result.Pass}
			for _, c := range run.Results {
				if c.Known {
					want[c.ID] = result.Fail
				}
			}
			assert.Equal(t, want, verdicts(run), reasons(run))
			assert.Equal(t, release, run.Release)
			assert.Equal(t, "model, rules of "+release+" (shadow)", run.Router)
			assert.LessOrEqual(t, len(target.usageRuns()), 5)
			assert.Empty(t, target.notes)
		})
	}
}

// TestCrossedIDs makes ids cross on a shared site without a usage run beforehand, with others making rules meanwhile.
func TestCrossedIDs(t *testing.T) {
	ids := []string{"U-01", "U-02", "U-04", "U-05c", "U-06", "U-10"}
	for release, want := range map[string]result.Verdict{"4.20.0.0": result.Fail, "4.20.1.0": result.Pass} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			s := stand(t, release)
			c := s.config()
			c.Log = config.Log{}
			run, target := carryOut(t, c, ids...)
			for _, id := range ids {
				assert.Equal(t, want, verdicts(run)[id], reasons(run))
			}
			assert.LessOrEqual(t, len(target.usageRuns()), 5)
		})
	}
}

// TestSecondRun comes to a server on which rules came and went: their ids are used up, and no rules are needed to set
// ids apart.
func TestSecondRun(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	c := s.config()
	c.SkewBudget = 20 // what a fresh server takes
	for range 2 {
		run, _ := carryOut(t, c, "U-01")
		assert.Equal(t, map[string]result.Verdict{"U-01": result.Pass}, verdicts(run), reasons(run))
	}
}

// TestFaultsInFewRuns plants faults that are seen in records and windows only: with fewer runs they are caught all the
// same.
func TestFaultsInFewRuns(t *testing.T) {
	for _, knob := range []release.Knob{fault.UsageRecordAfterClose, fault.UsageRecordMissing, fault.UsageOverlapWindow,
		fault.UsageGapWindow, fault.UsageRecordDuplicate} {
		t.Run(string(knob), func(t *testing.T) {
			t.Parallel()
			s := standWith(t, "4.20.1.0", nil, []release.Knob{knob})
			run, target := carryOut(t, s.config(), "U-07", "U-08")
			assert.Contains(t, verdicts(run), "U-07")
			failed := false
			for _, v := range verdicts(run) {
				failed = failed || v == result.Fail
			}
			assert.True(t, failed, reasons(run))
			assert.LessOrEqual(t, len(target.usageRuns()), 5)
		})
	}
}

// TestFaultIsNoOneElses lets one scenario make pushes fail while others work.
func TestFaultIsNoOneElses(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	run, _ := carryOut(t, s.config(), "L-01", "L-02", "L-10")
	for _, c := range run.Results {
		if !c.Known {
			assert.Equal(t, result.Pass, c.Verdict, "%s: %s", c.ID, c.Reason)
		}
	}
}

// TestPatchedBuild gives a release that is known for a defect the fix.
func TestPatchedBuild(t *testing.T) {
	harnesstest.NeedLab(t)
	target := &Target{release: "4.20.0.0", gate: newGate()}
	notes := target.Notes(result.Run{Results: []result.Case{{ID: "U-01", Known: true, Verdict: result.Pass},
		{ID: "U-02", Known: true, Verdict: result.Fail}}})
	require.Len(t, notes, 1)
	assert.Contains(t, notes[0], "patched build")
	assert.Contains(t, notes[0], "U-01")
	assert.NotContains(t, notes[0], "U-02")
}

// TestPartWithoutDatabase plants faults that show in the window of a delete alone.
func TestPartWithoutDatabase(t *testing.T) {
	for _, knob := range []release.Knob{fault.UsageRecordTooLong, fault.UsageRecordRounded, fault.UsageCloseOnMinute} {
		t.Run(string(knob), func(t *testing.T) {
			t.Parallel()
			s := standWith(t, "4.20.1.0", nil, []release.Knob{knob})
			c := s.config()
			c.DSN, c.Log, c.Release = nil, config.Log{}, "4.20.1.0"
			run, _ := carryOut(t, c, "U-07")
			assert.Equal(t, result.Fail, run.Results[0].Verdict, reasons(run))
			assert.Regexp(t, "so the window from .* is to bill between", run.Results[0].Reason)
		})
	}
}

// TestWithoutDatabase tells story A by what the API lists alone, on a release with the defect and on one without.
func TestWithoutDatabase(t *testing.T) {
	for release, want := range map[string]result.Verdict{"4.20.0.0": result.Fail, "4.20.1.0": result.Pass} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			s := stand(t, release)
			c := s.config()
			c.DSN, c.Log, c.Release = nil, config.Log{}, release
			run, _ := carryOut(t, c, "U-01", "U-02")
			require.Len(t, run.Results, 2)
			assert.Equal(t, want, run.Results[0].Verdict, reasons(run))
			assert.Contains(t, run.Results[0].Reason, "API only")
			assert.Equal(t, result.Unsupported, run.Results[1].Verdict, "what needs helper ids cannot be told")
		})
	}
}
