// Command standin behaves as CloudStack's simulator image does at its edges, for the tests of the target in a
// container: the API on 8080, the integration port on 8096, something on 5050, a database on the inside only whose root
// has no password, the management log and the source tree in the home folder of root, windows of usage that last a day,
// and a usage server that does not run until Maven starts it.
//
// It is not CloudStack, and what it shows of the real image is only what is listed here. Know before changing it: it
// must say and do at these edges what the Dockerfile and supervisord.conf of CloudStack's source (tools/docker) make
// the image do.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// socket is where mvn tells the server to start its usage server.
const socket = "/run/standin.sock"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := serve
	if len(os.Args) > 1 && os.Args[1] == "mvn" {
		do = maven
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo
	}
}

// serve is the image's main process. STANDIN_MODE makes it one that fails: dies, or never answers.
func serve(ctx context.Context) (err error) {
	fmt.Println("INFO supervisord started with pid", os.Getpid())
	switch os.Getenv("STANDIN_MODE") {
	case "dies":
		return errors.New("java.lang.OutOfMemoryError: Java heap space")
	case "silent":
		<-ctx.Done()
		return nil
	}
	if os.Getenv("STANDIN_MODE") == "database" {
		return serveDatabase(ctx)
	}
	release := os.Getenv("STANDIN_RELEASE")
	server, err := database.Start(ctx, database.Options{Schema: release})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if err := openRoot(ctx, server); err != nil {
		return err
	}
	log, err := os.OpenFile("/root/vmops.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	z, err := zone.Open(ctx, zone.Options{Release: release, DB: server, ManagementLog: log, Seed: 1, Bare: true,
		Listen: "0.0.0.0:8080", ListenIntegration: "0.0.0.0:8096"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, z.Close(context.WithoutCancel(ctx))) }()
	if err := z.EndUsage(ctx, zone.FirstUsageHost, zone.UsageStopped); err != nil {
		return err
	}
	if err := windowsOfADay(ctx); err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go startUsage(ctx, listener, z, server)
	go func() {
		_ = http.ListenAndServe("0.0.0.0:5050", http.NotFoundHandler()) //nolint:gosec // a test's
	}()
	<-ctx.Done()
	return listener.Close()
}

// serveDatabase behaves as the official images of MySQL and MariaDB do: root's password from the environment, the port
// open to the outside, and the line in the log that tells the server that stays from the one that initialises.
func serveDatabase(ctx context.Context) (err error) {
	fmt.Println("mariadbd: ready for connections. Version: '0'  socket: '/run/mysqld.sock'  port: 0")
	server, err := database.Start(ctx, database.Options{Schema: release.Default})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	db, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, s := range []string{"DROP DATABASE cloud", "DROP DATABASE cloud_usage",
		"DROP USER 'stackproof_ro'@'localhost'", "DROP USER 'stackproof_ro'@'127.0.0.1'",
		"DROP USER IF EXISTS 'root'@'127.0.0.1'", "CREATE USER 'root'@'%' IDENTIFIED BY '" +
			os.Getenv("MYSQL_ROOT_PASSWORD") + "'", "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION"} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if err := forward("0.0.0.0:3306", server.Port()); err != nil {
		return err
	}
	fmt.Println("mariadbd: ready for connections. Version: '0'  socket: '/run/mysqld.sock'  port: 3306")
	<-ctx.Done()
	return nil
}

// openRoot makes root without a password on 127.0.0.1:3306, as the image has it.
func openRoot(ctx context.Context, server *database.Server) (err error) {
	db, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, s := range []string{"CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY ''",
		"GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION"} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return forward("127.0.0.1:3306", server.Port())
}

// forward gives the server, which has a port of its own choice, the one that is expected.
func forward(from string, port int) error {
	l, err := net.Listen("tcp4", from)
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go relay(c, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		}
	}()
	return nil
}

func relay(c net.Conn, to string) {
	defer c.Close()
	s, err := net.Dial("tcp4", to)
	if err != nil {
		return
	}
	defer s.Close()
	go func() { _, _ = io.Copy(s, c); _ = s.Close() }()
	_, _ = io.Copy(c, s)
}

// windowsOfADay sets what a fresh management server has.
func windowsOfADay(ctx context.Context) (err error) {
	api, err := cloud.New(cloud.Options{URL: "http://127.0.0.1:8096/client/api", Integration: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.Close(ctx)) }()
	_, err = api.UpdateConfiguration(ctx, rangeSetting, "1440")
	return err
}

const rangeSetting = "usage.stats.job.aggregation.range"

// startUsage starts a usage server each time that Maven asks for it, if its settings, which it reads once, fit.
func startUsage(ctx context.Context, l net.Listener, z *zone.Zone, server *database.Server) {
	for i := 1; ; i++ {
		c, err := l.Accept()
		if err != nil {
			return
		}
		err = settingsFit(ctx, server)
		if err == nil {
			err = z.StartUsage(ctx, fmt.Sprintf("standin/127.0.0.%d", i), zone.UsageSettings{})
		}
		if err != nil {
			fmt.Fprintln(c, "ERROR", err)
			_ = c.Close()
			continue
		}
		fmt.Fprintln(c, "INFO usage server ready") // c stays open as long as we live
	}
}

func settingsFit(ctx context.Context, server *database.Server) (err error) {
	db, err := server.OpenReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var minutes string
	if err := db.QueryRowContext(ctx, "SELECT value FROM cloud.configuration WHERE name = ?",
		rangeSetting).Scan(&minutes); err != nil {
		return err
	}
	if minutes != "1" {
		return fmt.Errorf("%s is %s: windows of that length are not for a test", rangeSetting, minutes)
	}
	return nil
}

// maven is mvn inside: in the source tree it runs the usage module, and stays as long as the usage server does.
func maven(ctx context.Context) error {
	args := os.Args[2:]
	if i := slices.Index(args, "-pl"); i < 0 || i+1 >= len(args) || args[i+1] != "usage" ||
		!slices.Contains(args, "-Drun") {
		return fmt.Errorf("[ERROR] no such module or profile: %s", strings.Join(args, " "))
	}
	for _, f := range []string{"pom.xml", "usage/pom.xml"} {
		if _, err := os.Stat(f); err != nil {
			return fmt.Errorf("[ERROR] the goal you specified requires a project to execute but there is no POM in "+
				"this directory: %w", err)
		}
	}
	c, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "INFO") {
		return fmt.Errorf("%s (%w)", strings.TrimSpace(line),
			errors.Join(err, errors.New("the usage server did not start")))
	}
	fmt.Print(line)
	_, err = io.Copy(io.Discard, r)
	return err
}
