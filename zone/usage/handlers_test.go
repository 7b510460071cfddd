package usage_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/database"
	"github.com/stackproof/stackproof/zone/usage"
)

// rowCase is events of one kind and the rows that they leave after one run.
type rowCase struct {
	name         string
	write        func(l *lab)
	query        string
	broken, good []string // nil broken means that all releases agree
}

func TestHelperRows(t *testing.T) {
	server := startDB(t, "4.20")
	for _, c := range slices.Concat(vmCases(), storageCases(), networkCases(), snapshotCases()) {
		t.Run(c.name, func(t *testing.T) {
			for isBroken, want := range map[bool][]string{true: c.broken, false: c.good} {
				rules := usage.Rules{}
				if isBroken {
					rules = broken()
					if want == nil {
						want = c.good
					}
				}
				l := newLabOn(t, server, usage.Options{Rules: rules})
				c.write(l)
				l.run("10:01:10")
				require.Equal(t, want, l.lines(c.query), "broken=%v", isBroken)
				require.Equal(t, []string{"0"},
					l.lines("SELECT COUNT(*) FROM cloud_usage.usage_event WHERE processed = 0"))
			}
		})
	}
}

func vmCases() []rowCase {
	vm := func(offering int) []any {
		return []any{"resource_name", "vm", "offering_id", offering, "template_id", 111, "resource_type", "KVM"}
	}
	return []rowCase{
		{name: "VM start with another offering", write: func(l *lab) {
			l.event("10:00:20", "VM.CREATE", 2, 4, vm(1)...)
			l.event("10:00:22", "VM.START", 2, 4, vm(5)...)
			l.event("10:00:30", "VM.STOP", 2, 4, vm(5)...)
			l.event("10:00:40", "VM.DESTROY", 2, 4, vm(5)...)
		}, query: "SELECT usage_type, service_offering_id, start_date, end_date FROM cloud_usage.usage_vm_instance " +
			"ORDER BY id",
			good: []string{"2 1 10:00:20 10:00:22", "2 5 10:00:22 10:00:40", "1 5 10:00:22 10:00:30"}},
		{name: "VM of a dynamic offering scaled live", write: func(l *lab) {
			l.event("10:00:20", "VM.CREATE", 2, 4, vm(1)...)
			l.event("10:00:22", "VM.START", 2, 4, vm(1)...)
			l.detail("cpuNumber", "2")
			l.event("10:00:30", "VM.DYNAMIC.SCALE", 2, 4, vm(1)...)
			l.detail("cpuNumber", "4")
			l.detail("memory", "2048")
		}, query: "SELECT usage_type, cpu_cores, memory, start_date, end_date FROM cloud_usage.usage_vm_instance " +
			"ORDER BY id",
			good: []string{"2 - - 10:00:20 -", "1 2 - 10:00:22 10:00:30", "1 4 2048 10:00:30 -"}},
		{name: "VM upgrade while stopped", write: func(l *lab) {
			l.event("10:00:20", "VM.CREATE", 2, 4, vm(1)...)
			l.event("10:00:30", "VM.UPGRADE", 2, 4, vm(2)...)
		}, query: "SELECT service_offering_id, start_date, end_date FROM cloud_usage.usage_vm_instance ORDER BY id",
			good: []string{"1 10:00:20 10:00:30", "2 10:00:30 -"}},
	}
}

func storageCases() []rowCase {
	return []rowCase{
		{name: "volume resized", write: func(l *lab) {
			l.event("10:00:20", "VOLUME.CREATE", 2, 4, "size", 10)
			l.event("10:00:30", "VOLUME.RESIZE", 2, 4, "size", 20)
			l.event("10:00:40", "VOLUME.DELETE", 2, 4)
		}, query: "SELECT volume_id, size, created, deleted FROM cloud_usage.usage_volume ORDER BY id",
			good: []string{"4 10 10:00:20 10:00:30", "4 20 10:00:30 10:00:40"}},
		{name: "uploaded volume attached", write: func(l *lab) {
			l.event("10:00:20", "VOLUME.UPLOAD", 2, 2, "size", 10)
			l.event("10:00:22", "VOLUME.UPLOAD", 2, 3, "size", 10)
			l.event("10:00:30", "VOLUME.CREATE", 2, 2, "size", 10)
		}, query: "SELECT entity_id, storage_type, deleted FROM cloud_usage.usage_storage ORDER BY id",
			broken: []string{"2 4 -", "3 4 10:00:30"}, good: []string{"2 4 10:00:30", "3 4 -"}},
		{name: "guard of a second upload", write: func(l *lab) {
			l.event("10:00:20", "TEMPLATE.CREATE", 2, 50, "size", 5)
			l.event("10:00:30", "VOLUME.UPLOAD", 2, 1, "size", 10)
		}, query: "SELECT entity_id, storage_type, deleted FROM cloud_usage.usage_storage ORDER BY id",
			broken: []string{"50 1 10:00:30", "1 4 -"}, good: []string{"50 1 -", "1 4 -"}},
		{name: "templates and ISOs", write: func(l *lab) {
			l.event("10:00:20", "TEMPLATE.CREATE", 2, 50, "size", 5, "virtual_size", 6, "template_id", 7)
			l.event("10:00:21", "TEMPLATE.COPY", 2, 50, "size", 5)
			l.event("10:00:22", "TEMPLATE.CREATE", 2, 51, "size", 0)
			l.event("10:00:23", "ISO.CREATE", 2, 52, "size", 8)
			l.event("10:00:24", "SNAPSHOT.CREATE", 2, 53, "size", 9)
			l.event("10:00:30", "TEMPLATE.DELETE", 2, 50)
			l.event("10:00:31", "ISO.DELETE", 2, 52)
			l.event("10:00:32", "SNAPSHOT.DELETE", 2, 53)
		}, query: "SELECT entity_id, storage_type, source_id, size, virtual_size, deleted FROM " +
			"cloud_usage.usage_storage ORDER BY id",
			good: []string{"50 1 7 5 6 10:00:30", "52 2 - 8 8 10:00:31", "53 3 - 9 - 10:00:32"}},
	}
}

