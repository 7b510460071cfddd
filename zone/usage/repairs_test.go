package usage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/usage"
)

// switched is a rule or fault that no release has: what a query shows without it and with it.
type switched struct {
	name    string
	options usage.Options
	write   func(l *lab)
	query   string
	off, on []string
}

func repairs() []switched {
	nic := func(l *lab, when, kind string, id string) {
		l.event(when, kind, 2, 4, "resource_name", id, "offering_id", 13, "size", 0)
	}
	snapshot := func(l *lab, when, kind, id string) {
		l.event(when, kind, 2, 4, "offering_id", 3, "template_id", 7, "size", 10)
		l.detail("vmSnapshotId", id)
	}
	return []switched{
		{"NICAlone", usage.Options{Rules: usage.Rules{NICAlone: true}}, func(l *lab) {
			nic(l, "10:00:20", "NETWORK.OFFERING.ASSIGN", "9")
			nic(l, "10:00:21", "NETWORK.OFFERING.ASSIGN", "10")
			nic(l, "10:00:30", "NETWORK.OFFERING.REMOVE", "9")
		}, "SELECT nic_id, deleted FROM cloud_usage.usage_network_offering ORDER BY id",
			[]string{"9 10:00:30", "10 10:00:30"}, []string{"9 10:00:30", "10 -"}},
		{"VPNUserAtEvent", usage.Options{Rules: usage.Rules{VPNUserAtEvent: true}}, func(l *lab) {
			l.event("10:00:20", "VPN.USER.ADD", 2, 8, "resource_name", "bob")
			l.event("10:00:30", "VPN.USER.REMOVE", 2, 8, "resource_name", "bob")
		}, "SELECT deleted FROM cloud_usage.usage_vpn_user", []string{"10:01:10"}, []string{"10:00:30"}},
		{"AddressByID", usage.Options{Rules: usage.Rules{AddressByID: true}}, func(l *lab) {
			l.event("10:00:20", "NET.IPASSIGN", 2, 5, "resource_name", "10.1.1.5", "template_id", 0, "size", 0)
			l.event("10:00:21", "NET.IPASSIGN", 2, 6, "resource_name", "10.1.1.5", "template_id", 0, "size", 0)
			l.event("10:00:30", "NET.IPRELEASE", 2, 5, "resource_name", "10.1.1.5")
		}, "SELECT ip_id, released FROM cloud_usage.usage_ip_address ORDER BY id", []string{"5 10:00:30", "6 10:00:30"},
			[]string{"5 10:00:30", "6 -"}},
		{"CreateOnce, a rule", usage.Options{Rules: usage.Rules{CreateOnce: true}}, func(l *lab) {
			l.event("10:00:20", "LB.CREATE", 2, 11)
			l.event("10:00:20", "LB.CREATE", 2, 11)
		}, "SELECT lb_id, deleted FROM cloud_usage.usage_load_balancer_policy", []string{"11 -", "11 -"},
			[]string{"11 -"}},
		{"CreateOnce, a volume", usage.Options{Rules: usage.Rules{CreateOnce: true}}, func(l *lab) {
			l.event("10:00:20", "VOLUME.CREATE", 2, 11, "size", 10)
			l.event("10:00:20", "VOLUME.CREATE", 2, 11, "size", 10)
		}, "SELECT volume_id, deleted FROM cloud_usage.usage_volume", []string{"11 10:00:20"}, []string{"11 -"}},
		{"SnapshotsApart, rows", usage.Options{Rules: usage.Rules{SnapshotsApart: true}}, func(l *lab) {
			snapshot(l, "10:00:20", "VMSNAPSHOT.CREATE", "1")
			snapshot(l, "10:00:22", "VMSNAPSHOT.CREATE", "2")
			snapshot(l, "10:00:30", "VMSNAPSHOT.DELETE", "2")
		}, "SELECT vm_snapshot_id, processed FROM cloud_usage.usage_vmsnapshot ORDER BY id",
			[]string{"1 10:00:30", "2 10:00:30"}, []string{"1 -", "2 10:00:30"}},
		{"SnapshotsApart, records", usage.Options{Rules: usage.Rules{SnapshotsApart: true}}, func(l *lab) {
			snapshot(l, "10:00:20", "VMSNAPSHOT.CREATE", "1")
			snapshot(l, "10:00:22", "VMSNAPSHOT.CREATE", "2")
			l.run("10:01:05")
		}, "SELECT usage_id, COUNT(*) FROM cloud_usage.cloud_usage WHERE usage_type = 25 AND start_date >= " +
			"'2026-03-10 10:01:00' GROUP BY usage_id",
			[]string{"2 1"}, []string{"1 1", "2 1"}},
	}
}

