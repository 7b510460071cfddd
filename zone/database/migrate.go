package database

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Migrate gives the databases other tables, as the schema steps of an upgrade do, or of the way back. Rows stay where
// the new tables have their columns. Nothing else may write meanwhile.
func (s *Server) Migrate(ctx context.Context, tables []Table) (err error) {
	steps := migration(s.tables, tables)
	if len(steps) == 0 {
		return nil
	}
	db, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, step := range steps {
		if _, err := db.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("database: changing tables: %w (%.120s)", err, step)
		}
	}
	s.tables = tables
	return nil
}

// Columns are the names of each table's columns now, by "database.table".
func (s *Server) Columns() map[string][]string {
	all := map[string][]string{}
	for _, t := range s.tables {
		for _, c := range t.Columns {
			name := t.Database + "." + t.Name
			all[name] = append(all[name], c.Name)
		}
	}
	return all
}

// migration are the statements that make one list of tables another.
func migration(from, to []Table) (steps []string) {
	find := func(all []Table, t Table) int {
		return slices.IndexFunc(all, func(o Table) bool { return o.Database == t.Database && o.Name == t.Name })
	}
	for _, t := range from {
		if find(to, t) < 0 {
			steps = append(steps, "DROP TABLE "+t.full())
		}
	}
	for _, t := range to {
		i := find(from, t)
		if i < 0 {
			steps = append(steps, t.DDL())
			continue
		}
		if changes := alterations(from[i], t); len(changes) > 0 {
			steps = append(steps, "ALTER TABLE "+t.full()+" "+strings.Join(changes, ", "))
		}
	}
	return steps
}

func (t Table) full() string { return quote(t.Database) + "." + quote(t.Name) }

func (t Table) column(name string) (Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}

func alterations(from, to Table) (changes []string) {
	if reflect.DeepEqual(from, to) {
		return nil
	}
	for _, k := range from.keys() {
		if !slices.Contains(to.keys(), k) {
			changes = append(changes, "DROP KEY "+k.name)
		}
	}
	for _, c := range from.Columns {
		if next, stays := to.column(c.Name); !stays || !c.becomes(next) {
			changes = append(changes, "DROP COLUMN "+quote(c.Name))
		}
	}
	place := "FIRST"
	for _, c := range to.Columns {
		before, was := from.column(c.Name)
		switch {
		case !was || !before.becomes(c):
			changes = append(changes, "ADD COLUMN "+c.ddl()+" "+place)
		case before.ddl() != c.ddl():
			changes = append(changes, "MODIFY COLUMN "+c.ddl()+" "+place)
		}
		place = "AFTER " + quote(c.Name)
	}
	for _, k := range to.keys() {
		if !slices.Contains(from.keys(), k) {
			changes = append(changes, "ADD "+k.ddl)
		}
	}
	return changes
}

// becomes says whether a column's values can stay when it gets the type of another.
func (c Column) becomes(next Column) bool {
	kind := func(c Column) string {
		name, _, _ := strings.Cut(c.Type, "(")
		return name
	}
	return kind(c) == kind(next)
}
