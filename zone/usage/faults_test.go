package usage_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/database"
	"github.com/stackproof/stackproof/zone/usage"
)

// story is the life that every fault is tried on: rules 11 and 12 of account 2, of which 11 is deleted, and a port
// forwarding rule 13, which no fault may touch.
func story(t *testing.T, server *database.Server, faults usage.Faults) *lab {
	l := newLabOn(t, server, usage.Options{Faults: faults})
	l.event("10:00:20", "LB.CREATE", 2, 11)
	l.event("10:00:22", "LB.CREATE", 2, 12)
	l.event("10:00:24", "NET.RULEADD", 2, 13)
	l.run("10:01:10")
	l.event("10:01:30", "LB.DELETE", 2, 11)
	l.run("10:02:10")
	l.run("10:03:10")
	return l
}

// TestFaultsShow checks that each fault changes what it says, and that the same look at a server without faults does
// not see it.
func TestFaultsShow(t *testing.T) {
	const balancers = "SELECT COUNT(*) FROM cloud_usage.usage_load_balancer_policy WHERE "
	const records = "SELECT COUNT(*) FROM cloud_usage.cloud_usage WHERE usage_type = 11 AND "
	cases := []struct {
		name   string
		fault  usage.Faults
		query  string
		clean  string // the answer without faults
		faulty string
	}{
		{"CloseNothing", usage.Faults{CloseNothing: true}, balancers + "lb_id = 11 AND deleted IS NULL", "0", "1"},
		{"CloseWrongDate", usage.Faults{CloseWrongDate: true},
			"SELECT TIME_FORMAT(deleted, '%H:%i:%s') FROM cloud_usage.usage_load_balancer_policy WHERE lb_id = 11",
			"10:01:30", "10:02:10"},
		{"CloseTwice", usage.Faults{CloseTwice: true}, balancers + "lb_id = 12 AND deleted IS NULL", "1", "0"},
		{"RowVanishes", usage.Faults{RowVanishes: true}, balancers + "lb_id = 11", "1", "0"},
		{"CreateRowTwice", usage.Faults{CreateRowTwice: true}, balancers + "lb_id = 12", "1", "2"},
		{"EventLost", usage.Faults{EventLost: true}, "SELECT COUNT(*) FROM cloud_usage.usage_event", "4", "2"},
		{"EventProcessedTwice", usage.Faults{EventProcessedTwice: true}, balancers + "lb_id = 12", "1", "2"},
		{"EventsLeftUnprocessed", usage.Faults{EventsLeftUnprocessed: true},
			"SELECT COUNT(*) FROM cloud_usage.usage_event WHERE processed = 0", "0", "3"},
		{"RecordAfterClose", usage.Faults{RecordAfterClose: true}, records +
			"usage_id = 11 AND start_date >= '2026-03-10 10:02:00'", "0", "1"},
		{"RecordTooLong", usage.Faults{RecordTooLong: true},
			"SELECT usage_display FROM cloud_usage.cloud_usage WHERE usage_id = 11 AND start_date = '2026-03-10 " +
				"10:01:00'", "0.008334 Hrs", "0.016667 Hrs"},
		{"RecordMissing", usage.Faults{RecordMissing: true}, records + "usage_id = 11", "2", "0"},
		{"RecordDuplicate", usage.Faults{RecordDuplicate: true}, records + "usage_id = 11", "2", "4"},
		{"WrongAccount", usage.Faults{WrongAccount: true}, records + "account_id = 3", "0", "5"},
		{"SkipWindow", usage.Faults{SkipWindow: true}, records + "start_date = '2026-03-10 10:01:00'", "2", "0"},
		{"CloseHourOff", usage.Faults{CloseHourOff: true},
			"SELECT TIME_FORMAT(deleted, '%H:%i:%s') FROM cloud_usage.usage_load_balancer_policy WHERE lb_id = 11",
			"10:01:30", "11:01:30"},
		{"CloseOnMinute", usage.Faults{CloseOnMinute: true},
			"SELECT TIME_FORMAT(deleted, '%H:%i:%s') FROM cloud_usage.usage_load_balancer_policy WHERE lb_id = 11",
			"10:01:30", "10:01:00"},
		{"RecordRounded", usage.Faults{RecordRounded: true},
			"SELECT usage_display FROM cloud_usage.cloud_usage WHERE usage_id = 12 AND start_date < '2026-03-10 " +
				"10:01:00'", "0.010556 Hrs", "0.016667 Hrs"},
		{"GapWindow", usage.Faults{GapWindow: true}, records + "start_date = '2026-03-10 10:02:01'", "0", "1"},
		{"OverlapWindow", usage.Faults{OverlapWindow: true}, records +
			"usage_id = 12 AND start_date = '2026-03-10 10:00:00'", "1", "2"},
	}
	server := startDB(t, "4.20")
	clean := story(t, server, usage.Faults{})
	for _, c := range cases {
		require.Equal(t, []string{c.clean}, clean.lines(c.query), c.name)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := story(t, server, c.fault)
			require.Equal(t, []string{c.faulty}, l.lines(c.query))
			require.Equal(t, []string{"13 10:00:24 -"},
				l.lines("SELECT pf_id, created, deleted FROM cloud_usage.usage_port_forwarding"))
		})
	}
}

