package database

import (
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func conformanceDir() string {
	if dir := os.Getenv("STACKPROOF_CONFORMANCE"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "testdata", "conformance")
}

// listing is a columns.tsv as recorded: one line a column, without its position.
func listing(lines []string) map[string]string {
	all := map[string]string{}
	for _, line := range lines {
		fields := append(strings.Split(line, "\t"), "", "")
		all[strings.Join([]string{fields[0], fields[1], fields[2], fields[3]}, ".")] = strings.Join(fields[4:9], " ")
	}
	return all
}

// TestSchemaEqualsTheRecorded asks a server for its columns the way the recording was made.
func TestSchemaEqualsTheRecorded(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(conformanceDir(), "4.*", "columns.tsv"))
	require.NoError(t, err)
	require.NotEmpty(t, found, "no columns.tsv in %s", conformanceDir())
	for _, path := range found {
		release := filepath.Base(filepath.Dir(path))
		t.Run(release, func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			want := listing(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[1:])
			server := start(t, release)
			if !server.kind.mariadb {
				t.Skip("MySQL words types and defaults otherwise than the recorded MariaDB")
			}
			got := listing(columns(t, server))
			// not recorded
			maps.DeleteFunc(got, func(column, _ string) bool { return strings.HasPrefix(column, "cloud.mshost.") })
			// Keys over several columns, which the recording cannot show, turn up as MUL on their first column only.
			require.Empty(t, cmp.Diff(want, got), "- recorded, + ours")
		})
	}
}

func columns(t *testing.T, server *Server) []string {
	db, err := server.OpenReadOnly(t.Context())
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.Query("SELECT CONCAT_WS('\t', table_schema, table_name, ordinal_position, column_name, " +
		"column_type, is_nullable, " +
		"COALESCE(column_default, 'NULL'), column_key, extra) FROM information_schema.columns WHERE table_schema IN " +
		"('cloud', 'cloud_usage')")
	require.NoError(t, err)
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		lines = append(lines, line)
	}
	require.NoError(t, rows.Err())
	return lines
}

func TestUniqueKeysAndSeconds(t *testing.T) {
	db := open4(t)
	insert := func(address, assigned string) error {
		_, err := db.Exec("INSERT INTO cloud_usage.usage_ip_address (ip_id, account_id, domain_id, zone_id, "+
			"public_ip_address, is_source_nat, assigned) "+
			"VALUES (1, 2, 1, 1, ?, 0, ?)", address, assigned)
		return err
	}
	require.NoError(t, insert("10.0.0.1", "2026-03-10 10:00:00.9"))
	require.ErrorContains(t, insert("10.0.0.2", "2026-03-10 10:00:00"), "Duplicate",
		"fractions are cut, and (ip_id, assigned) is unique")
	require.NoError(t, insert("10.0.0.2", "2026-03-10 10:00:01"))
	require.ErrorContains(t, insert("10.0.0.2", "0000-00-00 00:00:00"), "Incorrect", "strict mode")
}

func open4(t *testing.T) *sql.DB {
	db, err := start(t, "4.20").Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestReleasesDiffer(t *testing.T) {
	has := func(release, table, column string) bool {
		tables, err := Tables(release)
		require.NoError(t, err)
		for _, each := range tables {
			for _, c := range each.Columns {
				if each.Database+"."+each.Name == table && c.Name == column {
					return true
				}
			}
		}
		return false
	}
	require.False(t, has("4.19.2.0", "cloud.vm_instance", "delete_protection"))
	require.True(t, has("4.20.1.0", "cloud.vm_instance", "delete_protection"))
	require.False(t, has("4.19.1.0", "cloud_usage.quota_email_configuration", "enabled"))
	require.True(t, has("4.20", "cloud_usage.quota_email_configuration", "enabled"))
	_, err := Tables("4.2")
	require.ErrorContains(t, err, `release 4.2 is not known`)
}

func TestDamagedSchemaText(t *testing.T) {
	for want, text := range map[string]string{"line 1": "*\tid\tint\tNO\tNULL\n", "line 2": "@cloud.a\n*\tid\n",
		"database.table": "@cloud\n"} {
		_, err := parseTables(text, "4.20", nil)
		require.ErrorContains(t, err, want)
	}
}
