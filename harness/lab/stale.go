package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/zone/database"
)

// CleanStale removes what runs left behind whose process is gone: database folders with their servers, and the folders
// of routers and standing labs. Namespaces, routers and backends end with their process by themselves.
func CleanStale(ctx context.Context) (removed []string, err error) {
	removed, err = database.CleanStale(ctx)
	folders, errFolders := staleFolders()
	errs := []error{err, errFolders}
	for _, dir := range folders {
		if err := os.RemoveAll(dir); err != nil {
			errs = append(errs, fmt.Errorf("removing %s: %w", dir, err))
			continue
		}
		removed = append(removed, dir)
	}
	return removed, errors.Join(errs...)
}

// FindStale returns what CleanStale would remove.
func FindStale(ctx context.Context) ([]string, error) {
	found, err := database.FindStale(ctx)
	folders, errFolders := staleFolders()
	return append(found, folders...), errors.Join(err, errFolders)
}

// staleFolders are the folders whose name has the number of a process that is gone.
func staleFolders() (stale []string, err error) {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "stackproof-lab-*"))
	for _, dir := range found {
		word, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), "stackproof-lab-"), "-")
		if pid, err := strconv.Atoi(word); err == nil && !ours(pid) {
			stale = append(stale, dir)
		}
	}
	return stale, err
}

// ours says whether the process lives and may be a stackproof. A number that was given to another program since then
// makes us leave a folder, never remove one in use.
func ours(pid int) bool {
	if pid == os.Getpid() {
		return true
	}
	_, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	return err == nil
}
