package audit

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/internal/testdb"
	"github.com/stackproof/stackproof/zone/database"
)

// testSite is a real database server with the tables of a release.
type testSite struct {
	t      *testing.T
	server *database.Server
	db     *sql.DB
	needs  map[string][][2]string
}

func site4(t *testing.T) *testSite {
	t.Helper()
	server := testdb.Start(t, "4.20.0.0")
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &testSite{t: t, server: server, db: db, needs: map[string][][2]string{}}
}

func (s *testSite) exec(query string, args ...any) {
	s.t.Helper()
	_, err := s.db.ExecContext(s.t.Context(), query, args...)
	require.NoError(s.t, err, query)
}

// insert writes a row; columns that must have a value and got none are filled with what their type allows.
func (s *testSite) insert(table string, values map[string]any) {
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
	s.exec(
		fmt.Sprintf(
			"INSERT INTO %s (`%s`) VALUES (?%s)",
			table,
			strings.Join(names, "`,`"),
			strings.Repeat(",?", len(names)-1),
		),
		args...)
}

func (s *testSite) required(table string) [][2]string {
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

// audit runs an audit with the account that has SELECT only.
func (s *testSite) audit(change ...func(*Options)) *Result {
	s.t.Helper()
	r, err := s.try(change...)
	require.NoError(s.t, err)
	return r
}

func (s *testSite) try(change ...func(*Options)) (*Result, error) {
	// The settings of the server's own sessions are those that an audit meets.
	o := Options{DSN: s.dsnWith(func(c *mysql.Config) { c.Params = nil })}
	for _, c := range change {
		c(&o)
	}
	return Run(s.t.Context(), o)
}

// conformances are the folders of recordings of running servers.
func conformances() []string {
	if dir := os.Getenv("STACKPROOF_CONFORMANCE"); dir != "" {
		return []string{dir}
	}
	return []string{filepath.Join("..", "testdata", "conformance"), filepath.Join("testdata", "conformance")}
}

// load makes the tables of a recorded release anew, with its columns, and fills them with the recorded rows.
func (s *testSite) load(folder string) {
	s.t.Helper()
	tables := recordedTables(s.t, filepath.Join(folder, "columns.tsv"))
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		s.exec("DROP TABLE IF EXISTS " + name)
		s.exec(tables[name])
	}
	files, err := filepath.Glob(filepath.Join(folder, "tables", "*.tsv"))
	require.NoError(s.t, err)
	require.NotEmpty(s.t, files)
	for _, file := range files {
		s.loadTable(strings.TrimSuffix(filepath.Base(file), ".tsv"), file)
	}
}

func recordedTables(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	columns := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		f := append(strings.Split(line, "\t"), "", "")
		if len(f) < 8 {
			t.Fatalf("%s: %q", file, line)
		}
		name := f[0] + "." + f[1]
		text := "`" + f[3] + "` " + f[4]
		if f[7] == "PRI" && f[3] == "id" {
			text += " PRIMARY KEY"
		}
		columns[name] = append(columns[name], text)
	}
	statements := map[string]string{}
	for name, list := range columns {
		statements[name] = "CREATE TABLE " + name + " (" + strings.Join(list, ", ") + ")"
	}
	return statements
}

func (s *testSite) loadTable(name, file string) {
	s.t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(s.t, err)
	if len(data) == 0 {
		return
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	names := strings.Split(lines[0], "\t")
	for _, line := range lines[1:] {
		values := strings.Split(line, "\t")
		require.Len(s.t, values, len(names), "%s: %s", file, line)
		args := make([]any, len(values))
		for i, v := range values {
			if v != "NULL" {
				args[i] = v
			}
		}
		s.exec(
			fmt.Sprintf(
				"INSERT INTO %s (`%s`) VALUES (?%s)",
				name,
				strings.Join(names, "`,`"),
				strings.Repeat(",?", len(names)-1),
			),
			args...)
	}
}

// recordedReleases are the folders with recorded tables, by release.
func recordedReleases(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, dir := range conformances() {
		files, err := filepath.Glob(filepath.Join(dir, "*", "tables", "cloud_usage.usage_job.tsv"))
		require.NoError(t, err)
		for _, f := range files {
			folder := filepath.Dir(filepath.Dir(f))
			found[filepath.Base(folder)] = folder
		}
	}
	require.NotEmpty(t, found, "no recordings in %s", conformances())
	return found
}

// dsnWith is the read-only account's address with other driver settings.
func (s *testSite) dsnWith(change func(*mysql.Config)) string {
	s.t.Helper()
	c, err := mysql.ParseDSN(s.server.ReadOnlyDSN())
	require.NoError(s.t, err)
	change(c)
	return c.FormatDSN()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