func streamSwitches() []switched {
	const balancers = "SELECT lb_id, account_id, deleted FROM cloud_usage.usage_load_balancer_policy ORDER BY id"
	brief := func(l *lab) {
		l.event("10:00:20", "LB.CREATE", 2, 11)
		l.event("10:00:30", "LB.DELETE", 2, 11)
	}
	return []switched{
		{"CloseInZone", usage.Options{Faults: usage.Faults{CloseInZone: true}}, func(l *lab) {
			l.event("10:00:20", "NET.RULEADD", 2, 11)
			l.event("10:00:30", "NET.RULEDELETE", 2, 11)
			_, err := l.db.Exec("UPDATE cloud.usage_event SET zone_id = 0 WHERE type = 'NET.RULEDELETE'")
			require.NoError(l.t, err)
		}, "SELECT pf_id, deleted FROM cloud_usage.usage_port_forwarding", []string{"11 10:00:30"}, []string{"11 -"}},
		{"CloseAnyAccount", usage.Options{Faults: usage.Faults{CloseAnyAccount: true}}, func(l *lab) {
			l.event("10:00:20", "LB.CREATE", 2, 2)
			l.event("10:00:22", "LB.CREATE", 3, 3)
			l.event("10:00:30", "LB.DELETE", 2, 2)
		}, balancers, []string{"2 2 10:00:30", "3 3 -"}, []string{"2 2 -", "3 3 10:00:30"}},
		{"ReleaseAnyAccount", usage.Options{Faults: usage.Faults{ReleaseAnyAccount: true}}, func(l *lab) {
			l.event("10:00:20", "NET.IPASSIGN", 3, 5, "resource_name", "10.1.1.5", "template_id", 0, "size", 0)
			l.event("10:00:30", "NET.IPRELEASE", 2, 6, "resource_name", "10.1.1.5")
		}, "SELECT ip_id, released FROM cloud_usage.usage_ip_address", []string{"5 -"}, []string{"5 10:00:30"}},
		{"IgnoreRemovedAccounts", usage.Options{Faults: usage.Faults{IgnoreRemovedAccounts: true}}, func(l *lab) {
			l.event("10:00:20", "LB.CREATE", 2, 11)
			_, err := l.db.Exec("UPDATE cloud.account SET removed = ? WHERE id = 2", at(l.t, "10:00:40"))
			require.NoError(l.t, err)
		}, balancers, []string{"11 2 -"}, []string{}},
		{"DeadAccountUnbilled", usage.Options{Faults: usage.Faults{DeadAccountUnbilled: true}}, func(l *lab) {
			brief(l)
			_, err := l.db.Exec("UPDATE cloud.account SET removed = ? WHERE id = 2", at(l.t, "10:00:40"))
			require.NoError(l.t, err)
		}, "SELECT COUNT(*) FROM cloud_usage.cloud_usage", []string{"1"}, []string{"0"}},
		{"DeletesFirst", usage.Options{Faults: usage.Faults{DeletesFirst: true}}, brief, balancers,
			[]string{"11 2 10:00:30"}, []string{"11 2 -"}},
		{"DuplicateBlocks", usage.Options{Faults: usage.Faults{DuplicateBlocks: true}}, func(l *lab) {
			l.event("10:00:20", "LB.CREATE", 2, 11)
			l.event("10:00:20", "LB.CREATE", 2, 11)
		}, "SELECT COUNT(*) FROM cloud_usage.usage_event WHERE processed = 0", []string{"0"}, []string{"2"}},
		{"SkipAddState", usage.Options{Faults: usage.Faults{SkipAddState: true}}, func(l *lab) {
			l.event("10:00:20", "LB.CREATE", 2, 11)
			_, err := l.db.Exec("INSERT INTO cloud.firewall_rules (id, uuid, state, purpose, protocol, account_id, " +
				"domain_id, network_id, xid) VALUES (11, 'r', 'Add', 'LoadBalancing', 'tcp', 2, 1, 1, 'x')")
			require.NoError(l.t, err)
		}, "SELECT COUNT(*) FROM cloud_usage.cloud_usage", []string{"1"}, []string{"0"}},
	}
}

