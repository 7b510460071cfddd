package database

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// defaultCacheDir is where prepared data folders are kept: the user's cache folder or, without one that can be written,
// a folder of the user's own below the system's temporary folder. A folder that somebody else could have prepared is
// refused: a server would run on its data.
func defaultCacheDir() (string, error) {
	var candidates []string
	if base, err := os.UserCacheDir(); err == nil {
		candidates = append(candidates, filepath.Join(base, "stackproof", "database"))
	}
	candidates = append(candidates, filepath.Join(os.TempDir(), "stackproof-cache-"+outerUser()))
	var errs []error
	for _, dir := range candidates {
		err := ownFolder(dir)
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("database: no folder to keep a prepared database in (set HOME or TMPDIR to one that can "+
		"be written): %w", errors.Join(errs...))
}

// ownFolder makes a folder, or makes sure that an existing one is ours alone to write.
func ownFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(owner.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a folder that only we can write", dir)
	}
	return nil
}

// outerUser is the user as the machine knows it: inside a user namespace everybody is 0.
func outerUser() string {
	text, err := os.ReadFile("/proc/self/uid_map")
	if words := strings.Fields(string(text)); err == nil && len(words) == 3 && words[0] == "0" && words[1] != "0" {
		return words[1]
	}
	return fmt.Sprint(os.Getuid())
}
