// Package testhome gives the tests of a package state, cache and configuration folders of their own. Without it they
// would meet the ledgers, profiles and prepared databases of whoever runs them, and write among them.
//
// It is used in TestMain, around the tests:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }
package testhome

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Tests run a package's tests, as *testing.M does.
type Tests interface{ Run() int }

// Around is the tests inside folders of their own. The folders exist from the first test to the last.
func Around(m Tests) Tests { return home{m} }

type home struct{ tests Tests }

// failed is the exit status of tests that could not be run.
const failed = 1

// Run implements Tests.
func (h home) Run() int {
	dir, err := os.MkdirTemp("", "testhome-")
	if err == nil {
		err = move(dir)
	}
	code := failed
	if err == nil {
		code = h.tests.Run()
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, "folders of the tests' own:", err)
		return failed
	}
	return code
}

// move makes dir the home folder of this process and of those that it starts, and forgets what points elsewhere.
func move(dir string) error {
	err := keepGo()
	for name, folder := range map[string]string{
		"HOME": ".", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config",
	} {
		path := filepath.Join(dir, folder)
		err = errors.Join(err, os.MkdirAll(path, 0o700), os.Setenv(name, path))
	}
	for _, name := range []string{"STACKPROOF_CONFIG", "CLOUDSTACK_API_URL", "CLOUDSTACK_API_KEY",
		"CLOUDSTACK_SECRET_KEY"} {
		err = errors.Join(err, os.Unsetenv(name))
	}
	return err
}

// keepGo leaves the go command, which some tests run, its folders: modules and builds are not the tests' own.
func keepGo() error {
	user, err := os.UserHomeDir()
	if err != nil {
		return nil //nolint:nilerr // without a home folder the go command has none of these by default either
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	for name, path := range map[string]string{"GOPATH": filepath.Join(user, "go"), "GOCACHE": filepath.Join(cache,
		"go-build")} {
		if os.Getenv(name) == "" {
			if err := os.Setenv(name, path); err != nil {
				return err
			}
		}
	}
	return nil
}