// TestSwitches plays the same events with and without each repair and fault.
func TestSwitches(t *testing.T) {
	server := startDB(t, "4.20")
	for _, c := range append(repairs(), streamSwitches()...) {
		t.Run(c.name, func(t *testing.T) {
			for on, want := range map[bool][]string{false: c.off, true: c.on} {
				options := usage.Options{}
				if on {
					options = c.options
				}
				l := newLabOn(t, server, options)
				c.write(l)
				if l.clock.now.Equal(at(t, "10:01:05")) {
					l.run("10:02:10")
				} else {
					l.run("10:01:10")
				}
				require.Equal(t, want, l.lines(c.query), "on=%v", on)
			}
		})
	}
}

// TestKilledInRun: helper rows are written, records are not, and the job stays open; the next server makes up for it.
func TestKilledInRun(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.event("10:00:20", "LB.CREATE", 2, 11)
	l.server.KillInRun()
	l.clock.now = at(t, "10:01:10")
	_, err := l.server.Run(t.Context())
	require.ErrorIs(t, err, usage.ErrKilled)
	require.Equal(t, []string{"11 2 10:00:20 -"}, l.balancers())
	require.Empty(t, l.records(usage.TypeLoadBalancer))
	require.Equal(t, []string{"1 0 0 - -"}, l.jobs())
	second, err := usage.New(l.db, usage.Options{Clock: l.clock, Range: 1, PID: 2,
		Rules: usage.Rules{CleanOwnJobsAtStart: true}})
	require.NoError(t, err)
	require.NoError(t, second.Start(t.Context()))
	job, err := second.Run(t.Context())
	require.NoError(t, err)
	require.True(t, job.Success)
	require.Equal(t, []string{"11 10:00:00 0.011111 Hrs"}, l.records(usage.TypeLoadBalancer))
}

// TestProcessFaults: a server that does not take over, and one that begins as if nothing had run before it.
func TestProcessFaults(t *testing.T) {
	server := startDB(t, "4.20")
	l := newLabOn(t, server, usage.Options{})
	require.NoError(t, l.server.Stop(t.Context(), false))
	idle, err := usage.New(l.db, usage.Options{Clock: l.clock, Range: 1, Host: "other", PID: 7,
		Faults: usage.Faults{NeverTakeOver: true}})
	require.NoError(t, err)
	l.clock.now = at(t, "10:30:00")
	_, err = idle.Heartbeat(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"vm/127.0.0.1 1"}, l.lines("SELECT host, pid FROM cloud_usage.usage_job"))

	l = newLabOn(t, server, usage.Options{})
	l.run("10:01:10")
	require.NoError(t, l.server.Stop(t.Context(), true))
	forgets, err := usage.New(l.db, usage.Options{Clock: l.clock, Range: 1, PID: 2,
		Faults: usage.Faults{ForgetSuccess: true}})
	require.NoError(t, err)
	require.NoError(t, forgets.Start(t.Context()))
	l.clock.now = at(t, "10:05:10")
	job, err := forgets.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, at(t, "10:04:00"), job.Start, "the windows from 10:01 to 10:04 are missing")
}
