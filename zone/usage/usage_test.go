package usage_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/zone/database"
	"github.com/stackproof/stackproof/zone/usage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

func startDB(t testing.TB, release string) *database.Server {
	t.Helper()
	server, err := database.Start(t.Context(), database.Options{Schema: release})
	var missing *database.MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

func openDB(t testing.TB, server *database.Server) *sql.DB {
	t.Helper()
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// lab is a usage server with a hand-written event store. Times are "15:04:05" of one day.
type lab struct {
	t      testing.TB
	db     *sql.DB
	clock  *clock
	server *usage.Server
	log    *bytes.Buffer
}

const day = "2026-03-10 "

func at(t testing.TB, text string) time.Time {
	t.Helper()
	value, err := time.Parse("2006-01-02 15:04:05", day+text)
	require.NoError(t, err)
	return value
}

func newLab(t testing.TB, options usage.Options) *lab {
	t.Helper()
	return newLabOn(t, startDB(t, "4.20"), options)
}

// newLabOn empties a database server that earlier labs used.
func newLabOn(t testing.TB, server *database.Server, options usage.Options) *lab {
	t.Helper()
	require.NoError(t, server.Reset(t.Context()))
	l := &lab{t: t, db: openDB(t, server), clock: &clock{now: at(t, "10:00:10")}, log: &bytes.Buffer{}}
	for id := 1; id <= 3; id++ {
		_, err := l.db.Exec(
			"INSERT INTO cloud.account (id, account_name, uuid, type, domain_id) VALUES (?, ?, ?, 0, 1)",
			id, fmt.Sprint("a", id), fmt.Sprint("u", id))
		require.NoError(t, err)
	}
	options.Clock = l.clock
	if options.Range == 0 {
		options.Range = 1
	}
	options.ExecTime = "10:01"
	options.Log = slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	l.server, err = usage.New(l.db, options)
	require.NoError(t, err)
	require.NoError(t, l.server.Start(t.Context()))
	return l
}

// event writes a usage event; more are column=value pairs.
func (l *lab) event(when, kind string, account, resource int64, more ...any) {
	l.t.Helper()
	columns, values := "type, account_id, created, zone_id, resource_id", []any{kind, account, at(l.t, when), 1,
		resource}
	for i := 0; i < len(more); i += 2 {
		columns += ", " + more[i].(string)
		values = append(values, more[i+1])
	}
	_, err := l.db.Exec("INSERT INTO cloud.usage_event ("+columns+") VALUES (?"+strings.Repeat(", ?", len(values)-1)+
		")", values...)
	require.NoError(l.t, err)
}

// detail adds a detail to the event written last.
func (l *lab) detail(name, value string) {
	_, err := l.db.Exec("INSERT INTO cloud.usage_event_details (usage_event_id, name, value) SELECT MAX(id), ?, ? "+
		"FROM cloud.usage_event", name, value)
	require.NoError(l.t, err)
}

// run does a recurring run at a time and wants it to succeed.
func (l *lab) run(when string) usage.Job {
	l.t.Helper()
	l.clock.now = at(l.t, when)
	job, err := l.server.Run(l.t.Context())
	require.NoError(l.t, err)
	require.NoError(l.t, job.Err)
	require.True(l.t, job.Success, "job %d of %s", job.ID, when)
	return job
}

// lines are the rows of a query, columns joined by blanks, dates without the day.
func (l *lab) lines(query string, arguments ...any) []string {
	l.t.Helper()
	rows, err := l.db.Query(query, arguments...)
	require.NoError(l.t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(l.t, err)
	all := []string{}
	for rows.Next() {
		values, targets := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		require.NoError(l.t, rows.Scan(targets...))
		var parts []string
		for _, value := range values {
			switch typed := value.(type) {
			case nil:
				parts = append(parts, "-")
			case time.Time:
				parts = append(parts, typed.Format("15:04:05"))
			case []byte:
				parts = append(parts, string(typed))
			default:
				parts = append(parts, fmt.Sprint(typed))
			}
		}
		all = append(all, strings.Join(parts, " "))
	}
	require.NoError(l.t, rows.Err())
	return all
}

func (l *lab) balancers() []string {
	return l.lines("SELECT lb_id, account_id, created, deleted FROM cloud_usage.usage_load_balancer_policy ORDER BY id")
}

// records are usage id, begin of the slice and hours of the records of a type.
func (l *lab) records(usageType int) []string {
	return l.lines("SELECT usage_id, start_date, usage_display FROM cloud_usage.cloud_usage WHERE usage_type = ? "+
		"ORDER BY start_date, usage_id, id", usageType)
}

func broken() usage.Rules {
	return usage.Rules{CloseByHelperPK: true, StorageByHelperPK: true, SnapshotByHelperPK: true, NetworkModelOld: true}
}

// TestStoryA is #10789's fault in its four constellations of rule ids and helper ids.
func TestStoryA(t *testing.T) {
	server := startDB(t, "4.20")
	type rule struct{ id, account int64 }
	for _, c := range []struct {
		name                 string
		rules                []rule
		wantBroken, wantGood []string // rows after the first rule was deleted
		silent               bool     // the broken server logs nothing
	}{
		{name: "equal ids hide the fault", rules: []rule{{1, 2}, {2, 2}},
			wantBroken: []string{"1 2 10:00:20 10:01:30", "2 2 10:00:22 -"}, wantGood: []string{"1 2 10:00:20 10:01:30",
				"2 2 10:00:22 -"}},
		{name: "ids apart: nothing is closed", rules: []rule{{5, 2}, {6, 2}}, silent: true,
			wantBroken: []string{"5 2 10:00:20 -", "6 2 10:00:22 -"}, wantGood: []string{"5 2 10:00:20 10:01:30",
				"6 2 10:00:22 -"}},
		{name: "ids crossed: the live rule is closed", rules: []rule{{2, 2}, {3, 2}},
			wantBroken: []string{"2 2 10:00:20 -", "3 2 10:00:22 10:01:30"}, wantGood: []string{"2 2 10:00:20 10:01:30",
				"3 2 10:00:22 -"}},
		{name: "crossed with another account: nothing is closed", rules: []rule{{2, 2}, {3, 3}}, silent: true,
			wantBroken: []string{"2 2 10:00:20 -", "3 3 10:00:22 -"}, wantGood: []string{"2 2 10:00:20 10:01:30",
				"3 3 10:00:22 -"}},
	} {
		for _, isBroken := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/broken=%v", c.name, isBroken), func(t *testing.T) {
				rules, want := usage.Rules{}, c.wantGood
				if isBroken {
					rules, want = broken(), c.wantBroken
				}
				l := newLabOn(t, server, usage.Options{Rules: rules})
				for i, r := range c.rules {
					l.event(fmt.Sprintf("10:00:%d", 20+2*i), "LB.CREATE", r.account, r.id)
				}
				l.run("10:01:10")
				l.event("10:01:30", "LB.DELETE", c.rules[0].account, c.rules[0].id)
				l.run("10:02:10")
				l.run("10:03:10")
				require.Equal(t, want, l.balancers())
				require.Equal(t, !(isBroken && c.silent), strings.Contains(l.log.String(),
					"deleting load balancer policy: "), "debug line")
				require.NotContains(t, l.log.String(), "level=WARN")
				require.Equal(t, []string{"0"},
					l.lines("SELECT COUNT(*) FROM cloud_usage.usage_event WHERE processed = 0"))
				last := l.lines("SELECT usage_id FROM cloud_usage.cloud_usage WHERE start_date = ? ORDER BY usage_id",
					at(t, "10:02:00"))
				var open []string
				for _, row := range want {
					if strings.HasSuffix(row, " -") {
						open = append(open, strings.Fields(row)[0])
					}
				}
				require.Equal(t, open, last, "billed in the window after the delete")
			})
		}
	}
}

