package database

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, release string) *Server {
	t.Helper()
	server, err := Start(t.Context(), Options{Schema: release})
	var missing *MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

func TestServerHoldsBothDatabases(t *testing.T) {
	server := start(t, "4.20.0.0")
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	defer db.Close()
	var zone, mode string
	require.NoError(t, db.QueryRow("SELECT @@time_zone, @@sql_mode").Scan(&zone, &mode))
	require.Equal(t, "+00:00", zone)
	require.Equal(t, sqlMode, mode)
	var tables int
	require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema IN ('cloud','cloud_usage')").Scan(&tables))
	want, err := Tables("4.20")
	require.NoError(t, err)
	require.Equal(t, len(want), tables)
}

func TestCloseRemovesEverything(t *testing.T) {
	server, err := Start(t.Context(), Options{Schema: "4.19", Dir: t.TempDir()})
	var missing *MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	require.NoError(t, server.Close())
	require.NoError(t, server.Close())
	_, err = os.Stat(server.folder.root)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func BenchmarkStart(b *testing.B) {
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			server, err := Start(context.Background(), Options{Schema: "4.20", CacheDir: b.TempDir()})
			require.NoError(b, err)
			require.NoError(b, server.Close())
		}
	})
	b.Run("later", func(b *testing.B) {
		for b.Loop() {
			server, err := Start(context.Background(), Options{Schema: "4.20"})
			require.NoError(b, err)
			require.NoError(b, server.Close())
		}
	})
}
