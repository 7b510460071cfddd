// Package testdb gives tests a database server with the tables of a release: a private MariaDB, or one that a person
// names, so that the same tests show what holds on MySQL.
package testdb

import (
	"context"
	"database/sql"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/database"
)

// DSN is the variable that names a server in go-sql-driver form, for an account that may do everything. The server
// must not have the databases of a site: they are made on it for each test and dropped after it. Only one test
// program at a time may use it (go test -p 1).
const DSN = "STACKPROOF_TEST_DSN"

// Start returns a server with the tables of a release, until the test ends.
func Start(t testing.TB, release string) *database.Server {
	t.Helper()
	dsn := os.Getenv(DSN)
	if dsn == "" {
		server, err := database.Start(t.Context(), database.Options{Schema: release})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		return server
	}
	server, err := database.Attach(t.Context(), database.AttachOptions{Schema: release, DSN: dsn})
	require.NoError(t, err, "the server of $%s", DSN)
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	var before []string
	t.Cleanup(func() {
		statements := []string{"DROP DATABASE cloud", "DROP DATABASE cloud_usage", "DROP USER stackproof_ro"}
		if before != nil {
			for _, user := range users(t, db) {
				if !slices.Contains(before, user) { // made by the test
					statements = append(statements, "DROP USER "+user)
				}
			}
		}
		for _, s := range statements {
			_, err := db.ExecContext(context.WithoutCancel(t.Context()), s)
			assert.NoError(t, err, s)
		}
		assert.NoError(t, db.Close())
		assert.NoError(t, server.Close())
	})
	before = users(t, db)
	return server
}

func users(t testing.TB, db *sql.DB) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(context.WithoutCancel(t.Context()), "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) "+
		"FROM mysql.user")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var user string
		require.NoError(t, rows.Scan(&user))
		all = append(all, user)
	}
	require.NoError(t, rows.Err())
	return all
}
