package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Reset brings both databases back to the state of a new server: no rows, counters at 1. Only tables that were written
// to are truncated, because truncating costs milliseconds and looking costs none. Nothing else may write meanwhile.
func (s *Server) Reset(ctx context.Context) (err error) {
	db, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	connection, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("database: connecting for a reset: %w", err)
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	touched, err := s.touched(ctx, connection)
	if err != nil {
		return err
	}
	for _, table := range touched {
		if _, err := connection.ExecContext(ctx, "TRUNCATE TABLE "+table); err != nil {
			return fmt.Errorf("database: emptying %s: %w", table, err)
		}
	}
	return nil
}

// touched lists the tables that have rows or whose counter has moved (a rolled back insert moves it too).
func (s *Server) touched(ctx context.Context, connection *sql.Conn) (_ []string, err error) {
	if !s.kind.mariadb {
		// MySQL 8 answers information_schema from a cache of a day.
		if _, err := connection.ExecContext(ctx, "SET SESSION information_schema_stats_expiry = 0"); err != nil {
			return nil, fmt.Errorf("database: asking for fresh counters: %w", err)
		}
	}
	var query strings.Builder
	query.WriteString("SELECT CONCAT('`', table_schema, '`.`', table_name, '`') FROM information_schema.tables " +
		"WHERE table_schema IN ('cloud', 'cloud_usage') AND auto_increment > 1")
	for _, table := range s.tables {
		name := quote(table.Database) + "." + quote(table.Name)
		fmt.Fprintf(&query, " UNION SELECT '%s' FROM DUAL WHERE EXISTS (SELECT 1 FROM %s)", name, name)
	}
	rows, err := connection.QueryContext(ctx, query.String())
	if err != nil {
		return nil, fmt.Errorf("database: looking for written tables: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("database: reading the written tables: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
