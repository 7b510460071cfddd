package existing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/finding"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// dbTimeout bounds one exchange with a database, so that a dead one ends a scenario and not the patience.
const dbTimeout = 30 * time.Second

// openDatabase connects and makes sure that both schemas can be read; the error names the grant that is missing.
func openDatabase(ctx context.Context, dsns []string) (*sql.DB, error) {
	config, err := usageprobe.ParseDSN(dsns[0])
	if err != nil {
		return nil, err
	}
	config.ParseTime, config.Loc, config.Timeout, config.ReadTimeout, config.WriteTimeout = true, time.UTC,
		10*time.Second, dbTimeout, dbTimeout
	db, err := usageprobe.Connect(config)
	if err != nil {
		return nil, err
	}
	if err := tryDatabase(ctx, db, config, len(dsns) > 1); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return usageprobe.Current(ctx, db, config)
}

// readTables are read by the probes; one of each schema stands for its grant.
func readTables() []string {
	return []string{"cloud.usage_event", "cloud.firewall_rules", "cloud_usage.usage_job",
		"cloud_usage.usage_load_balancer_policy"}
}

func tryDatabase(ctx context.Context, db *sql.DB, c *mysql.Config, two bool) error {
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("database %s: %w", c.Addr, usageprobe.Explain(err, c, ""))
	}
	for _, table := range readTables() {
		var one int
		err := db.QueryRowContext(ctx, "SELECT 1 FROM "+table+" LIMIT 1").Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		if err != nil && two && usageprobe.IsAbsent(err) {
			return fmt.Errorf("database %s does not show %s: the probes read cloud and cloud_usage in one "+
				"transaction, so two servers are not supported; "+
				"give one that has both (a replica of both will do)", c.Addr, table)
		}
		if err != nil {
			return fmt.Errorf("database %s: %w", c.Addr, usageprobe.Explain(err, c, table))
		}
	}
	return nil
}

// tryRights notes an account that may do more than it needs.
func tryRights(ctx context.Context, db *sql.DB) (finding.Finding, error) {
	rows, err := db.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return finding.Finding{}, fmt.Errorf("reading our grants: %w", err)
	}
	defer rows.Close()
	more := false
	for rows.Next() {
		var grant string
		if err := rows.Scan(&grant); err != nil {
			return finding.Finding{}, fmt.Errorf("reading our grants: %w", err)
		}
		words, _, _ := strings.Cut(strings.TrimPrefix(grant, "GRANT "), " ON ")
		for _, w := range strings.Split(words, ",") {
			w = strings.ToUpper(strings.TrimSpace(w))
			more = more || w != "SELECT" && w != "USAGE" && w != "SHOW VIEW"
		}
	}
	if err := rows.Err(); err != nil {
		return finding.Finding{}, fmt.Errorf("reading our grants: %w", err)
	}
	if more {
		return finding.Works(harness.UsageDB,
			"cloud and cloud_usage can be read (the account may do more than SELECT, which is not needed)"), nil
	}
	return finding.Works(harness.UsageDB, "cloud and cloud_usage can be read, with SELECT only"), nil
}
