package database

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReplica follows a server: what is written there is read here, by the same account, only not while the replica is
// halted or late.
func TestReplica(t *testing.T) {
	server, err := Start(t.Context(), Options{Schema: "4.20.1.0", Logged: true})
	var missing *MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	replica, err := server.StartReplica(t.Context(), t.TempDir())
	if errors.Is(err, ErrNoReplica) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, replica.Close()) }()
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	reader, err := replica.OpenReadOnly(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	write := func(name string) {
		_, err := db.ExecContext(t.Context(), "INSERT INTO cloud.configuration (category, instance, component, name) "+
			"VALUES ('a', 'b', 'c', ?)", name)
		require.NoError(t, err)
	}
	reads := func(name string) bool {
		var found string
		err := reader.QueryRowContext(t.Context(), "SELECT name FROM cloud.configuration WHERE name = ?",
			name).Scan(&found)
		if errors.Is(err, sql.ErrNoRows) {
			return false
		}
		require.NoError(t, err)
		return true
	}
	write("first")
	require.NoError(t, replica.CatchUp(t.Context()))
	assert.True(t, reads("first"))

	require.NoError(t, replica.Halt(t.Context()))
	write("second")
	assert.False(t, reads("second"), "a replica that is halted")
	require.NoError(t, replica.Resume(t.Context()))
	require.NoError(t, replica.CatchUp(t.Context()))
	assert.True(t, reads("second"))

	require.NoError(t, replica.Lag(t.Context(), time.Hour))
	write("third")
	assert.False(t, reads("third"), "a replica that is late")
	require.NoError(t, replica.CatchUp(t.Context()))
	assert.True(t, reads("third"))

	_, err = reader.ExecContext(t.Context(), "DELETE FROM cloud.configuration")
	assert.Error(t, err, "the reader may read only")
}
