package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// layout names the arguments of the data files: a data folder only fits a server started with the same ones, so they
// are part of the cache key.
func layout(kind binary) []string {
	flags := []string{
		"--innodb-data-file-path=ibdata1:5M:autoextend", "--innodb-autoextend-increment=1",
		"--innodb-flush-method=nosync",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--innodb-doublewrite=0",
		"--loose-debug-no-sync", "--loose-innodb-file-per-table=0", // files and syncs are what a TRUNCATE costs
		"--skip-name-resolve", "--innodb-fast-shutdown=1",
	}
	if kind.mariadb {
		return append(flags, "--innodb-temp-data-file-path=ibtmp1:5M:autoextend", "--innodb-log-file-size=4M",
			"--loose-innodb-undo-tablespaces=0", "--loose-feedback=OFF",
			"--loose-innodb-buffer-pool-dump-at-shutdown=OFF", "--loose-innodb-buffer-pool-load-at-startup=OFF")
	}
	return append(flags, "--innodb-temp-data-file-path=ibtmp1:12M:autoextend", "--loose-innodb-redo-log-capacity=8M",
		"--skip-log-bin")
}

// userFlag keeps the server under our own user: a change of user clears the parent-death signal.
func userFlag() []string {
	if os.Geteuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// prepared returns a folder with a data directory that has the system tables and the schema. It is made once per server
// version and schema and kept in cacheDir.
func prepared(ctx context.Context, kind binary, release, cacheDir string) (_ string, err error) {
	schema, err := script(release)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.Join(append(layout(kind), kind.path, kind.version, schema), "\x00")))
	if err := os.MkdirAll(cacheDir, 0o700); err != nil {
		return "", fmt.Errorf("database: making the cache folder: %w", err)
	}
	folder := filepath.Join(cacheDir, "data-"+hex.EncodeToString(sum[:8]))
	unlock, err := lockFile(ctx, folder+".lock")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	now := time.Now()
	if err := os.Chtimes(folder+".lock", now, now); err != nil {
		return "", fmt.Errorf("database: noting the use of a prepared data folder: %w", err)
	}
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := prune(cacheDir, now.Add(-unusedFor)); err != nil {
		return "", err
	}
	fresh := folder + ".making" // a killed run may have left one; we hold the lock
	if err := os.RemoveAll(fresh); err != nil {
		return "", fmt.Errorf("database: clearing the cache folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	if err := bootstrap(ctx, kind, filepath.Join(fresh, "data"), schema); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(fresh, "data"), folder); err != nil {
		return "", fmt.Errorf("database: keeping the prepared data folder: %w", err)
	}
	return folder, nil
}

// unusedFor is how long a prepared folder is kept after its last use. Each new server version or schema makes a new
// one.
const unusedFor = 30 * 24 * time.Hour

// prune removes prepared folders that nobody has used since. Their lock files stay: somebody may wait for one.
func prune(cacheDir string, since time.Time) error {
	locks, err := filepath.Glob(filepath.Join(cacheDir, "data-*.lock"))
	if err != nil {
		return fmt.Errorf("database: looking for unused data folders: %w", err)
	}
	var errs []error
	for _, path := range locks {
		errs = append(errs, pruneOne(path, since))
	}
	return errors.Join(errs...)
}

func pruneOne(path string, since time.Time) (err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("database: opening a lock: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil // in use
	}
	info, err := file.Stat()
	if err != nil || !info.ModTime().Before(since) {
		return err
	}
	folder := strings.TrimSuffix(path, ".lock")
	return errors.Join(os.RemoveAll(folder), os.RemoveAll(folder+".making"))
}

// lockFile takes an exclusive lock so that two processes do not prepare the same folder twice.
func lockFile(ctx context.Context, path string) (func() error, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("database: opening a lock: %w", err)
	}
	done := make(chan error, 1)
	go func() {
		for {
			if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); !errors.Is(err, syscall.EINTR) {
				done <- err
				return
			}
		}
	}()
	select {
	case err := <-done:
		if err != nil {
			return nil, errors.Join(fmt.Errorf("database: locking %s: %w", path, err), file.Close())
		}
		return file.Close, nil
	case <-ctx.Done():
		go func() { _, _ = <-done, file.Close() }()
		return nil, fmt.Errorf("database: waiting for the lock %s: %w", path, ctx.Err())
	}
}

// bootstrap makes a data directory. MariaDB runs the scripts in bootstrap mode, which is ten times faster than its own
// installer because help texts, time zones and the sys schema are left out; MySQL initialises itself and gets the
// schema through its init file.
func bootstrap(ctx context.Context, kind binary, data, schema string) error {
	if err := os.MkdirAll(filepath.Join(data, "mysql"), 0o700); err != nil {
		return fmt.Errorf("database: making the data folder: %w", err)
	}
	temporary, err := temporaryFolder(filepath.Dir(data))
	if err != nil {
		return err
	}
	args := append([]string{"--no-defaults", "--datadir=" + data, temporary}, layout(kind)...)
	args = append(args, userFlag()...)
	var input string
	if kind.mariadb {
		system, err := systemTables()
		if err != nil {
			return err
		}
		args = append(args, "--bootstrap")
		input = system + schema
	} else {
		initial := data + ".sql"
		if err := os.WriteFile(initial, []byte(schema), 0o600); err != nil {
			return fmt.Errorf("database: writing the schema: %w", err)
		}
		if err := os.Remove(filepath.Join(data, "mysql")); err != nil {
			return fmt.Errorf("database: making the data folder: %w", err)
		}
		args = append(args, "--initialize-insecure", "--init-file="+initial)
	}
	runtime.LockOSThread() // see spawn
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, kind.path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("database: preparing a data folder with %s: %w\n%s", kind.path, err, tail(string(out)))
	}
	return nil
}

// temporaryFolder makes a folder for temporary tables and returns the argument that names it. A starting server removes
// every temporary table that it finds there, so no two servers may share one.
func temporaryFolder(parent string) (string, error) {
	path := filepath.Join(parent, "tmp")
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("database: making the folder of temporary tables: %w", err)
	}
	return "--tmpdir=" + path, nil
}

// tail keeps the last lines of a server log, which hold the reason of a failure.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// copyTree copies a folder of plain files, by reference where the file system can.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if unix.IoctlFileClone(int(target.Fd()), int(source.Fd())) == nil {
		return nil
	}
	_, err = io.Copy(target, source)
	return err
}