func networkCases() []rowCase {
	return []rowCase{
		{name: "NICs of one offering close together", write: func(l *lab) {
			l.event("10:00:20", "NETWORK.OFFERING.ASSIGN", 2, 4, "resource_name", "9", "offering_id", 13, "size", 1)
			l.event("10:00:21", "NETWORK.OFFERING.ASSIGN", 2, 4, "resource_name", "10", "offering_id", 13, "size", 0)
			l.event("10:00:30", "NETWORK.OFFERING.REMOVE", 2, 4, "resource_name", "9", "offering_id", 13, "size", 0)
		}, query: "SELECT nic_id, is_default, deleted FROM cloud_usage.usage_network_offering ORDER BY id",
			good: []string{"9 1 10:00:30", "10 0 10:00:30"}},
		{name: "address released by another account", write: func(l *lab) {
			l.event("10:00:20", "NET.IPASSIGN", 2, 5, "resource_name", "10.1.1.5", "template_id", 1, "size", 0)
			l.detail("hidden", "true")
			l.event("10:00:30", "NET.IPRELEASE", 3, 5, "resource_name", "10.1.1.5")
			l.event("10:00:40", "NET.IPRELEASE", 2, 5, "resource_name", "10.1.1.5")
		}, query: "SELECT ip_id, is_system, is_hidden, released FROM cloud_usage.usage_ip_address",
			good: []string{"5 1 1 10:00:40"}},
		{name: "network with two create events", write: func(l *lab) {
			l.event("10:00:20", "NETWORK.CREATE", 2, 9, "offering_id", 13)
			l.event("10:00:22", "NETWORK.CREATE", 2, 9, "offering_id", 13)
			l.event("10:00:30", "NETWORK.UPDATE", 2, 9, "offering_id", 14, "resource_type", "Implemented")
			l.event("10:00:40", "NETWORK.DELETE", 2, 9, "offering_id", 14)
		}, query: "SELECT network_offering_id, state, created, removed FROM cloud_usage.usage_networks ORDER BY id",
			broken: []string{"14 Destroy 10:00:20 10:00:40", "13 Allocated 10:00:22 -"},
			good:   []string{"13 Allocated 10:00:20 10:00:30", "14 Implemented 10:00:30 10:00:40"}},
		{name: "VPC with two create events", write: func(l *lab) {
			l.event("10:00:20", "VPC.CREATE", 2, 9)
			l.event("10:00:22", "VPC.CREATE", 2, 9)
			l.event("10:00:40", "VPC.DELETE", 2, 9)
		}, query: "SELECT state, created, removed FROM cloud_usage.usage_vpc ORDER BY id",
			broken: []string{"Inactive 10:00:20 10:00:40", "Enabled 10:00:22 -"},
			good:   []string{"Enabled 10:00:20 10:00:40"}},
		{name: "VPN user closed at the time of the job", write: func(l *lab) {
			l.event("10:00:20", "VPN.USER.ADD", 2, 9, "resource_name", "ann")
			l.event("10:00:22", "VPN.USER.ADD", 2, 9, "resource_name", "ann")
			l.event("10:00:30", "VPN.USER.REMOVE", 2, 9, "resource_name", "ann")
		}, query: "SELECT user_name, created, deleted FROM cloud_usage.usage_vpn_user",
			good: []string{"ann 10:00:20 10:01:10"}},
		{name: "security group", write: func(l *lab) {
			l.event("10:00:20", "SG.ASSIGN", 2, 4, "offering_id", 6)
			l.event("10:00:30", "SG.REMOVE", 2, 4, "offering_id", 6)
		}, query: "SELECT vm_instance_id, security_group_id, deleted FROM cloud_usage.usage_security_group",
			good: []string{"4 6 10:00:30"}},
	}
}

