package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// AttachOptions say which server is taken. It must be one that nobody else uses: the two databases are made on it.
type AttachOptions struct {
	// Schema is the release whose tables are wanted, as in Options.
	Schema string
	// DSN is an administrator's, in go-sql-driver form, without a database.
	DSN string
	// OnClose ends the server; nil leaves it running, with the databases on it.
	OnClose func(ctx context.Context) error
}

// Attach makes a zone's databases on a server that runs already, MariaDB or MySQL 8. A server that has them is refused:
// they may be somebody's.
func Attach(ctx context.Context, o AttachOptions) (_ *Server, err error) {
	tables, err := Tables(o.Schema)
	if err != nil {
		return nil, err
	}
	config, err := mysql.ParseDSN(o.DSN)
	if err != nil {
		return nil, fmt.Errorf("database: the address of the server: %w", err)
	}
	s := &Server{release: o.Schema, reader: rand.Text(), tables: tables, attached: config, onClose: o.OnClose}
	db, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&s.kind.version); err != nil {
		return nil, fmt.Errorf("database: asking the server for its version: %w", err)
	}
	s.kind.mariadb = strings.Contains(s.kind.version, "MariaDB")
	var there sql.NullString
	err = db.QueryRowContext(ctx, "SELECT GROUP_CONCAT(schema_name) FROM information_schema.schemata WHERE "+
		"schema_name IN ('cloud', 'cloud_usage')").Scan(&there)
	if err != nil {
		return nil, fmt.Errorf("database: looking at the server: %w", err)
	}
	if there.Valid {
		return nil, fmt.Errorf("database: the server %s has %s already: give one that nobody uses", config.Addr,
			there.String)
	}
	return s, s.furnish(ctx, db)
}

// furnish makes the databases, their tables and the reader.
func (s *Server) furnish(ctx context.Context, db *sql.DB) error {
	text, err := script(s.release)
	if err != nil {
		return err
	}
	statements := strings.Split(strings.TrimSuffix(text, ";\n"), ";\n")
	statements = append(statements, fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", readerUser, s.reader))
	for _, base := range Databases() {
		statements = append(statements, fmt.Sprintf("GRANT SELECT ON %s.* TO '%s'@'%%'", base, readerUser))
	}
	for _, one := range statements {
		if _, err := db.ExecContext(ctx, one); err != nil {
			return fmt.Errorf("database: making the zone's databases: %w (%.80s)", err, one)
		}
	}
	return nil
}

// attachedConfig gives each connection the settings that our own server has as a whole.
func (s *Server) attachedConfig(user, password string) *mysql.Config {
	config := s.attached.Clone()
	if user == readerUser {
		config.User, config.Passwd = user, password
	}
	config.ParseTime, config.Loc, config.InterpolateParams = true, time.UTC, true
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	config.Params["time_zone"], config.Params["sql_mode"] = "'+00:00'", "'"+sqlMode+"'"
	return config
}
