package usageruns

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/database"
)

// TestWhatEndsUsageRuns writes jobs and events as a failing usage server leaves them.
func TestWhatEndsUsageRuns(t *testing.T) {
	t.Parallel()
	server, err := database.Start(t.Context(), database.Options{Schema: "4.20.1.0"})
	if server != nil {
		t.Cleanup(func() { assert.NoError(t, server.Close()) })
	}
	require.NoError(t, err)
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	u := &Server{DB: db}
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), query, args...)
		require.NoError(t, err)
	}
	exec("INSERT INTO cloud_usage.account (id, account_name, type, domain_id) VALUES (501, 'a', 0, 1)")
	job := func(id int64, start, end int64, success int) {
		exec("INSERT INTO cloud_usage.usage_job (id, host, pid, job_type, scheduled, start_millis, end_millis, "+
			"success, heartbeat) VALUES (?, 'h', 1, 0, 0, ?, ?, ?, NOW())", id, start, end, success)
	}
	event := func(id int64, kind string, account int64, size sql.Null[int64]) {
		exec("INSERT INTO cloud_usage.usage_event (id, type, account_id, created, zone_id, resource_id, size, "+
			"processed) VALUES (?, ?, ?, ?, 1, 77, ?, 0)",
			id, kind, account, time.Date(2026, 6, 1, 12, 0, int(id-900), 0, time.UTC), size)
	}
	none, some := sql.Null[int64]{}, sql.Null[int64]{V: 1, Valid: true}
	for _, step := range []struct {
		name   string
		do     func()
		fails  bool
		says   string
		remedy bool
	}{
		{"one failure is not enough", func() { job(900, 1000, 60999, 0) }, false, "", false},
		{"an empty window is none", func() { job(901, 61000, 60999, 0) }, false, "", false},
		{"two are", func() { job(902, 1000, 120999, 0) }, true, "no event waits", false},
		{"a success ends it", func() { job(903, 1000, 180999, 1) }, false, "", false},
		{"two more", func() { job(904, 181000, 240999, 0); job(905, 181000, 300999, 0) }, true,
			"job 904 to 1970-01-01 00:04:00, job 905", false},
		{"an event that lacks nothing", func() { event(910, "VPC.CREATE", 501, none) }, true,
			"910, VPC.CREATE of resource 77, account 501, created 2026-06-01 12:00:10, and nothing", false},
		{"an event that came before", func() { event(911, "VPC.CREATE", 501, none) }, true,
			"911, VPC.CREATE of resource 77", true},
		{"an event without a size", func() {
			event(912, "VOLUME.CREATE", 501, none)
			event(913, "VOLUME.CREATE", 501,
				some)
		}, true, "912, VOLUME.CREATE", true},
		{"an event of an unknown account", func() { event(914, "NET.IPASSIGN", 502, none) }, true,
			"914, NET.IPASSIGN of resource 77, account 502", true},
	} {
		step.do()
		f, err := u.failing(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, step.fails, f != nil, step.name)
		if f != nil {
			assert.Contains(t, f.Says(), step.says, step.name)
			assert.Equal(t, step.remedy, f.Remedy() != "", step.name)
		}
	}
	f, err := u.failing(t.Context(), 904)
	require.NoError(t, err)
	assert.Nil(t, f, "only one has failed since")
}
