package database

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// schemaText is the compact form of the recorded columns: "@database.table" opens a table, each following line is mark,
// column, type, nullable, default, key, extra. The mark says which releases have the column: "*" all, a release's name
// those whose code contains it, "<" before the name the others, and a knob in brackets those in which it is on.
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
	// Unique is the unique key over several columns, if there is one.
	Unique []string
}

// Column is one column. Default is SQL text, or "NULL" when there is none. Key is PRI, UNI, MUL or empty.
type Column struct {
	Name, Type, Default, Key, Extra string
	Nullable                        bool
}

// uniqueKeys are the unique keys over several columns, which a per-column listing cannot show
// (setup/db/create-schema.sql and schema-41600to41610.sql@4.20.0.0). That of volumes has the VM where volumes are
// metered per VM, but for 4.22.1.0 (#13399; schema-42210to42300.sql@main).
func uniqueKeys(table string, on release.Knobs) []string {
	volume := []string{"volume_id", "created"}
	if on[release.VolumeUsagePerVM] && !on[release.UsageVolumeKeyNarrow] {
		volume = append(volume, "vm_id")
	}
	return map[string][]string{
		"cloud_usage.usage_ip_address": {"ip_id", "assigned"},
		"cloud_usage.usage_volume":     volume,
		"cloud_usage.usage_storage":    {"entity_id", "storage_type", "zone_id", "created"},
	}[table]
}

// Tables returns the tables that a release has, in the recorded order. A release without a profile of its own, such as
// 4.20.1.2, has those of the one that it follows.
func Tables(name string) ([]Table, error) {
	on, err := release.KnobsOf(name)
	if err != nil {
		return nil, fmt.Errorf("database: no schema: %w", err)
	}
	return TablesWith(name, on)
}

// TablesWith returns the tables of a release with other knobs than its own.
func TablesWith(name string, on release.Knobs) ([]Table, error) {
	return parseTables(schemaText, name, on)
}

// holds says whether a release has a column with this mark.
func holds(mark, name string, on release.Knobs) (bool, error) {
	if mark == "*" {
		return true, nil
	}
	if knob, ok := strings.CutPrefix(mark, "["); ok {
		knob, off := strings.CutSuffix(strings.TrimSuffix(knob, "]"), "=off")
		return on[release.Knob(knob)] != off, nil
	}
	began, before := strings.CutPrefix(mark, "<")
	contains, err := release.Contains(name, began)
	return contains != before, err
}

func parseTables(text, name string, on release.Knobs) ([]Table, error) {
	var tables []Table
	for number, row := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if full, ok := strings.CutPrefix(row, "@"); ok {
			base, table, found := strings.Cut(full, ".")
			if !found {
				return nil, fmt.Errorf("database: schema line %d: %q is not database.table", number+1, full)
			}
			tables = append(tables, Table{Database: base, Name: table, Unique: uniqueKeys(full, on)})
			continue
		}
		fields := strings.Split(row, "\t")
		if len(fields) < 5 || len(tables) == 0 {
			return nil, fmt.Errorf("database: schema line %d: want mark, column, type, nullable, default", number+1)
		}
		has, err := holds(fields[0], name, on)
		if err != nil {
			return nil, fmt.Errorf("database: schema line %d: %w", number+1, err)
		}
		if !has {
			continue
		}
		fields = append(fields, "", "")
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, Column{
			Name: fields[1], Type: fields[2], Nullable: fields[3] == "YES", Default: fields[4], Key: fields[5],
			Extra: fields[6],
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
	var parts, primary []string
	for _, column := range t.Columns {
		parts = append(parts, column.ddl())
		if column.Key == "PRI" {
			primary = append(primary, quote(column.Name))
		}
	}
	if len(primary) > 0 {
		parts = append(parts, "PRIMARY KEY ("+strings.Join(primary, ", ")+")")
	}
	for _, k := range t.keys() {
		parts = append(parts, k.ddl)
	}
	return fmt.Sprintf("CREATE TABLE %s.%s (%s) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3",
		quote(t.Database), quote(t.Name), strings.Join(parts, ", "))
}

// key is a key other than the primary one.
type key struct{ name, ddl string }

func (t Table) keys() (all []key) {
	for _, column := range t.Columns {
		name := quote(column.Name)
		switch column.Key {
		case "UNI":
			called := quote("uc_" + t.Name + "__" + column.Name)
			all = append(all, key{called, fmt.Sprintf("UNIQUE KEY %s (%s)", called, name)})
		case "MUL":
			called := quote("i_" + t.Name + "__" + column.Name)
			all = append(all, key{called, fmt.Sprintf("KEY %s (%s)", called, name)})
		}
	}
	if t.Unique != nil {
		called := quote("u_" + t.Name)
		all = append(all, key{called, fmt.Sprintf("UNIQUE KEY %s (`%s`)", called, strings.Join(t.Unique, "`, `"))})
	}
	return all
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
		fmt.Fprintf(&text, "CREATE DATABASE %s DEFAULT CHARACTER SET utf8mb3;\n", quote(base))
	}
	for _, table := range tables {
		text.WriteString(table.DDL() + ";\n")
	}
	return text.String(), nil
}
