package database

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Prepared folders go a month after their last use; those in use or used lately stay.
func TestUnusedPreparedFoldersAreRemoved(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	kept := func(name string, used time.Time) string {
		folder := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Join(folder, "mysql"), 0o700))
		require.NoError(t, os.WriteFile(folder+".lock", nil, 0o600))
		require.NoError(t, os.Chtimes(folder+".lock", used, used))
		return folder
	}
	old, fresh, held := kept("data-old", now.Add(-2*unusedFor)), kept("data-fresh", now),
		kept("data-held", now.Add(-2*unusedFor))
	unlock, err := lockFile(context.Background(), held+".lock")
	require.NoError(t, err)
	require.NoError(t, prune(dir, now.Add(-unusedFor)))
	require.NoDirExists(t, old)
	require.DirExists(t, fresh)
	require.DirExists(t, held, "somebody is copying it")
	require.NoError(t, unlock())
	require.NoError(t, prune(dir, now.Add(-unusedFor)))
	require.NoDirExists(t, held)
}

// Every use counts, not only the first.
func TestUseOfAPreparedFolderIsNoted(t *testing.T) {
	server := start(t, "4.20")
	cache, err := defaultCacheDir()
	require.NoError(t, err)
	folder, err := prepared(t.Context(), server.kind, "4.20", cache)
	require.NoError(t, err)
	old := time.Now().Add(-2 * unusedFor)
	require.NoError(t, os.Chtimes(folder+".lock", old, old))
	_, err = prepared(t.Context(), server.kind, "4.20", cache)
	require.NoError(t, err)
	info, err := os.Stat(folder + ".lock")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), info.ModTime(), unusedFor)
}
