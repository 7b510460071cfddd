package database

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
)

// TestMigrate takes one server through all releases and back, and asks it for its columns each time.
func TestMigrate(t *testing.T) {
	server := start(t, release.Default)
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("INSERT INTO cloud_usage.usage_volume (volume_id, zone_id, account_id, domain_id, size, " +
		"created) VALUES (7, 1, 2, 1, 9, '2026-06-01')")
	require.NoError(t, err)
	path := append(release.All(), "4.22.1.0", "4.18.0.0", "4.21.0.0", release.Default)
	fresh := map[string]map[string]string{}
	for _, name := range path {
		if fresh[name] == nil {
			fresh[name] = listing(columns(t, start(t, name)))
		}
		tables, err := Tables(name)
		require.NoError(t, err)
		require.NoError(t, server.Migrate(t.Context(), tables), name)
		assert.Empty(t, cmp.Diff(fresh[name], listing(columns(t, server))), "- a server of %s, + the migrated one",
			name)
		var rows int
		require.NoError(t, db.QueryRow(
			"SELECT COUNT(*) FROM cloud_usage.usage_volume WHERE volume_id = 7 AND size = 9").Scan(&rows))
		assert.Equal(t, 1, rows, "rows stay in %s", name)
	}
	assert.NotEqual(t, fresh["4.22.1.0"], fresh[release.Default], "releases differ")
}

// TestKeyOfVolumes: the unique key has the VM where volumes are metered per VM, but for the defect of 4.22.1.0.
func TestKeyOfVolumes(t *testing.T) {
	server := start(t, "4.22.1.0")
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	defer db.Close()
	insert := func(vm any) error {
		_, err := db.Exec("INSERT INTO cloud_usage.usage_volume (volume_id, zone_id, account_id, domain_id, size, "+
			"created, vm_id) "+
			"VALUES (7, 1, 2, 1, 9, '2026-06-01', ?)", vm)
		return err
	}
	require.NoError(t, insert(nil))
	require.ErrorContains(t, insert(4), "Duplicate")
	on, err := release.KnobsOf("4.22.1.0")
	require.NoError(t, err)
	delete(on, release.UsageVolumeKeyNarrow)
	tables, err := TablesWith("4.22.1.0", on)
	require.NoError(t, err)
	require.NoError(t, server.Migrate(t.Context(), tables))
	require.NoError(t, insert(4))
	require.ErrorContains(t, insert(4), "Duplicate")
}
