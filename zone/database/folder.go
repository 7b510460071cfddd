package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// folderPrefix marks the folders of this package among those of others in a temporary folder.
const folderPrefix = "stackproof-database-"

// unlockedGrace is how old a folder without its lock file must be before it counts as left behind: its owner may be
// between making the folder and taking the lock.
const unlockedGrace = time.Minute

// folder is a server's own folder. Its lock is held as long as the owner lives, whatever ends it.
type folder struct {
	root  string
	lock  *os.File
	close sync.Once
	err   error
}

func newFolder(dir string) (*folder, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	root, err := os.MkdirTemp(dir, folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("database: making the server's folder: %w", err)
	}
	f := &folder{root: root}
	f.lock, err = os.OpenFile(f.path("owner.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = unix.Flock(int(f.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database: locking the server's folder: %w", err), f.remove())
	}
	return f, nil
}

func (f *folder) path(name string) string { return filepath.Join(f.root, name) }

// recordServer notes the process of the server, so that CleanStale can tell whether it outlived its owner.
func (f *folder) recordServer(pid int) error {
	if err := os.WriteFile(f.path("process"), []byte(strconv.Itoa(pid)), 0o600); err != nil {
		return fmt.Errorf("database: noting the server's process: %w", err)
	}
	return nil
}

func (f *folder) remove() error {
	f.close.Do(func() {
		f.err = os.RemoveAll(f.root)
		if f.lock != nil {
			f.err = errors.Join(f.err, f.lock.Close())
		}
	})
	return f.err
}

// CleanStale removes the server folders below the system's temporary folder and the given ones whose owner is dead, and
// returns what it removed. A folder whose owner lives, in this process or another, is left alone.
func CleanStale(ctx context.Context, dirs ...string) ([]string, error) {
	return eachStale(ctx, dirs, func(root string) error {
		endServer(root)
		return os.RemoveAll(root)
	})
}

// FindStale returns the folders that CleanStale would remove.
func FindStale(ctx context.Context, dirs ...string) ([]string, error) {
	return eachStale(ctx, dirs, func(string) error { return nil })
}

// eachStale calls do for every folder whose owner is dead, and returns those for which it went well.
func eachStale(ctx context.Context, dirs []string, do func(root string) error) ([]string, error) {
	var done []string
	var errs []error
	for _, dir := range append([]string{os.TempDir()}, dirs...) {
		found, err := filepath.Glob(filepath.Join(dir, folderPrefix+"*"))
		if err != nil {
			return done, fmt.Errorf("database: looking for folders left behind in %s: %w", dir, err)
		}
		for _, root := range found {
			if err := ctx.Err(); err != nil {
				return done, fmt.Errorf("database: looking for folders left behind: %w", err)
			}
			stale, err := ifStale(root, do)
			if err != nil {
				errs = append(errs, fmt.Errorf("database: removing %s: %w", root, err))
			} else if stale {
				done = append(done, root)
			}
		}
	}
	return done, errors.Join(errs...)
}

// ifStale calls do, holding the folder's lock, if its owner is dead.
func ifStale(root string, do func(root string) error) (stale bool, err error) {
	info, err := os.Lstat(root)
	if err != nil || !info.IsDir() {
		return false, nil // gone, or not made by us
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return false, nil // another user's: theirs to clean
	}
	lock, err := os.OpenFile(filepath.Join(root, "owner.lock"), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if time.Since(info.ModTime()) < unlockedGrace {
			return false, nil
		}
		return true, do(root)
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return false, nil
		}
		return false, err
	}
	return true, do(root)
}

// endServer ends a server that outlived its owner. The process must name the folder in its arguments: numbers are
// reused.
func endServer(root string) {
	text, err := os.ReadFile(filepath.Join(root, "process"))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return
	}
	arguments, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || !strings.Contains(string(arguments), root+"/") {
		return
	}
	_ = unix.Kill(pid, unix.SIGKILL) // the only other outcome is that it has just ended
}
