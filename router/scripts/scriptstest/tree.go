// Package scriptstest puts together, for tests, the systemvm trees under router/scripts/testdata. It reads the source
// folder that it was compiled in and is of no use in an installed program.
package scriptstest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Variants of the tree; testdata/tree/README.md says what each does.
const (
	Set      = "set"
	List     = "list"
	Check    = "check"
	Deaf     = "deaf"
	Firewall = "firewall"
	Crash    = "crash"
	Hang     = "hang"
	Escape   = "escape"
	Netaddr  = "netaddr"
	Python2  = "python2"
)

// Tree writes the variant into a temporary folder and gives that folder.
func Tree(tb testing.TB, variant string) string {
	tb.Helper()
	dir := tb.TempDir()
	Write(tb, dir, variant)
	return dir
}

// Write writes the variant into dir.
func Write(tb testing.TB, dir, variant string) {
	tb.Helper()
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		tb.Fatal("the source folder of scriptstest is not known")
	}
	data := filepath.Join(filepath.Dir(filepath.Dir(here)), "testdata", "tree")
	for _, part := range []string{"base", variant} {
		// CopyFS refuses to overwrite; base and variant have no file in common.
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(data, part))); err != nil {
			tb.Fatalf("writing the %s variant of the tree: %v", variant, err)
		}
	}
}
