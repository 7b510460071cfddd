package existing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/clock"
	"github.com/stackproof/stackproof/harness/existing/finding"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Keeper is a ledger that is closed with its run.
type Keeper interface {
	harness.Ledger
	Close() error
}

// Keep notes from now on what the run creates; the ledger is closed with the target, when all that it names was
// removed.
func (t *Target) Keep(l Keeper) {
	t.opts.Ledger = l
	t.onClose("closing the ledger", func(context.Context) error { return l.Close() })
}

// URL is the address of the target's API.
func (t *Target) URL() string { return t.cloud.URL() }

// userURL is the address at which customers' keys are known. The integration port takes everybody for the system, so a
// server that is reached through it must tell its own address: endpoint.url, which says localhost on most
// (ApiServiceConfiguration.java@4.20.0.0).
func userURL(ctx context.Context, o cloud.Options) (string, error) {
	const remedy = "give the API's own address too (api.user_url, --user-url), or set endpoint.url"
	admin, err := cloud.New(o)
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	endpoint, told, err := admin.Setting(ctx, "endpoint.url")
	switch {
	case cloud.IsUnauthorized(err):
		return "", fmt.Errorf("%s refuses calls without keys: it is not the integration port", admin.URL())
	case err != nil:
		return "", fmt.Errorf("the integration port does not answer: check the URL, and that integration.api.port "+
			"is set: %w", err)
	case !told:
		return "", errors.New("the integration port knows no customers: " + remedy)
	}
	found, err := fromElsewhere(endpoint, admin.URL())
	if err == nil {
		err = answers(ctx, o, found)
	}
	if err != nil {
		return "", fmt.Errorf("the integration port knows no customers, and endpoint.url is %q: %w: %s", endpoint, err,
			remedy)
	}
	return found, nil
}

// fromElsewhere puts the host of an address that is known to work in the place of a loopback one.
func fromElsewhere(endpoint, works string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", errors.New("this is no address")
	}
	there, err := url.Parse(works)
	if err != nil {
		return "", fmt.Errorf("the integration port's address: %w", err)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && ip.IsLoopback() {
		host := there.Hostname()
		if u.Port() != "" {
			host = net.JoinHostPort(host, u.Port())
		}
		u.Host = host
	}
	return u.String(), nil
}

// answers makes sure that an API is there, and not somebody else's page.
func answers(ctx context.Context, o cloud.Options, at string) error {
	c, err := clock.NewAPI(o, at)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Once(ctx); errors.Is(err, clock.ErrNoDate) {
		return nil
	}
	return err
}

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

// openRouters looks at real routers where the configuration has a command that leads into them.
func (t *Target) openRouters(ctx context.Context) error {
	if t.config.Router.Mode != "command" {
		return nil
	}
	if t.opts.OpenRouters == nil {
		return fmt.Errorf("router: mode command is not built into this program")
	}
	rules := t.release
	if t.config.RouterProfile != "" {
		rules = t.config.RouterProfile
	}
	access := RouterAccess{Config: t.config, Cloud: t.cloud, Rules: rules}
	if t.watch != nil {
		access.Pushes = t.watch
	}
	routers, finding, err := t.opts.OpenRouters(ctx, access)
	if err != nil {
		return err
	}
	t.routers = routers
	t.found(finding)
	finding.Capability = harness.DataPlane
	t.found(finding)
	return nil
}
