package usageprobe

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// site is a real database server, written as root and probed with an account that has SELECT only.
type site struct {
	t      testing.TB
	server *database.Server
	db     *sql.DB
	probe  *Probe
	needs  map[string][][2]string // per table, what insert must fill
}

func newSite(t testing.TB) *site {
	t.Helper()
	server, err := database.Start(t.Context(), database.Options{Schema: "4.20.0.0"})
	var missing *database.MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	s := &site{t: t, server: server, needs: map[string][][2]string{}}
	s.db, err = server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	reader, err := server.OpenReadOnly(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reader.Close()) })
	s.probe = New(reader)
	return s
}

// with runs the site's helpers under a subtest.
func (s *site) with(t *testing.T) *site {
	c := *s
	c.t = t
	require.NoError(t, s.server.Reset(t.Context()))
	return &c
}

func (s *site) exec(query string, args ...any) {
	s.t.Helper()
	_, err := s.db.ExecContext(s.t.Context(), query, args...)
	require.NoError(s.t, err, query)
}

// insert writes a row; columns that must have a value and got none are filled with what their type allows.
func (s *site) insert(table string, values map[string]any) {
	s.t.Helper()
	all := maps.Clone(values)
	for _, c := range s.required(table) {
		if _, ok := all[c[0]]; ok {
			continue
		}
		switch {
		case strings.Contains(c[1], "char") || strings.Contains(c[1], "text"):
			all[c[0]] = ""
		case c[1] == "datetime":
			all[c[0]] = "2026-01-01 00:00:00"
		default:
			all[c[0]] = 0
		}
	}
	names := slices.Sorted(maps.Keys(all))
	args := make([]any, len(names))
	for i, n := range names {
		args[i] = all[n]
	}
	s.exec(fmt.Sprintf("INSERT INTO %s (`%s`) VALUES (?%s)", table, strings.Join(names, "`,`"),
		strings.Repeat(",?", len(names)-1)), args...)
}

func (s *site) required(table string) [][2]string {
	s.t.Helper()
	if known, ok := s.needs[table]; ok {
		return known
	}
	schema, name, _ := strings.Cut(table, ".")
	rows, err := s.db.QueryContext(s.t.Context(), `SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? AND is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%'`, schema, name)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, rows.Close()) }()
	var found [][2]string
	for rows.Next() {
		var c [2]string
		require.NoError(s.t, rows.Scan(&c[0], &c[1]))
		found = append(found, c)
	}
	require.NoError(s.t, rows.Err())
	s.needs[table] = found
	return found
}

// event writes an event to cloud and, processed, to cloud_usage.
func (s *site) event(typ string, resource int64, name, at string, processed bool) {
	s.t.Helper()
	values := map[string]any{"type": typ, "account_id": account, "created": day(at), "zone_id": 1,
		"resource_id": resource, "resource_name": name, "processed": 0}
	s.insert("cloud.usage_event", values)
	if processed {
		values["processed"] = 1
		s.exec("INSERT INTO cloud_usage.usage_event SELECT * FROM cloud.usage_event ORDER BY id DESC LIMIT 1")
		s.exec("UPDATE cloud_usage.usage_event SET processed = 1 WHERE id = (SELECT MAX(id) FROM cloud.usage_event)")
	}
}

const account = 2

func day(at string) string { return "2026-03-04 " + at }

func clock(t testing.TB, at string) time.Time {
	t.Helper()
	parsed, err := parseTime(day(at))
	require.NoError(t, err)
	return parsed
}

// thing is one resource with its events and the rows that they leave behind on a release without faults.
type thing struct {
	kind    Kind
	id      int64
	name    string // resource name of its events
	rows    [][2]string
	events  [][2]string
	row     map[string]any // further columns of its rows
	live    string         // table of cloud with its object; empty when it is gone
	liveRow map[string]any
}

