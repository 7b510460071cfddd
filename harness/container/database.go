package container

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	mobycontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/stackproof/stackproof/zone/database"
)

const sqlPort = "3306/tcp"

// DatabaseOptions say which database server a lab zone gets.
type DatabaseOptions struct {
	// Image is one of the official images of MySQL 8 or MariaDB, or one that takes the same environment: mysql:8.4,
	// mariadb:11.
	Image string
	// Release is whose tables are wanted.
	Release string
	// Say is told what is being done; nil for nobody.
	Say func(string)
}

// StartDatabase starts a database server in a container, with the tables of a release. Closing the server removes it.
func StartDatabase(ctx context.Context, o DatabaseOptions) (_ *database.Server, err error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	e, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	d := &databaseBox{engine: e, o: o}
	defer func() {
		if err != nil {
			err = errors.Join(flat(err), d.close(context.WithoutCancel(ctx)))
		}
	}()
	dsn, err := d.start(ctx)
	if err != nil {
		return nil, err
	}
	return database.Attach(ctx, database.AttachOptions{Schema: o.Release, DSN: dsn, OnClose: d.close})
}

type databaseBox struct {
	engine    *engine
	o         DatabaseOptions
	container *testcontainers.DockerContainer
}

func (d *databaseBox) close(ctx context.Context) error {
	var err error
	if d.container != nil {
		err = d.engine.remove(ctx, d.container.GetContainerID())
	}
	return errors.Join(err, d.engine.Close())
}

// databaseTime bounds the start of a database server: the images initialise it first.
const databaseTime = 3 * time.Minute

func (d *databaseBox) start(ctx context.Context) (string, error) {
	if _, err := d.engine.eachStale(ctx, false, (*engine).remove); err != nil {
		return "", err
	}
	if err := d.engine.pull(ctx, d.o.Image, d.o.Say); err != nil {
		return "", err
	}
	own, err := labels(false)
	if err != nil {
		return "", err
	}
	local := d.engine.local(ctx)
	password := rand.Text()
	d.o.Say("starting " + d.o.Image)
	d.container, err = testcontainers.Run(ctx, d.o.Image, testcontainers.WithLabels(own),
		testcontainers.WithExposedPorts(sqlPort),
		testcontainers.WithEnv(map[string]string{"MYSQL_ROOT_PASSWORD": password, "MARIADB_ROOT_PASSWORD": password}),
		testcontainers.WithHostConfigModifier(func(c *mobycontainer.HostConfig) {
			if local {
				c.PortBindings = network.PortMap{network.MustParsePort(sqlPort): {loopback()}}
			}
			// nothing on it outlives the run, and syncs cost nothing
			c.Tmpfs = map[string]string{"/var/lib/mysql": "rw"}
		}))
	if err != nil {
		return "", fmt.Errorf("starting image %s: %w", d.o.Image, explain(err))
	}
	return d.await(ctx, placed{d.container, local}, password)
}

// await waits for the server that stays. The images first start one that initialises and is then ended: it has no port,
// and says so in its log (docker-library/mysql#480).
func (d *databaseBox) await(ctx context.Context, at placed, password string) (string, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net = "root", password, "tcp"
	address := func(host, port string) string {
		at := c.Clone()
		at.Addr = net.JoinHostPort(host, port)
		return at.FormatDSN()
	}
	err := wait.ForAll(wait.ForLog("port: 3306").WithStartupTimeout(databaseTime),
		wait.ForSQL(sqlPort, "mysql", func(host string, port network.Port) string {
			return address(host,
				port.Port())
		}).WithStartupTimeout(databaseTime)).WithDeadline(databaseTime).WaitUntilReady(ctx, at)
	if err != nil {
		var last strings.Builder
		_ = d.engine.logs(context.WithoutCancel(ctx), d.container.GetContainerID(), &last)
		return "", fmt.Errorf("image %s gave no database server within %s: %w%s", d.o.Image, databaseTime, flat(err),
			colon(tail(last.String(), 300)))
	}
	host, err := at.Host(ctx)
	if err != nil {
		return "", err
	}
	port, err := at.MappedPort(ctx, sqlPort)
	if err != nil {
		return "", err
	}
	return address(host, port.Port()), nil
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
