package database

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server of somebody's gets the same tables, settings and rights as one of our own, and is refused when it has them.
func TestAttach(t *testing.T) {
	host := start(t, "4.20")
	_, err := Attach(t.Context(), AttachOptions{Schema: "4.20", DSN: host.DSN()})
	require.ErrorContains(t, err, "already: give one that nobody uses")
	db, err := host.Open(t.Context())
	require.NoError(t, err)
	defer db.Close()
	for _, s := range []string{"DROP DATABASE cloud", "DROP DATABASE cloud_usage", "SET GLOBAL time_zone = '+05:00'",
		"SET GLOBAL sql_mode = ''",
		"DROP USER 'stackproof_ro'@'127.0.0.1'", "DROP USER 'stackproof_ro'@'localhost'"} {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err)
	}
	ended := 0
	s, err := Attach(t.Context(), AttachOptions{Schema: "4.19.1.0", DSN: host.DSN(),
		OnClose: func(context.Context) error { ended++; return errors.New("it burns") }})
	require.NoError(t, err)
	assert.Equal(t, "4.19.1.0", s.Release())
	assert.Contains(t, s.Version(), "Maria")
	assert.Empty(t, s.Socket())
	admin, err := s.Open(t.Context())
	require.NoError(t, err)
	defer admin.Close()
	var zone, mode string
	require.NoError(t, admin.QueryRowContext(t.Context(), "SELECT @@time_zone, @@sql_mode").Scan(&zone, &mode))
	assert.Equal(t, "+00:00", zone)
	assert.Contains(t, mode, "STRICT_TRANS_TABLES")
	_, err = admin.ExecContext(t.Context(),
		"INSERT INTO cloud_usage.usage_job (host, job_type, heartbeat) VALUES ('h', 0, UTC_TIMESTAMP())")
	require.NoError(t, err)
	require.NoError(t, s.Reset(t.Context()))
	var id int
	_, err = admin.ExecContext(t.Context(),
		"INSERT INTO cloud_usage.usage_job (host, job_type, heartbeat) VALUES ('h', 0, UTC_TIMESTAMP())")
	require.NoError(t, err)
	reader, err := s.OpenReadOnly(t.Context())
	require.NoError(t, err)
	defer reader.Close()
	require.NoError(t, reader.QueryRowContext(t.Context(), "SELECT id FROM cloud_usage.usage_job").Scan(&id))
	assert.Equal(t, 1, id, "a reset sets counters back")
	_, err = reader.ExecContext(t.Context(), "DELETE FROM cloud_usage.usage_job")
	require.Error(t, err)
	require.ErrorContains(t, s.Close(), "it burns")
	require.NoError(t, s.Close(), "a second time there is nothing to end")
	assert.Equal(t, 1, ended)
}
