package usage_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/database"
	"github.com/stackproof/stackproof/zone/usage"
)

// perVM is a usage server that meters volumes per VM, on the tables of 4.22.1.0 with a wide key or its own.
func perVM(t *testing.T, narrow bool) *lab {
	t.Helper()
	on, err := release.KnobsOf("4.22.1.0")
	require.NoError(t, err)
	if !narrow {
		delete(on, release.UsageVolumeKeyNarrow)
	}
	server := startDB(t, "4.22.1.0")
	tables, err := database.TablesWith("4.22.1.0", on)
	require.NoError(t, err)
	require.NoError(t, server.Migrate(t.Context(), tables))
	return newLabOn(t, server, usage.Options{Rules: usage.RulesOf(on)})
}

func (l *lab) volumes() []string {
	return l.lines("SELECT volume_id, vm_id, size, created, deleted FROM cloud_usage.usage_volume ORDER BY id")
}

func TestVolumesPerVM(t *testing.T) {
	l := perVM(t, false)
	l.event("10:00:01", "VOLUME.CREATE", 1, 7, "size", 5, "offering_id", 3)
	l.event("10:00:02", "VOLUME.ATTACH", 1, 7, "size", 5, "offering_id", 3, "vm_id", 40)
	l.event("10:00:03", "VOLUME.RESIZE", 1, 7, "size", 6, "offering_id", 3)
	l.event("10:00:04", "VOLUME.ATTACH", 1, 7, "size", 6, "offering_id", 3, "vm_id", 41)
	l.event("10:00:05", "VOLUME.CREATE", 1, 8, "size", 9, "template_id", 2, "vm_id", 41)
	l.event("10:00:06", "VOLUME.RESIZE", 1, 9, "size", 4)
	l.event("10:00:07", "VOLUME.CREATE", 1, 10, "size", 2, "vm_id", 41)
	l.event("10:00:08", "VOLUME.DETACH", 1, 10)
	l.event("10:00:09", "VOLUME.DELETE", 1, 8)
	l.run("10:01:10")
	assert.Equal(t, []string{
		"7 - 5 10:00:01 10:00:03", "7 40 5 10:00:02 10:00:03", "7 - 6 10:00:03 -", "7 40 6 10:00:03 10:00:04",
		"7 41 6 10:00:04 -",
		"8 - 9 10:00:05 10:00:09", "8 41 9 10:00:05 10:00:09",
		"10 - 2 10:00:07 -", "10 41 2 10:00:07 10:00:08",
	}, l.volumes(), "a resize without an open row opens none")
	assert.Equal(t, []string{"-", "40", "41"}, l.lines("SELECT DISTINCT vm_instance_id FROM cloud_usage.cloud_usage "+
		"WHERE usage_type = 6 AND usage_id = 7 ORDER BY vm_instance_id"))
	assert.Equal(t, []string{"Volume Id: 8 usage time (Template: 2)", "Volume Id: 8 usage time (Template: 2) (VM: 41)"},
		l.lines("SELECT DISTINCT description FROM cloud_usage.cloud_usage WHERE usage_type = 6 AND usage_id = 8 "+
			"ORDER BY description"))
}

// TestNarrowKeyStallsTheRun: the second row of a deployed volume is refused, and what the run had handled up to it is
// taken back, at every run; what comes later stays (#13399).
func TestNarrowKeyStallsTheRun(t *testing.T) {
	l := perVM(t, true)
	l.event("10:00:01", "LB.CREATE", 1, 1)
	l.event("10:00:02", "VOLUME.CREATE", 1, 7, "size", 5, "vm_id", 40)
	l.event("10:00:03", "VOLUME.CREATE", 1, 8, "size", 5, "vm_id", 41)
	l.event("10:00:04", "LB.CREATE", 1, 2)
	unprocessed := func() []string {
		return l.lines("SELECT type, resource_id FROM cloud_usage.usage_event WHERE processed = 0 ORDER BY id")
	}
	for _, run := range []string{"10:01:10", "10:02:10"} {
		l.run(run)
		assert.Equal(t, []string{"LB.CREATE 1", "VOLUME.CREATE 7"}, unprocessed(), run)
		assert.Equal(t, []string{"8 - 5 10:00:03 -"}, l.volumes(), run)
		assert.Equal(t, []string{"2 1 10:00:04 -"}, l.balancers(), run)
	}
	again := l.lines("SELECT COUNT(*) FROM cloud_usage.cloud_usage WHERE usage_type = 11 AND usage_id = 2 AND " +
		"'2026-03-10 10:00:30' BETWEEN start_date AND end_date")
	assert.Equal(t, []string{"2"}, again, "the second run bills the first window anew")
	assert.Contains(t, l.log.String(), "Failed to create usage event id: 2")

	sound := perVM(t, false)
	sound.event("10:00:01", "LB.CREATE", 1, 1)
	sound.event("10:00:02", "VOLUME.CREATE", 1, 7, "size", 5, "vm_id", 40)
	sound.run("10:01:10")
	assert.Equal(t, []string{"1 1 10:00:01 -"}, sound.balancers(), "the wide key lets it through")
}