func TestFaultsOfOtherTypes(t *testing.T) {
	l := story(t, startDB(t, "4.20"), usage.Faults{Types: []int{usage.TypePortForwarding}, CreateRowTwice: true,
		CloseNothing: true})
	require.Equal(t, []string{"13", "13"}, l.lines("SELECT pf_id FROM cloud_usage.usage_port_forwarding"))
	require.Equal(t, []string{"11 2 10:00:20 10:01:30", "12 2 10:00:22 -"}, l.balancers())
}

func BenchmarkRun1000OpenRows(b *testing.B) {
	l := newLab(b, usage.Options{})
	for i := range 1000 {
		l.event("10:00:20", "LB.CREATE", 2, int64(1000+i))
	}
	l.run("10:01:10")
	minute := 2
	for b.Loop() {
		l.run(fmt.Sprintf("%02d:%02d:10", 10+minute/60, minute%60))
		minute++
	}
}

// TestAccountLost makes two accounts between two runs: the older one is never copied, its first event ends every run
// from then on, and each failed run uses up helper ids that it rolls back (confirmed.md 31 and 47).
func TestAccountLost(t *testing.T) {
	server := startDB(t, "4.20")
	for name, lost := range map[string]bool{"with": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			l := newLabOn(t, server, usage.Options{Faults: usage.Faults{AccountLost: lost}})
			l.run("10:01:10")
			for id := 4; id <= 5; id++ {
				_, err := l.db.Exec("INSERT INTO cloud.account (id, account_name, uuid, type, domain_id) VALUES (?, "+
					"?, ?, 0, 1)", id, fmt.Sprint("a", id), fmt.Sprint("u", id))
				require.NoError(t, err)
			}
			l.run("10:02:10")
			known := l.lines("SELECT id FROM cloud_usage.account WHERE id > 3")
			if !lost {
				require.Equal(t, []string{"4", "5"}, known)
				return
			}
			require.Equal(t, []string{"5"}, known)
			l.event("10:02:20", "LB.CREATE", 5, 20)
			l.event("10:02:30", "VPC.CREATE", 4, 1)
			for _, minute := range []string{"10:03:10", "10:04:10"} {
				l.clock.now = at(t, minute)
				job, err := l.server.Run(t.Context())
				require.NoError(t, err)
				require.False(t, job.Success)
				require.ErrorContains(t, job.Err, "names account 4")
			}
			require.Equal(t, []string{"20 0", "1 0"},
				l.lines("SELECT resource_id, processed FROM cloud_usage.usage_event ORDER BY id"))
			require.Equal(t, []string{"3"},
				l.lines("SELECT AUTO_INCREMENT FROM information_schema.tables WHERE table_schema = 'cloud_usage' "+
					"AND table_name = 'usage_load_balancer_policy'"))
		})
	}
}
