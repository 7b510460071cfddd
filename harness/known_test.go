package harness_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

func TestRouterDefectsGoByTheRoutersCode(t *testing.T) {
	old := release.Where(release.VRCompareAsSet)
	for _, c := range []struct {
		name          string
		router        bool
		release, code string
		known         bool
	}{
		{"the model has the target's rules", true, "4.19.1.0", "", true},
		{"old scripts behind a new server", true, "4.20.1.0", "4.19.1.0", true},
		{"new scripts behind an old server", true, "4.19.1.0", "4.20.1.0", false},
		{"a tree that does not tell", true, "4.19.1.0", harness.UnknownRelease, false},
		{"a defect of the server", false, "4.19.1.0", "4.20.1.0", true},
	} {
		k := harness.Known{Releases: old, Router: c.router}
		assert.Equal(t, c.known, k.In(harness.Description{Release: c.release, RouterCode: c.code}), c.name)
	}
	everywhere := harness.Known{Releases: release.Everywhere(), Router: true}
	assert.False(t, everywhere.In(harness.Description{Release: "4.19.1.0", RouterCode: harness.UnknownRelease}))
}

func TestServerDefectsThatTheRoutersCodeHides(t *testing.T) {
	k := harness.Known{Releases: release.Everywhere(), Shows: release.Without(release.RouterVerifies)}
	for _, c := range []struct {
		release, code string
		known         bool
	}{
		{"4.20.1.0", "", true},
		{"4.22.0.0", "", false},
		{"4.20.1.0", "4.22.0.0", false},
		{"4.22.0.0", "4.20.1.0", true},
		{"4.20.1.0", harness.UnknownRelease, true},
	} {
		assert.Equal(t, c.known, k.In(harness.Description{Release: c.release, RouterCode: c.code}), "%+v", c)
	}
}

// TestReasonsAreOfWhatShowed: a defect that shows only perhaps is named beside a failure where it did show.
func TestReasonsAreOfWhatShowed(t *testing.T) {
	row := harness.Known{Releases: release.Everywhere(), Why: "#1: rows stay open",
		Classes: []result.Class{result.LeakedRow}}
	k := row.Or(harness.Known{Releases: release.Everywhere(), Perhaps: true, Why: "#13399: the run stalls",
		Classes: []result.Class{result.StalledRun}})
	own := k.Or(harness.Known{Releases: release.Everywhere(), Why: "#13399: by the story's own VM",
		Classes: []result.Class{result.StalledRun}})
	both := []result.Class{result.LeakedRow, result.StalledRun}
	for _, c := range []struct {
		known harness.Known
		seen  []result.Class
		want  string
	}{
		{k, []result.Class{result.LeakedRow}, "#1: rows stay open"},
		{k, both, "#1: rows stay open; #13399: the run stalls"},
		{own, both, "#1: rows stay open; #13399: by the story's own VM"},
	} {
		got := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, harness.Scenario{ID: "U-01",
			KnownBad: c.known, Run: func(a *harness.Attempt, _ *harness.Site) {
				for _, class := range c.seen {
					a.Fail(class, "something is "+string(class))
				}
			}}, harness.Plan{})
		assert.True(t, got.Known)
		assert.Equal(t, c.want, got.KnownWhy)
	}
}