func TestPortForwardingHasTheSameFault(t *testing.T) {
	const query = "SELECT pf_id, deleted FROM cloud_usage.usage_port_forwarding ORDER BY id"
	for isBroken, want := range map[bool][]string{true: {"2 -", "3 10:01:30"}, false: {"2 10:01:30", "3 -"}} {
		rules := usage.Rules{CloseByHelperPK: isBroken}
		l := newLab(t, usage.Options{Rules: rules})
		l.event("10:00:20", "NET.RULEADD", 2, 2)
		l.event("10:00:22", "NET.RULEADD", 2, 3)
		l.run("10:01:10")
		l.event("10:01:30", "NET.RULEDELETE", 2, 2)
		l.run("10:02:10")
		require.Equal(t, want, l.lines(query), "broken=%v", isBroken)
	}
}

func TestBrokenServerUpdatesByRuleIDOfTheRowItFound(t *testing.T) {
	l := newLab(t, usage.Options{Rules: broken()})
	l.event("10:00:20", "LB.CREATE", 2, 9)
	l.event("10:00:22", "LB.CREATE", 2, 7)
	l.event("10:00:24", "LB.CREATE", 2, 7)
	l.run("10:01:10")
	l.event("10:01:30", "LB.DELETE", 2, 2) // helper row 2 is a row of rule 7, and row 3 is another
	l.run("10:02:10")
	require.Equal(t, []string{"9 2 10:00:20 -", "7 2 10:00:22 10:01:30", "7 2 10:00:24 10:01:30"}, l.balancers())
}

func TestFixedServerWarnsOfSeveralRows(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.event("10:00:20", "LB.CREATE", 2, 7)
	l.event("10:00:24", "LB.CREATE", 2, 7)
	l.event("10:00:30", "LB.DELETE", 2, 7)
	l.run("10:01:10")
	require.Equal(t, []string{"7 2 10:00:20 10:00:30", "7 2 10:00:24 10:00:30"}, l.balancers())
	require.Contains(t, l.log.String(), "level=WARN")
}

func TestRecordsAreProrated(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.run("10:00:59")
	l.event("10:00:30", "LB.CREATE", 2, 7)
	l.run("10:01:10")
	l.run("10:02:10")
	l.event("10:02:15", "LB.DELETE", 2, 7)
	l.run("10:03:10")
	l.run("10:04:10")
	// The delete's second is billed with one millisecond, both ends being counted.
	require.Equal(t, []string{"7 10:00:00 0.008333 Hrs", "7 10:01:00 0.016667 Hrs", "7 10:02:00 0.004167 Hrs"},
		l.records(usage.TypeLoadBalancer))
}

func TestLateEventMovesTheStartBack(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.event("10:00:10", "LB.CREATE", 2, 7)
	l.run("10:01:10")
	l.run("10:02:10")
	l.event("10:00:40", "LB.CREATE", 2, 8)
	job := l.run("10:03:10")
	require.Equal(t, at(t, "10:00:40"), job.Start)
	require.Equal(t, at(t, "10:03:00").Add(-time.Millisecond), job.End)
	// The first slice, counted back from the end, is what is left: here 80 seconds.
	require.Equal(t, []string{"7 10:00:00 0.013889 Hrs", "7 10:00:40 0.022222 Hrs", "8 10:00:40 0.022222 Hrs",
		"7 10:01:00 0.016667 Hrs", "7 10:02:00 0.016667 Hrs", "8 10:02:00 0.016667 Hrs"},
		l.records(usage.TypeLoadBalancer))
}
