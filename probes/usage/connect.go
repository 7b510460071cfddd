package usageprobe

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// dsnForm is what an address of a database looks like.
const dsnForm = "want user:password@tcp(host:3306)/ or mysql://user:password@host:3306/"

// ParseDSN reads an address in the form of go-sql-driver or as mysql://user:password@host:port/. Its errors hold no
// password.
func ParseDSN(dsn string) (*mysql.Config, error) {
	if rest, found := strings.CutPrefix(dsn, "mysql://"); found {
		u, err := url.Parse("mysql://" + rest)
		if err != nil {
			return nil, errors.New("dsn: not an address; " + dsnForm)
		}
		c := mysql.NewConfig()
		c.User, c.Net, c.Addr = u.User.Username(), "tcp", u.Host
		c.Passwd, _ = u.User.Password()
		if u.Port() == "" {
			c.Addr += ":3306"
		}
		return c, nil
	}
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		// The driver repeats parts of the text, and of a malformed one the password may be a part.
		return nil, errors.New("dsn: not of that form; " + dsnForm)
	}
	return c, nil
}

// Connect opens a pool. Nothing is sent yet. Queries are sent as one text: a management server's connection pools may
// hold all statements that a database prepares at the same time (max_prepared_stmt_count, error 1461).
func Connect(config *mysql.Config) (*sql.DB, error) {
	config = config.Clone()
	config.InterpolateParams = true
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("dsn: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(16)
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}

// Current connects anew where the server would answer questions about tables from what it remembers of them: MySQL 8
// does for a day (information_schema_stats_expiry), MariaDB never. It closes db when it fails or returns another one.
func Current(ctx context.Context, db *sql.DB, config *mysql.Config) (*sql.DB, error) {
	const remembers = "information_schema_stats_expiry"
	var name, value string
	err := db.QueryRowContext(ctx, "SHOW VARIABLES LIKE '"+remembers+"'").Scan(&name, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return db, nil
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the database's settings: %w", err), db.Close())
	}
	if err := db.Close(); err != nil {
		return nil, fmt.Errorf("closing the first connection: %w", err)
	}
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	config.Params[remembers] = "0"
	return Connect(config)
}

// Numbers of the server's errors.
const (
	accessDenied  = 1045
	dbDenied      = 1044
	columnDenied  = 1143
	tableDenied   = 1142
	noSuchTable   = 1146
	noSuchSchema  = 1049
	connectionMax = 1040
)

// IsAbsent says that the server refused because a table is not there or may not be read.
func IsAbsent(err error) bool {
	return isNumber(err, tableDenied, columnDenied, dbDenied, noSuchTable, noSuchSchema)
}

func isNumber(err error, numbers ...uint16) bool {
	var my *mysql.MySQLError
	if !errors.As(err, &my) {
		return false
	}
	for _, n := range numbers {
		if my.Number == n {
			return true
		}
	}
	return false
}

// Explain adds the remedy to a database's refusal of a table (schema.table; "" before any was asked for).
func Explain(err error, c *mysql.Config, table string) error {
	schema, _, _ := strings.Cut(table, ".")
	switch {
	case isNumber(err, tableDenied, columnDenied, dbDenied):
		return fmt.Errorf("%s may not read %s: GRANT SELECT ON %s.* TO '%s'@'%%';", c.User, table, schema, c.User)
	case isNumber(err, accessDenied):
		return fmt.Errorf(
			"user %s is refused: check user and password of the dsn, or CREATE USER '%s'@'%%' IDENTIFIED BY '...'; "+
				"GRANT SELECT ON cloud.* TO '%s'@'%%'; GRANT SELECT ON cloud_usage.* TO '%s'@'%%';",
			c.User,
			c.User,
			c.User,
			c.User,
		)
	case isNumber(err, noSuchTable, noSuchSchema):
		return fmt.Errorf("there is no %s: is this CloudStack's database server? (%w)", table, err)
	case isNumber(err, connectionMax):
		return fmt.Errorf("the server has no connection left: %w", err)
	}
	return fmt.Errorf("%w: check the dsn's host and port, and that this machine may reach it", err)
}
