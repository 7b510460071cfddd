package harness_test

import (
	"testing"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/release"

	"github.com/stretchr/testify/assert"
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
