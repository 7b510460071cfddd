package container

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/moby/moby/client"

	"github.com/stackproof/stackproof/harness/cloud"
)

// reader is the account that the run looks with.
const reader = "stackproof_reader"

// reachDatabase opens a way to the database inside and makes an account that may only read. The image's root has no
// password and may not come in from outside, which is why it takes a relay.
func (b *box) reachDatabase(ctx context.Context) error {
	b.o.Say("reaching the database")
	t, err := openTunnel(ctx, b.engine, b.id(), b.o.Relay)
	if err != nil {
		return err
	}
	b.tunnel = t
	b.onClose("closing the way to the database", func(context.Context) error { return t.close() })
	password := rand.Text()
	err = b.asRoot(ctx, func(db *sql.DB) error {
		for _, host := range []string{"localhost", "127.0.0.1"} {
			at := fmt.Sprintf("'%s'@'%s'", reader, host)
			for _, statement := range []string{
				"CREATE USER IF NOT EXISTS " + at, "ALTER USER " + at + " IDENTIFIED BY '" + password + "'",
				"GRANT SELECT ON cloud.* TO " + at, "GRANT SELECT ON cloud_usage.* TO " + at,
			} {
				if _, err := db.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		why := ""
		if c := t.complaint(); c != "" {
			why = " (inside: " + c + ")"
		}
		return fmt.Errorf("making an account in the container's database: %w%s", err, why)
	}
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr = reader, password, "tcp", t.address()
	b.readDSN = c.FormatDSN()
	return nil
}

// asRoot opens the database as its administrator for the time of a call.
func (b *box) asRoot(ctx context.Context, do func(*sql.DB) error) (err error) {
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.Logger, c.AllowNativePasswords = "root", "tcp", b.tunnel.address(), &mysql.NopLogger{},
		true
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(db)
}

// registerKeys gets keys for the root administrator through the port that asks for no authentication.
func (b *box) registerKeys(ctx context.Context) (err error) {
	open, err := b.openAPI()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, open.Close(ctx)) }()
	users, err := open.ListUsers(ctx, cloud.Params{"username": "admin"})
	if err != nil {
		return fmt.Errorf("looking for the administrator: %w", err)
	}
	for _, u := range users {
		if u.Account == "admin" && u.Domain == "ROOT" {
			b.keys, err = open.RegisterUserKeys(ctx, u.Id)
			return err
		}
	}
	return errors.New("the management server has no user admin in domain ROOT")
}

func (b *box) openAPI() (*cloud.Client, error) {
	return cloud.New(cloud.Options{URL: b.openURL, Integration: true})
}

// deploy makes sure that there is a zone, and that usage windows are short. Both come before the usage server is
// started: it reads its settings once.
func (b *box) deploy(ctx context.Context) (err error) {
	api, err := cloud.New(cloud.Options{URL: b.apiURL, APIKey: b.keys.APIKey, SecretKey: b.keys.SecretKey})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.Close(ctx)) }()
	zones, err := api.ListZones(ctx, nil)
	if err != nil {
		return fmt.Errorf("looking for a zone: %w", err)
	}
	if len(zones) == 0 {
		if b.o.Deploy == nil {
			return errors.New("the management server has no zone, and none is to be deployed")
		}
		b.o.Say("deploying a zone")
		if err := b.o.Deploy(ctx, api); err != nil {
			return fmt.Errorf("deploying a zone: %w", err)
		}
	}
	for name, value := range map[string]string{"usage.stats.job.aggregation.range": "1",
		"usage.execution.timezone": "GMT", "usage.aggregation.timezone": "GMT"} {
		if _, err := api.UpdateConfiguration(ctx, name, value); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return nil
}

// usageLog is where the usage server's output goes, inside.
const usageLog = "/root/stackproof-usage.log"

// startUsage starts the usage server, unless one is alive (a container that was kept), and waits for its first
// heartbeat.
func (b *box) startUsage(ctx context.Context) error {
	var before heart
	if err := b.asRoot(ctx, func(db *sql.DB) (err error) { before, err = pulse(ctx, db); return err }); err != nil {
		return err
	}
	if before.age >= 0 && before.age < 90 {
		return nil
	}
	b.o.Say("starting the usage server")
	made, err := b.engine.ExecCreate(ctx, b.id(),
		client.ExecCreateOptions{Cmd: []string{"bash", "-c", "(" + b.o.UsageCommand + ") >" + usageLog +
			" 2>&1 </dev/null"}})
	if err == nil {
		_, err = b.engine.ExecStart(ctx, made.ID, client.ExecStartOptions{Detach: true})
	}
	if err != nil {
		return fmt.Errorf("starting the usage server: %w", explain(err))
	}
	return b.asRoot(ctx, func(db *sql.DB) error { return b.awaitUsage(ctx, db, made.ID, before) })
}

// heart is the usage server's newest sign of life; age is in seconds, negative when there is none.
type heart struct {
	job int64
	age int64
}

// pulse reads the open job that every usage server keeps (UsageManagerImpl.java@4.20.0.0). Times are the database's
// own.
func pulse(ctx context.Context, db *sql.DB) (heart, error) {
	h := heart{age: -1}
	err := db.QueryRowContext(ctx, "SELECT id, COALESCE(TIMESTAMPDIFF(SECOND, heartbeat, UTC_TIMESTAMP()), -1) FROM "+
		"cloud_usage.usage_job "+
		"WHERE job_type = 0 AND end_millis = 0 AND host IS NOT NULL ORDER BY id DESC LIMIT 1").Scan(&h.job, &h.age)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("looking for the usage server's heartbeat: %w", err)
	}
	return h, nil
}

func (b *box) awaitUsage(ctx context.Context, db *sql.DB, exec string, before heart) error {
	ctx, cancel := context.WithTimeoutCause(ctx, b.o.UsageTimeout,
		fmt.Errorf("the usage server gave no sign of life within %s: see its log", b.o.UsageTimeout))
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := pulse(ctx, db)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if now.age >= 0 && (now.job != before.job || now.age < before.age) {
			return nil
		}
		state, err := b.engine.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		if err == nil && !state.Running {
			out, _, _ := b.engine.exec(ctx, b.id(), "tail", "-n", "3", usageLog)
			return fmt.Errorf("the usage server ended with status %d at once: give the right command "+
				"(--usage-command)%s", state.ExitCode, colon(strings.TrimSpace(out)))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// followLog copies the management server's log, in which the shadow routers find their pushes.
func (b *box) followLog(ctx context.Context) error {
	f, err := follow(ctx, b.engine, b.id(), b.o.ManagementLog, b.logFile())
	if err != nil {
		return err
	}
	b.onClose("ending the copy of the management log", func(context.Context) error { return f.close() })
	return nil
}
