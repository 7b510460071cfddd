package audit

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestReleasesOfTheSite: what is refused, or looked for, by the release that cloud.version names.
func TestReleasesOfTheSite(t *testing.T) {
	for version, want := range map[string]struct{ fixed, set, known bool }{
		"4.15.2.0": {false, true, true}, "4.16.0.0": {false, true, true}, "4.16.1.0": {false, true, true},
		"4.18.2.5": {false, true, true}, "4.19.0.0": {false, true, true}, "4.19.1.3": {false, true, true},
		"4.19.2.0": {false, false, true}, "4.19.3.0": {true, false, true}, "4.20.0.0": {false, false, true},
		"4.20.0.1": {false, false, true}, "4.20.1.0": {true, false, true}, "4.21.0.0": {true, false, true},
		"4.22.1.0": {true, false, true}, "4.23.0.0": {true, false, true}, "4.20.1.0-SNAPSHOT": {true, false, true},
		"4.20": {}, "5.0.0.0": {}, "": {}, "main": {},
	} {
		fixed, known := closesByOwnID(version)
		assert.Equal(t, want.known, known, version)
		assert.Equal(t, want.fixed, fixed, version)
		set, known := comparesAsSet(version)
		assert.Equal(t, want.known, known, version)
		assert.Equal(t, want.set, set, version)
	}
}
