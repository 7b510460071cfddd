package existing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/stackproof/stackproof/harness"
)

// dsnConfig reads an address in the form of go-sql-driver or as mysql://user:password@host:port/.
func dsnConfig(dsn string) (*mysql.Config, error) {
	if rest, found := strings.CutPrefix(dsn, "mysql://"); found {
		u, err := url.Parse("mysql://" + rest)
		if err != nil {
			return nil, errors.New("dsn: not an address; want user:password@tcp(host:3306)/ or mysql://user:password@host:3306/")
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
		return nil, fmt.Errorf("dsn: %w; want user:password@tcp(host:3306)/ or mysql://user:password@host:3306/", err)
	}
	return c, nil
}

// dbTimeout bounds one exchange with a database, so that a dead one ends a scenario and not the patience.
const dbTimeout = 30 * time.Second

// openDatabase connects and makes sure that both schemas can be read; the error names the grant that is missing.
func openDatabase(ctx context.Context, dsns []string) (*sql.DB, error) {
	config, err := dsnConfig(dsns[0])
	if err != nil {
		return nil, err
	}
	config.ParseTime, config.Loc, config.Timeout, config.ReadTimeout, config.WriteTimeout = true, time.UTC, 10*time.Second, dbTimeout, dbTimeout
	db, err := connect(config)
	if err != nil {
		return nil, err
	}
	if err := tryDatabase(ctx, db, config, len(dsns) > 1); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return current(ctx, db, config)
}

func connect(config *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("dsn: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(16)
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}

// current connects anew where the server would answer questions about tables from what it remembers of them: MySQL 8 does
// for a day (information_schema_stats_expiry), MariaDB never.
func current(ctx context.Context, db *sql.DB, config *mysql.Config) (*sql.DB, error) {
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
	return connect(config)
}

// readTables are read by the probes; one of each schema stands for its grant.
func readTables() []string {
	return []string{"cloud.usage_event", "cloud.firewall_rules", "cloud_usage.usage_job", "cloud_usage.usage_load_balancer_policy"}
}

// Numbers of the server's errors.
const (
	accessDenied  = 1045
	dbDenied      = 1044
	tableDenied   = 1142
	noSuchTable   = 1146
	noSuchSchema  = 1049
	connectionMax = 1040
)

func tryDatabase(ctx context.Context, db *sql.DB, c *mysql.Config, two bool) error {
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("database %s: %w", c.Addr, explain(err, c, ""))
	}
	for _, table := range readTables() {
		var one int
		err := db.QueryRowContext(ctx, "SELECT 1 FROM "+table+" LIMIT 1").Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		if err != nil && two && isNumber(err, tableDenied, dbDenied, noSuchTable, noSuchSchema) {
			return fmt.Errorf("database %s does not show %s: the probes read cloud and cloud_usage in one transaction, so two servers are not supported; "+
				"give one that has both (a replica of both will do)", c.Addr, table)
		}
		if err != nil {
			return fmt.Errorf("database %s: %w", c.Addr, explain(err, c, table))
		}
	}
	return nil
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

// explain adds the remedy to a database's refusal.
func explain(err error, c *mysql.Config, table string) error {
	switch {
	case isNumber(err, tableDenied, dbDenied):
		schema, _, _ := strings.Cut(table, ".")
		return fmt.Errorf("%s may not read %s: GRANT SELECT ON %s.* TO '%s'@'%%';", c.User, table, schema, c.User)
	case isNumber(err, accessDenied):
		return fmt.Errorf("user %s is refused: check user and password of the dsn, or CREATE USER '%s'@'%%' IDENTIFIED BY '...'; "+
			"GRANT SELECT ON cloud.* TO '%s'@'%%'; GRANT SELECT ON cloud_usage.* TO '%s'@'%%';", c.User, c.User, c.User, c.User)
	case isNumber(err, noSuchTable, noSuchSchema):
		return fmt.Errorf("there is no %s: is this CloudStack's database server? (%w)", table, err)
	case isNumber(err, connectionMax):
		return fmt.Errorf("the server has no connection left: %w", err)
	}
	return fmt.Errorf("%w: check the dsn's host and port, and that this machine may reach it", err)
}

// setting reads a configuration value; "" when it is not set.
func setting(ctx context.Context, db *sql.DB, name string) (string, error) {
	var v sql.NullString
	err := db.QueryRowContext(ctx, "SELECT COALESCE(value, default_value) FROM cloud.configuration WHERE name = ?", name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the configuration %s: %w", name, err)
	}
	return v.String, nil
}

// tryRights notes an account that may do more than it needs.
func tryRights(ctx context.Context, db *sql.DB) (Finding, error) {
	rows, err := db.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return Finding{}, fmt.Errorf("reading our grants: %w", err)
	}
	defer rows.Close()
	more := false
	for rows.Next() {
		var grant string
		if err := rows.Scan(&grant); err != nil {
			return Finding{}, fmt.Errorf("reading our grants: %w", err)
		}
		words, _, _ := strings.Cut(strings.TrimPrefix(grant, "GRANT "), " ON ")
		for _, w := range strings.Split(words, ",") {
			w = strings.ToUpper(strings.TrimSpace(w))
			more = more || w != "SELECT" && w != "USAGE" && w != "SHOW VIEW"
		}
	}
	if err := rows.Err(); err != nil {
		return Finding{}, fmt.Errorf("reading our grants: %w", err)
	}
	if more {
		return ok(harness.UsageDB, "cloud and cloud_usage can be read (the account may do more than SELECT, which is not needed)"), nil
	}
	return ok(harness.UsageDB, "cloud and cloud_usage can be read, with SELECT only"), nil
}
