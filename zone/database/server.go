package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// sqlMode is what CloudStack's connections use (db.properties and the installation guide).
const sqlMode = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

// Options say how a server is started. The zero value with a Schema is good.
type Options struct {
	// Schema is the release whose tables are wanted, such as 4.20.1.0.
	Schema string
	// Dir is where the server's own folder is made; empty is the system's temporary folder.
	Dir string
	// Binary is the server program, a path or a name; empty finds mariadbd or mysqld.
	Binary string
	// CacheDir keeps prepared data folders between runs; empty is the user's cache folder.
	CacheDir string
	// StartTimeout limits the wait for the server's first answer; 0 is one minute.
	StartTimeout time.Duration
	// Logged keeps a log of all changes, which StartReplica needs.
	Logged bool
}

// Server is a running private database server. Its methods may be called from several goroutines.
type Server struct {
	folder  *folder
	process *process
	port    int
	release string
	admin   string
	reader  string
	tables  []Table
	kind    binary
	more    []string // arguments besides the usual ones
	// attached is set for a server that is not ours (Attach); folder and process are nil then.
	attached *mysql.Config
	onClose  func(context.Context) error
}

// Start runs a server on 127.0.0.1 with the schema of a release and returns once it answers. When no server program is
// installed the error is a *MissingError.
func Start(ctx context.Context, options Options) (*Server, error) {
	s := &Server{admin: rand.Text(), reader: rand.Text()}
	if options.Logged {
		s.more = []string{"--log-bin=changes", "--server-id=1", "--binlog-format=ROW", "--sync-binlog=0"}
	}
	return s.start(ctx, options)
}