func snapshotCases() []rowCase {
	return []rowCase{
		{name: "snapshot on primary storage", write: func(l *lab) {
			l.event("10:00:20", "VMSNAPSHOT.ON_PRIMARY", 2, 2, "resource_name", "s", "size", 5, "virtual_size", 6)
			l.detail("vmSnapshotId", "8")
			l.event("10:00:22", "VMSNAPSHOT.ON_PRIMARY", 2, 3, "resource_name", "s", "size", 5, "virtual_size", 6)
			l.event("10:00:30", "VMSNAPSHOT.OFF_PRIMARY", 2, 2, "resource_name", "s")
		}, query: "SELECT vm_id, physicalsize, virtualsize, vm_snapshot_id, deleted FROM " +
			"cloud_usage.usage_snapshot_on_primary ORDER BY id",
			broken: []string{"2 5 6 8 -", "3 5 6 - 10:00:30"}, good: []string{"2 5 6 8 10:00:30", "3 5 6 - -"}},
		{name: "VM snapshot", write: func(l *lab) {
			l.event("10:00:20", "VMSNAPSHOT.CREATE", 2, 4, "template_id", 6, "offering_id", 3, "size", 5)
			l.detail("vmSnapshotId", "8")
			l.event("10:00:30", "VMSNAPSHOT.DELETE", 2, 4, "offering_id", 3)
		}, query: "SELECT vm_id, volume_id, vm_snapshot_id, processed FROM cloud_usage.usage_vmsnapshot",
			good: []string{"4 6 8 10:00:30"}},
		{name: "backup", write: func(l *lab) {
			l.event("10:00:20", "BACKUP.OFFERING.ASSIGN", 2, 4, "offering_id", 3)
			l.event("10:00:25", "BACKUP.USAGE.METRIC", 2, 4, "size", 100, "virtual_size", 200)
			l.event("10:00:30", "BACKUP.OFFERING.REMOVE", 2, 4)
		}, query: "SELECT vm_id, size, protected_size, removed FROM cloud_usage.usage_backup",
			good: []string{"4 100 200 10:00:30"}},
	}
}

// TestRecordForms checks the descriptions and columns of kinds that no recording holds.
func TestRecordForms(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.event("10:00:20", "TEMPLATE.CREATE", 2, 50, "size", 52428800, "virtual_size", 2147483648, "template_id", 7)
	l.event("10:00:20", "ISO.CREATE", 2, 51, "size", 1000)
	l.event("10:00:20", "SNAPSHOT.CREATE", 2, 52, "size", 2048)
	l.event("10:00:20", "VOLUME.CREATE", 2, 53, "size", 10, "offering_id", 4)
	l.event("10:00:20", "SG.ASSIGN", 2, 4, "offering_id", 6)
	l.event("10:00:20", "VPN.USER.ADD", 2, 9, "resource_name", "ann")
	l.event("10:00:20", "BACKUP.OFFERING.ASSIGN", 2, 4, "offering_id", 3)
	l.event("10:00:20", "VMSNAPSHOT.ON_PRIMARY", 2, 2, "resource_name", "s", "size", 5, "virtual_size", 6)
	l.event("10:00:20", "VMSNAPSHOT.CREATE", 2, 4, "template_id", 6, "offering_id", 3, "size", 5)
	l.event("10:00:50", "VMSNAPSHOT.CREATE", 2, 4, "template_id", 6, "offering_id", 3, "size", 0)
	l.run("10:01:10")
	require.Equal(t, []string{
		"6 Volume Id: 53 usage time (DiskOffering: 4)|53|0.011111 Hrs",
		"7 Template Id:50 Size:(50.00 MB) 52428800 VirtualSize: (2.00 GB) 2147483648|50|0.011111 Hrs",
		"8 ISO Id:51 Size:(1000 bytes) 1000 VirtualSize: (1000 bytes) 1000|51|0.011111 Hrs",
		"9 Snapshot Id:52 Size:(2.00 KB) 2048|52|0.011111 Hrs",
		"10 Security Group: 6 for Vm : 4 usage time|6|0.011111 Hrs",
		"14 VPN User: ann, Id: 9 usage time|9|0.011111 Hrs",
		"25 VMSnapshot Id: null Usage: VM Id: 4 Volume Id: 6  DiskOffering: 3 Size: (5 bytes) 5|0|0.008334 Hrs",
		// CloudStack's own doubling
		"25 VMSnapshot Id: null Usage: VM Id: 4 Volume Id: 6  DiskOffering: 3 Size: (5 bytes) 5|0|0.011111 Hrs",
		"27 VMSnapshot Id: null On Primary Usage: VM Id: 2 Size: (6 bytes) 6|0|0.011111 Hrs",
		"28 Backup usage VM ID: 4, backup offering: 3|4|0.011111 Hrs",
	}, l.lines("SELECT usage_type, CONCAT(description, '|', COALESCE(usage_id, 0), '|', usage_display) FROM "+
		"cloud_usage.cloud_usage ORDER BY usage_type, raw_usage"))
}

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
