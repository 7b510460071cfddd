package database

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/internal/testhome"
)

// holdEnv makes the test binary a process that holds a server in the named folder until it is killed.
const holdEnv = "STACKPROOF_TEST_HOLD_SERVER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdEnv); dir != "" {
		server, err := Start(context.Background(), Options{Schema: "4.20", Dir: dir})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(server.folder.root, server.process.cmd.Process.Pid)
		select {}
	}
	goleak.VerifyTestMain(testhome.Around(m))
}

func start(t testing.TB, release string) *Server {
	t.Helper()
	server, err := Start(t.Context(), Options{Schema: release})
	var missing *MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

func TestServerSettings(t *testing.T) {
	server := start(t, "4.20.0.0")
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	defer db.Close()
	var zone, mode, address string
	require.NoError(t, db.QueryRow("SELECT @@time_zone, @@sql_mode, @@bind_address").Scan(&zone, &mode, &address))
	require.Equal(t, "+00:00", zone)
	require.Equal(t, sqlMode, mode)
	require.Equal(t, "127.0.0.1", address)
	info, err := os.Stat(server.Socket())
	require.NoError(t, err)
	require.Equal(t, os.ModeSocket, info.Mode().Type())
}

func TestReadOnlyAccountOnlyReads(t *testing.T) {
	server := start(t, "4.20")
	db, err := server.OpenReadOnly(t.Context())
	require.NoError(t, err)
	defer db.Close()
	var count int
	require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM cloud.version JOIN cloud_usage.usage_job").Scan(&count))
	for _, statement := range []string{"INSERT INTO cloud.usage_event_details (usage_event_id, name, value) VALUES " +
		"(1, 'a', 'b')",
		"UPDATE cloud_usage.usage_job SET success = 1", "DELETE FROM cloud_usage.cloud_usage", "TRUNCATE cloud.event",
		"CREATE TABLE cloud.x (i INT)"} {
		_, err := db.Exec(statement)
		require.ErrorContains(t, err, "denied", statement)
	}
	require.ErrorContains(t, db.QueryRow("SELECT COUNT(*) FROM mysql.user").Scan(&count), "denied")
}

func TestResetIsPristine(t *testing.T) {
	server := start(t, "4.20")
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	defer db.Close()
	insert := func() int64 {
		result, err := db.Exec("INSERT INTO cloud_usage.usage_load_balancer_policy (lb_id, zone_id, account_id, " +
			"domain_id, created) VALUES (5, 1, 2, 1, '2026-03-10 10:00:00')")
		require.NoError(t, err)
		id, err := result.LastInsertId()
		require.NoError(t, err)
		return id
	}
	require.Equal(t, int64(1), insert())
	require.Equal(t, int64(2), insert())
	_, err = db.Exec("INSERT INTO cloud_usage.account (id, type) VALUES (2, 0)") // a table without a counter
	require.NoError(t, err)
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("INSERT INTO cloud.usage_event (type, account_id, created, zone_id) VALUES ('LB.CREATE', 2, " +
		"'2026-03-10 10:00:00', 1)")
	require.NoError(t, err)
	require.NoError(t, tx.Rollback()) // moves a counter and leaves no row

	require.NoError(t, server.Reset(t.Context()))
	connection, err := db.Conn(t.Context())
	require.NoError(t, err)
	touched, err := server.touched(t.Context(), connection)
	require.NoError(t, err)
	require.Empty(t, touched)
	require.NoError(t, connection.Close())
	require.Equal(t, int64(1), insert())
	result, err := db.Exec("INSERT INTO cloud.usage_event (type, account_id, created, zone_id) VALUES ('LB.CREATE', " +
		"2, '2026-03-10 10:00:00', 1)")
	require.NoError(t, err)
	id, err := result.LastInsertId()
	require.NoError(t, err)
	require.Equal(t, int64(1), id)
}

func TestCloseRemovesEverything(t *testing.T) {
	dir := t.TempDir()
	server, err := Start(t.Context(), Options{Schema: "4.19.1.0", Dir: dir})
	var missing *MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	removed, err := CleanStale(t.Context(), dir)
	require.NoError(t, err)
	require.NotContains(t, removed, server.folder.root, "its owner lives")
	require.NoError(t, server.Close())
	require.NoError(t, server.Close())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	require.ErrorIs(t, syscall.Kill(server.process.cmd.Process.Pid, 0), syscall.ESRCH)
}

// TestKilledOwner kills a process that holds a server with SIGKILL: the server must end by itself, and the folder must
// be recognised as left behind.
func TestKilledOwner(t *testing.T) {
	start(t, "4.20") // skips when there is no server program
	dir := t.TempDir()
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), holdEnv+"="+dir)
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	killed := owner.Process.Kill()
	_ = owner.Wait() // reports the kill
	require.NoError(t, err)
	require.NoError(t, killed)
	fields := strings.Fields(line)
	require.Len(t, fields, 2, line)
	pid, err := strconv.Atoi(fields[1])
	require.NoError(t, err)
	awaitGone(t, pid, fields[0])
	found, err := FindStale(t.Context(), dir)
	require.NoError(t, err)
	require.Contains(t, found, fields[0])
	require.DirExists(t, fields[0], "looking removes nothing")
	removed, err := CleanStale(t.Context(), dir)
	require.NoError(t, err)
	require.Contains(t, removed, fields[0])
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// awaitGone waits until no process of that number has the folder in its arguments.
func awaitGone(t *testing.T, pid int, root string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		arguments, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err != nil || !strings.Contains(string(arguments), root) {
			return
		}
		require.False(t, time.Now().After(deadline), "process %d still runs: %q", pid, arguments)
	}
}