// soundWorld is what a release without faults leaves after three windows of ten minutes, from 10:00 to 10:30.
func soundWorld() []thing {
	rule := func(purpose string) map[string]any { return map[string]any{"state": "Active", "purpose": purpose} }
	vm := map[string]any{"type": "User", "state": "Running"}
	return []thing{
		{kind: KindPF, id: 2, events: [][2]string{{"NET.RULEADD", "10:00:30"}}, rows: [][2]string{{"10:00:30", ""}},
			live: "firewall_rules", liveRow: rule("PortForwarding")},
		{kind: KindLB, id: 3, events: [][2]string{{"LB.CREATE", "10:01:00"}}, rows: [][2]string{{"10:01:00", ""}},
			live: "firewall_rules", liveRow: rule("LoadBalancing")},
		{kind: KindLB, id: 4, events: [][2]string{{"LB.CREATE", "10:02:00"}, {"LB.DELETE", "10:13:30"}},
			rows: [][2]string{{"10:02:00", "10:13:30"}}},
		{kind: KindLB, id: 5, events: [][2]string{{"LB.CREATE", "10:02:00"}}, rows: [][2]string{{"10:02:00", ""}},
			live: "firewall_rules", liveRow: rule("LoadBalancing")},
		{kind: KindPF, id: 6, events: [][2]string{{"NET.RULEADD", "10:03:00"}, {"NET.RULEDELETE", "10:21:05"}},
			rows: [][2]string{{"10:03:00", "10:21:05"}}},
		{kind: KindIP, id: 3, name: "192.0.2.3", events: [][2]string{{"NET.IPASSIGN", "10:00:10"}},
			rows: [][2]string{{"10:00:10", ""}},
			live: "user_ip_address", liveRow: map[string]any{"state": "Allocated", "allocated": day("10:00:10"),
				"public_ip_address": "192.0.2.3"}},
		// Released and taken again, in the same second.
		{kind: KindIP, id: 4, name: "192.0.2.4", events: [][2]string{{"NET.IPASSIGN", "10:03:00"},
			{"NET.IPRELEASE", "10:12:00"}, {"NET.IPASSIGN", "10:12:00"}},
			rows: [][2]string{{"10:03:00", "10:12:00"}, {"10:12:00", ""}},
			live: "user_ip_address", liveRow: map[string]any{"state": "Allocated", "allocated": day("10:12:00"),
				"public_ip_address": "192.0.2.4"}},
		// The older model edits in place at an update, the newer one closes and opens again.
		{kind: KindNetwork, id: 212, events: [][2]string{{"NETWORK.CREATE", "10:04:00"},
			{"NETWORK.UPDATE", "10:04:10"}}, rows: [][2]string{{"10:04:00", ""}},
			live: "networks", liveRow: map[string]any{"state": "Implemented"}},
		{kind: KindNetwork, id: 213, events: [][2]string{{"NETWORK.CREATE", "10:04:00"}, {"NETWORK.UPDATE", "10:08:00"},
			{"NETWORK.DELETE", "10:22:00"}},
			rows: [][2]string{{"10:04:00", "10:08:00"}, {"10:08:00", "10:22:00"}}},
		{kind: KindVPC, id: 1, events: [][2]string{{"VPC.CREATE", "10:00:05"}}, rows: [][2]string{{"10:00:05", ""}},
			live: "vpc", liveRow: map[string]any{"state": "Enabled"}},
		{kind: KindVPC, id: 2, events: [][2]string{{"VPC.CREATE", "10:00:06"}, {"VPC.DELETE", "10:25:00"}},
			rows: [][2]string{{"10:00:06", "10:25:00"}}},
		{kind: KindVMAllocated, id: 10, events: [][2]string{{"VM.CREATE", "10:05:00"}},
			rows: [][2]string{{"10:05:00", ""}}, live: "vm_instance", liveRow: vm},
		{kind: KindVMRunning, id: 10, events: [][2]string{{"VM.START", "10:05:10"}, {"VM.STOP", "10:16:00"},
			{"VM.START", "10:18:00"}},
			rows: [][2]string{{"10:05:10", "10:16:00"}, {"10:18:00", ""}}},
		{kind: KindVMAllocated, id: 11, events: [][2]string{{"VM.CREATE", "10:06:00"}, {"VM.DESTROY", "10:19:00"}},
			rows: [][2]string{{"10:06:00", "10:19:00"}}},
		{kind: KindVolume, id: 7, events: [][2]string{{"VOLUME.CREATE", "10:05:00"}, {"VOLUME.RESIZE", "10:09:00"},
			{"VOLUME.DELETE", "10:24:00"}},
			rows: [][2]string{{"10:05:00", "10:09:00"}, {"10:09:00", "10:24:00"}}},
		{kind: KindNIC, id: 10, name: "20", events: [][2]string{{"NETWORK.OFFERING.ASSIGN", "10:05:10"},
			{"NETWORK.OFFERING.REMOVE", "10:16:00"}, {"NETWORK.OFFERING.ASSIGN", "10:18:00"}},
			rows: [][2]string{{"10:05:10", "10:16:00"}, {"10:18:00", ""}}, row: map[string]any{"nic_id": 20,
				"network_offering_id": 13}},
		{kind: KindVPNUser, id: 5, events: [][2]string{{"VPN.USER.ADD", "10:07:00"}, {"VPN.USER.REMOVE", "10:14:00"}},
			rows: [][2]string{{"10:07:00", "10:14:00"}}},
		{kind: KindStorage, id: 9, events: [][2]string{{"SNAPSHOT.CREATE", "10:07:00"}},
			rows: [][2]string{{"10:07:00", ""}}, row: map[string]any{"storage_type": 3}},
	}
}

