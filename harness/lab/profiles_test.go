package lab_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/database"
)

// TestEveryProfileOpens opens a zone of each release, runs its usage server on its tables, and takes it over the fix of
// the helper-id defect where such an upgrade exists.
func TestEveryProfileOpens(t *testing.T) {
	for _, name := range release.All() {
		t.Run(name, func(t *testing.T) {
			site := openRelease(t, name, time.Time{})
			assert.Equal(t, name, site.Release)
			var answer map[string]any
			require.NoError(t, site.Cloud.Call(t.Context(), "listZones", nil, &answer))
			assert.NotEmpty(t, answer["zone"])
			tables, err := database.Tables(name)
			require.NoError(t, err)
			var have int
			require.NoError(t, site.DB.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.tables "+
				"WHERE table_schema IN ('cloud', 'cloud_usage')").Scan(&have))
			assert.Len(t, tables, have)
			covers := func() {
				now, err := site.Clock.Now(t.Context())
				require.NoError(t, err)
				require.NoError(t, site.Usage.Cover(t.Context(), now))
			}
			covers()
			assert.Positive(t, jobs(t, site.DB))

			from, to, ok := site.Tamper.UpgradePath()
			if !ok {
				for _, other := range release.All() {
					crosses := release.Where(release.UsageCloseByHelperID).Contains(other) != release.Where(
						release.UsageCloseByHelperID).Contains(name)
					assert.False(t, crosses, "%s and %s are an upgrade", name, other)
				}
				return
			}
			assert.Contains(t, []string{from, to}, name)
			for _, next := range []string{from, to} {
				require.NoError(t, site.Tamper.SwitchRelease(t.Context(), next))
				covers()
			}
		})
	}
}