func TestCleanStaleEndsAServerThatOutlivedItsOwner(t *testing.T) {
	root := filepath.Join(t.TempDir(), folderPrefix+"x")
	require.NoError(t, os.Mkdir(root, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(root, "owner.lock"), nil, 0o600))
	outlived := exec.Command("tail", "-f", "/dev/null", root+"/data")
	require.NoError(t, outlived.Start())
	require.NoError(t, os.WriteFile(filepath.Join(root, "process"), []byte(strconv.Itoa(outlived.Process.Pid)), 0o600))
	removed, err := CleanStale(t.Context(), filepath.Dir(root))
	require.NoError(t, err)
	require.Contains(t, removed, root)
	require.ErrorContains(t, outlived.Wait(), "killed")
}

func TestCleanStaleLeavesWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	fresh := filepath.Join(dir, folderPrefix+"without-lock")
	require.NoError(t, os.Mkdir(fresh, 0o700))
	file := filepath.Join(dir, folderPrefix+"file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	removed, err := CleanStale(t.Context(), dir)
	require.NoError(t, err)
	require.NotContains(t, removed, fresh, "its owner may be about to take the lock")
	require.NotContains(t, removed, file)
	old := time.Now().Add(-2 * unlockedGrace)
	require.NoError(t, os.Chtimes(fresh, old, old))
	removed, err = CleanStale(t.Context(), dir)
	require.NoError(t, err)
	require.Contains(t, removed, fresh)
	require.FileExists(t, file)
}

// TestManyAtOnce starts servers side by side, each with a data folder of its own making: what one leaves in a shared
// place, such as temporary tables, another would remove.
func TestManyAtOnce(t *testing.T) {
	start(t, "4.20") // skips when there is no server program
	dir := t.TempDir()
	var group errgroup.Group
	for worker := range 3 {
		group.Go(func() error {
			for round := range 3 {
				server, err := Start(t.Context(),
					Options{Schema: "4.20", CacheDir: filepath.Join(dir, fmt.Sprint(worker, round))})
				if err != nil {
					return err
				}
				if err := server.Close(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	left, err := filepath.Glob(filepath.Join(dir, "*", "*.making"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestErrorsAreOneClearLine(t *testing.T) {
	_, err := Start(t.Context(), Options{Schema: "5.0"})
	require.ErrorContains(t, err, `no schema: release 5.0 is not known`)
	_, err = Start(t.Context(), Options{Schema: "4.20", Binary: "no-such-server"})
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "mariadb-server", missing.Package)
	dir := t.TempDir()
	_, err = Start(t.Context(), Options{Schema: "4.20", Binary: "true", Dir: dir, CacheDir: t.TempDir()})
	require.Error(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func BenchmarkStart(b *testing.B) {
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			server, err := Start(b.Context(), Options{Schema: "4.20", CacheDir: b.TempDir()})
			require.NoError(b, err)
			require.NoError(b, server.Close())
		}
	})
	b.Run("later", func(b *testing.B) {
		for b.Loop() {
			server, err := Start(b.Context(), Options{Schema: "4.20"})
			require.NoError(b, err)
			require.NoError(b, server.Close())
		}
	})
}

// BenchmarkReset empties fifteen tables that were written to.
func BenchmarkReset(b *testing.B) {
	server := start(b, "4.20")
	db, err := server.Open(b.Context())
	require.NoError(b, err)
	defer db.Close()
	for b.Loop() {
		b.StopTimer()
		for _, table := range server.tables[:15] {
			_, err := db.Exec("SET sql_mode = ''")
			require.NoError(b, err)
			_, err = db.Exec(fmt.Sprintf("INSERT IGNORE INTO `%s`.`%s` () VALUES ()", table.Database, table.Name))
			require.NoError(b, err)
		}
		b.StartTimer()
		require.NoError(b, server.Reset(b.Context()))
	}
}
