package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"

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
		{"a tree that does not tell", true, "4.19.1.0", UnknownRelease, false},
		{"a defect of the server", false, "4.19.1.0", "4.20.1.0", true},
	} {
		k := Known{Releases: old, Router: c.router}
		assert.Equal(t, c.known, k.In(Description{Release: c.release, RouterCode: c.code}), c.name)
	}
	everywhere := Known{Releases: release.Everywhere(), Router: true}
	assert.False(t, everywhere.In(Description{Release: "4.19.1.0", RouterCode: UnknownRelease}))
}

func TestServerDefectsThatTheRoutersCodeHides(t *testing.T) {
	k := Known{Releases: release.Everywhere(), Shows: release.Without(release.RouterVerifies)}
	for _, c := range []struct {
		release, code string
		known         bool
	}{
		{"4.20.1.0", "", true},
		{"4.22.0.0", "", false},
		{"4.20.1.0", "4.22.0.0", false},
		{"4.22.0.0", "4.20.1.0", true},
		{"4.20.1.0", UnknownRelease, true},
	} {
		assert.Equal(t, c.known, k.In(Description{Release: c.release, RouterCode: c.code}), "%+v", c)
	}
}