// build writes the world, with the jobs and records that belong to it.
func (s *site) build(things []thing) {
	s.t.Helper()
	s.insert("cloud.account", map[string]any{"id": account, "account_name": "acme", "uuid": "a-2"})
	s.insert("cloud.nics", map[string]any{"id": 20, "instance_id": 10, "uuid": "nic-20"})
	type dated struct {
		at    string
		event func()
	}
	var events []dated
	for _, th := range things {
		spec := specOf(th.kind)
		for _, r := range th.rows {
			s.insert("cloud_usage."+spec.table, th.helperRow(spec, r))
		}
		for _, e := range th.events {
			events = append(events, dated{e[1], func() { s.event(e[0], th.id, th.name, e[1], true) }})
		}
		if th.live != "" {
			object := maps.Clone(th.liveRow)
			object["id"], object["uuid"], object["account_id"], object["created"] = th.id,
				fmt.Sprintf("%s-%d", th.live, th.id), account, day(th.rows[0][0])
			s.insert("cloud."+th.live, object)
		}
	}
	slices.SortStableFunc(events, func(a, b dated) int { return strings.Compare(a.at, b.at) })
	for _, e := range events {
		e.event()
	}
	for _, w := range []string{"10:00:00", "10:10:00", "10:20:00"} {
		from := clock(s.t, w)
		s.job(from, from.Add(10*time.Minute))
		for _, th := range things {
			s.record(th, from, from.Add(10*time.Minute))
		}
	}
	// The next job is open, and one failed because its window was empty.
	s.insert("cloud_usage.usage_job", map[string]any{"start_millis": 1, "end_millis": 1, "success": 0})
	s.insert("cloud_usage.usage_job", map[string]any{"start_millis": 0, "end_millis": 0})
}

func (th thing) helperRow(spec kindSpec, r [2]string) map[string]any {
	values := map[string]any{spec.idColumn: th.id, "account_id": account, "zone_id": 1, spec.openedAt: day(r[0])}
	if r[1] != "" {
		values[spec.closedAt] = day(r[1])
	}
	if spec.vmType != 0 {
		values["usage_type"] = spec.vmType
	}
	maps.Copy(values, th.row)
	return values
}

func (s *site) job(from, to time.Time) {
	s.insert("cloud_usage.usage_job", map[string]any{"start_millis": from.UnixMilli(), "end_millis": to.UnixMilli() - 1,
		"success": 1, "heartbeat": stamp(to)})
}

// record bills what the rows have in common with a window, in 32-bit hours as the usage server does.
func (s *site) record(th thing, from, to time.Time) {
	s.t.Helper()
	spec := specOf(th.kind)
	if spec.recordType == 0 {
		return
	}
	var sum time.Duration
	for _, r := range th.rows {
		end := to
		if r[1] != "" && clock(s.t, r[1]).Before(to) {
			end = clock(s.t, r[1])
		}
		start := clock(s.t, r[0])
		if start.Before(from) {
			start = from
		}
		sum += max(0, end.Sub(start))
	}
	if sum == 0 {
		return
	}
	hours := float32(sum.Milliseconds()) / 1000 / 60 / 60
	values := map[string]any{"account_id": account, "usage_type": spec.recordType, "raw_usage": float64(hours),
		"usage_id":   th.id,
		"start_date": stamp(from), "end_date": stamp(to.Add(-time.Second)), "description": string(th.kind)}
	if th.kind == KindNIC {
		values["usage_id"], values["vm_instance_id"], values["offering_id"] = 1, th.id, 13
	}
	s.insert("cloud_usage.cloud_usage", values)
}

func (s *site) snapshot(accountIDs ...int64) Snapshot {
	s.t.Helper()
	snap, err := s.probe.Snapshot(s.t.Context(), accountIDs...)
	require.NoError(s.t, err)
	return snap
}

// openWith opens the read-only account with other driver settings.
func (s *site) openWith(change func(*mysql.Config)) *Probe {
	s.t.Helper()
	cfg, err := mysql.ParseDSN(s.server.ReadOnlyDSN())
	require.NoError(s.t, err)
	change(cfg)
	connector, err := mysql.NewConnector(cfg)
	require.NoError(s.t, err)
	db := sql.OpenDB(connector)
	s.t.Cleanup(func() { require.NoError(s.t, db.Close()) })
	require.NoError(s.t, db.PingContext(context.WithoutCancel(s.t.Context())))
	return New(db)
}
