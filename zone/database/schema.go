package database

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// schemaText is the compact form of the recorded columns: "@database.table" opens a table, each following line is mark,
// column, type, nullable, default, key, extra. The mark says which releases have the column: "*" all, a release's name
// those whose code contains it, and "<" before the name the others.
//
//go:embed schema/columns.tsv
var schemaText string

// Databases are the two databases that a server holds, in the order in which they are created.
func Databases() []string { return []string{"cloud", "cloud_usage"} }

// Table is one table of the schema of a release.
type Table struct {
	Database string
	Name     string
	Columns  []Column
}

// Column is one column. Default is SQL text, or "NULL" when there is none. Key is PRI, UNI, MUL or empty.
type Column struct {
	Name, Type, Default, Key, Extra string
	Nullable                        bool
}

// uniqueKeys are the unique keys over several columns, which a per-column listing cannot show
// (setup/db/create-schema.sql and schema-41600to41610.sql@4.20.0.0).
func uniqueKeys(table string) []string {
	return map[string][]string{
		"cloud_usage.usage_ip_address": {"ip_id", "assigned"},
		"cloud_usage.usage_volume":     {"volume_id", "created"},
		"cloud_usage.usage_storage":    {"entity_id", "storage_type", "zone_id", "created"},
	}[table]
}

// Tables returns the tables that a release has, in the recorded order. A release without a profile of its own, such as
// 4.20.1.2, has those of the one that it follows.
func Tables(name string) ([]Table, error) {
	if _, err := release.Resolve(name); err != nil {
		return nil, fmt.Errorf("database: no schema: %w", err)
	}
	return parseTables(schemaText, name)
}

// SameTables says whether two releases have the same tables, so that a zone of one can become one of the other. A release
// that is not known has none.
func SameTables(a, b string) bool {
	first, err := script(a)
	if err != nil {
		return false
	}
	second, err := script(b)
	return err == nil && first == second
}

// holds says whether a release has a column with this mark.
func holds(mark, name string) (bool, error) {
	if mark == "*" {
		return true, nil
	}
	began, before := strings.CutPrefix(mark, "<")
	contains, err := release.Contains(name, began)
	return contains != before, err
}

func parseTables(text, name string) ([]Table, error) {
	var tables []Table
	for number, row := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if full, ok := strings.CutPrefix(row, "@"); ok {
			base, table, found := strings.Cut(full, ".")
			if !found {
				return nil, fmt.Errorf("database: schema line %d: %q is not database.table", number+1, full)
			}
			tables = append(tables, Table{Database: base, Name: table})
			continue
		}
		fields := strings.Split(row, "\t")
		if len(fields) < 5 || len(tables) == 0 {
			return nil, fmt.Errorf("database: schema line %d: want mark, column, type, nullable, default", number+1)
		}
		has, err := holds(fields[0], name)
		if err != nil {
			return nil, fmt.Errorf("database: schema line %d: %w", number+1, err)
		}
		if !has {
			continue
		}
		fields = append(fields, "", "")
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, Column{
			Name: fields[1], Type: fields[2], Nullable: fields[3] == "YES", Default: fields[4], Key: fields[5], Extra: fields[6],
		})
	}
	kept := tables[:0]
	for _, table := range tables {
		if len(table.Columns) > 0 {
			kept = append(kept, table)
		}
	}
	return kept, nil
}

// DDL is the CREATE TABLE statement of the table.
func (t Table) DDL() string {
	var parts, primary, keys []string
	for _, column := range t.Columns {
		parts = append(parts, column.ddl())
		name := quote(column.Name)
		switch column.Key {
		case "PRI":
			primary = append(primary, name)
		case "UNI":
			keys = append(keys, fmt.Sprintf("UNIQUE KEY %s (%s)", quote("uc_"+t.Name+"__"+column.Name), name))
		case "MUL":
			keys = append(keys, fmt.Sprintf("KEY %s (%s)", quote("i_"+t.Name+"__"+column.Name), name))
		}
	}
	if len(primary) > 0 {
		parts = append(parts, "PRIMARY KEY ("+strings.Join(primary, ", ")+")")
	}
	parts = append(parts, keys...)
	if unique := uniqueKeys(t.Database + "." + t.Name); unique != nil {
		parts = append(parts, fmt.Sprintf("UNIQUE KEY %s (`%s`)", quote("u_"+t.Name), strings.Join(unique, "`, `")))
	}
	return fmt.Sprintf("CREATE TABLE %s.%s (%s) ENGINE=InnoDB DEFAULT CHARSET=utf8",
		quote(t.Database), quote(t.Name), strings.Join(parts, ", "))
}

func (c Column) ddl() string {
	text := quote(c.Name) + " " + c.Type
	if c.Nullable {
		text += " NULL"
	} else {
		text += " NOT NULL"
	}
	if c.Default != "NULL" || c.Nullable {
		text += " DEFAULT " + c.Default
	}
	if c.Extra != "" {
		text += " " + strings.ToUpper(c.Extra)
	}
	return text
}

func quote(name string) string { return "`" + name + "`" }

// script is all statements that make the schema of a release, each ended by ";\n" on a line of its own, which is the
// form that a server in bootstrap mode reads.
func script(name string) (string, error) {
	tables, err := Tables(name)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, base := range Databases() {
		fmt.Fprintf(&text, "CREATE DATABASE %s DEFAULT CHARACTER SET utf8;\n", quote(base))
	}
	for _, table := range tables {
		text.WriteString(table.DDL() + ";\n")
	}
	return text.String(), nil
}