// start runs a server that has its passwords and arguments already.
func (s *Server) start(ctx context.Context, options Options) (_ *Server, err error) {
	tables, err := Tables(options.Schema)
	if err != nil {
		return nil, err
	}
	kind, err := findBinary(ctx, options.Binary)
	if err != nil {
		return nil, err
	}
	cache := options.CacheDir
	if cache == "" {
		if cache, err = defaultCacheDir(); err != nil {
			return nil, err
		}
	}
	template, err := prepared(ctx, kind, options.Schema, cache)
	if err != nil {
		return nil, err
	}
	s.release, s.tables, s.kind = options.Schema, tables, kind
	s.folder, err = newFolder(options.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := copyTree(template, s.folder.path("data")); err != nil {
		return nil, fmt.Errorf("database: copying the prepared data folder: %w", err)
	}
	if err := os.WriteFile(s.folder.path("users.sql"), []byte(s.users()), 0o600); err != nil {
		return nil, fmt.Errorf("database: writing the users: %w", err)
	}
	timeout := options.StartTimeout
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := s.launch(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// users are the statements of the init file. It is rerun at every start of the same folder, hence IF EXISTS.
func (s *Server) users() string {
	var text strings.Builder
	for name, password := range map[string]string{adminUser: s.admin, readerUser: s.reader} {
		for _, host := range []string{"127.0.0.1", "localhost"} {
			fmt.Fprintf(&text, "DROP USER IF EXISTS '%s'@'%s';\nCREATE USER '%s'@'%s' IDENTIFIED BY '%s';\n",
				name, host, name, host, password)
			if name == adminUser {
				fmt.Fprintf(&text, "GRANT ALL ON *.* TO '%s'@'%s' WITH GRANT OPTION;\n", name, host)
				continue
			}
			for _, base := range Databases() {
				fmt.Fprintf(&text, "GRANT SELECT ON %s.* TO '%s'@'%s';\n", base, name, host)
			}
		}
	}
	return text.String()
}

const (
	adminUser  = "stackproof"
	readerUser = "stackproof_ro"
)

// launch starts the process. A free port can be taken by another program before the server binds it, so a start that
// fails for that reason is tried again on another port.
func (s *Server) launch(ctx context.Context) error {
	var err error
	for range 5 {
		if s.port, err = freePort(ctx); err != nil {
			return err
		}
		if err = s.launchOnce(ctx); err == nil || !strings.Contains(s.log(), "Address already in use") {
			return err
		}
	}
	return err
}

func (s *Server) launchOnce(ctx context.Context) (err error) {
	logFile, err := os.Create(s.folder.path("server.log"))
	if err != nil {
		return fmt.Errorf("database: making the server's log: %w", err)
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	temporary, err := temporaryFolder(s.folder.root)
	if err != nil {
		return err
	}
	// A socket path is limited to 107 bytes; a relative one is taken from the data folder and always fits.
	args := append([]string{"--no-defaults", "--datadir=" + s.folder.path("data"), temporary, "--socket=server.sock",
		"--pid-file=" + s.folder.path("server.pid"), "--bind-address=127.0.0.1", "--port=" + strconv.Itoa(s.port),
		"--init-file=" + s.folder.path("users.sql"), "--sql-mode=" + sqlMode, "--default-time-zone=+00:00",
		"--performance-schema=OFF", "--key-buffer-size=64K", "--table-open-cache=400", "--max-connections=64",
		"--thread-cache-size=8", "--loose-query-cache-type=OFF", "--loose-mysqlx=OFF", "--loose-ssl=OFF",
		"--loose-aria-pagecache-buffer-size=1M"}, layout(s.kind)...)
	s.process, err = spawn(s.kind.path, slices.Concat(args, s.more, userFlag()), logFile)
	if err != nil {
		return err
	}
	if err := s.folder.recordServer(s.process.cmd.Process.Pid); err != nil {
		return err
	}
	return s.awaitAnswer(ctx)
}

// awaitAnswer returns once the server accepts our admin account, which is after its init file has run.
func (s *Server) awaitAnswer(ctx context.Context) (err error) {
	config := s.config(adminUser, s.admin)
	config.Logger = &mysql.NopLogger{} // refused connections are what we wait to see the end of
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return fmt.Errorf("database: opening the new server: %w", err)
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		last := db.PingContext(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.process.done:
			return fmt.Errorf("database: %s ended while starting: %w\n%s", s.kind.path, errOrEnded(s.process.err),
				tail(s.log()))
		case <-ctx.Done():
			return fmt.Errorf("database: %s gave no answer: %w (last: %w)\n%s", s.kind.path, ctx.Err(), last,
				tail(s.log()))
		}
	}
}

func errOrEnded(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

func (s *Server) log() string {
	text, err := os.ReadFile(s.folder.path("server.log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("database: looking for a free port: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}

// DSN is the address of the server for the account that may do everything, in go-sql-driver form and without a default
// database: statements name cloud.x and cloud_usage.y. Times are read and written as UTC.
func (s *Server) DSN() string { return s.config(adminUser, s.admin).FormatDSN() }

// ReadOnlyDSN is the same for the account that has only SELECT, on the two databases. Probes get this one.
func (s *Server) ReadOnlyDSN() string { return s.config(readerUser, s.reader).FormatDSN() }

func (s *Server) config(user, password string) *mysql.Config {
	if s.attached != nil {
		return s.attachedConfig(user, password)
	}
	config := mysql.NewConfig()
	config.User, config.Passwd = user, password
	config.Net, config.Addr = "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	config.ParseTime, config.Loc = true, time.UTC
	config.InterpolateParams = true // one round trip a statement
	return config
}

// Open returns a pool of the account that may do everything. The caller closes it.
func (s *Server) Open(ctx context.Context) (*sql.DB, error) { return open(ctx, s.DSN()) }

// OpenReadOnly returns a pool of the account that has only SELECT. The caller closes it.
func (s *Server) OpenReadOnly(ctx context.Context) (*sql.DB, error) {
	return open(ctx, s.ReadOnlyDSN())
}

func open(ctx context.Context, dsn string) (*sql.DB, error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return nil, fmt.Errorf("database: opening a pool: %w", err)
	}
	db.SetMaxIdleConns(8)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database: connecting: %w", err), db.Close())
	}
	return db, nil
}

// Port is the TCP port on 127.0.0.1; 0 for a server that Attach took.
func (s *Server) Port() int { return s.port }

// Socket is the path of the unix socket. It may be longer than a client can use; the port always works. It is
// empty for a server that Attach took.
func (s *Server) Socket() string {
	if s.folder == nil {
		return ""
	}
	return filepath.Join(s.folder.path("data"), "server.sock")
}

// Release is the release whose schema the server has, as it was asked for.
func (s *Server) Release() string { return s.release }

// Version is what the server program says of itself.
func (s *Server) Version() string { return s.kind.version }

// Ended is closed when the server process ends, by Close or by itself; nil for a server that Attach took.
func (s *Server) Ended() <-chan struct{} {
	if s.process == nil {
		return nil
	}
	return s.process.done
}

// LastWords are the last lines of the server's log.
func (s *Server) LastWords() string { return tail(s.log()) }

// Close ends the server and removes its folder. It may be called twice.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if s.attached != nil {
		if s.onClose == nil {
			return nil
		}
		end := s.onClose
		s.onClose = nil
		return end(ctx)
	}
	var err error
	if s.process != nil {
		err = s.process.stop(ctx)
	}
	return errors.Join(err, s.folder.remove())
}
