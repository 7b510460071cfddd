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

// CleanStale removes what runs left behind whose process is gone: database folders with their servers, and the folders of
// routers and standing labs. Namespaces, routers and backends end with their process by themselves.
func CleanStale(ctx context.Context) (removed []string, err error) {
	removed, err = database.CleanStale(ctx)
	errs := []error{err}
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "stackproof-lab-*"))
	errs = append(errs, err)
	for _, dir := range found {
		word, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), "stackproof-lab-"), "-")
		pid, err := strconv.Atoi(word)
		if err != nil || ours(pid) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			errs = append(errs, fmt.Errorf("removing %s: %w", dir, err))
			continue
		}
		removed = append(removed, dir)
	}
	return removed, errors.Join(errs...)
}

// ours says whether the process lives and may be a stackproof. A number that was given to another program since then makes
// us leave a folder, never remove one in use.
func ours(pid int) bool {
	if pid == os.Getpid() {
		return true
	}
	_, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	return err == nil
}
