package testhome

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(Around(m)) }

// inside is a package's tests: they write where a program would.
type inside struct {
	code int
	home string
}

func (i *inside) Run() int {
	i.home, _ = os.UserHomeDir()
	for _, dir := range []string{os.Getenv("XDG_STATE_HOME"), os.Getenv("XDG_CACHE_HOME"), os.Getenv("XDG_CONFIG_HOME"),
		i.home} {
		if err := os.WriteFile(filepath.Join(dir, "written"), nil, 0o600); err != nil {
			return 99
		}
	}
	return i.code
}

func TestAround(t *testing.T) {
	users := t.TempDir()
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, users)
	}
	for _, name := range []string{"GOPATH", "GOCACHE", "STACKPROOF_CONFIG", "CLOUDSTACK_SECRET_KEY"} {
		t.Setenv(name, "of the user")
	}
	tests := &inside{code: 7}
	assert.Equal(t, 7, Around(tests).Run(), "the tests' own exit status")
	assert.NotEqual(t, users, tests.home)
	assert.NoDirExists(t, tests.home, "it ends with the tests")
	left, err := os.ReadDir(users)
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Equal(t, "of the user", os.Getenv("GOCACHE"))
	assert.Empty(t, os.Getenv("CLOUDSTACK_SECRET_KEY"))
	assert.Empty(t, os.Getenv("STACKPROOF_CONFIG"))
}

// TestEveryPackageUsesIt reads the tests of all packages. Those of ci start nothing of ours.
func TestEveryPackageUsesIt(t *testing.T) {
	root := filepath.Join("..", "..")
	packages := map[string]bool{} // whether its TestMain uses it
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		dir, _ := filepath.Rel(root, filepath.Dir(path))
		packages[dir] = packages[dir] || strings.Contains(string(text), "testhome.Around(") ||
			dir == filepath.Join("internal", "testhome")
		return err
	})
	require.NoError(t, err)
	assert.Greater(t, len(packages), 20)
	for dir, uses := range packages {
		assert.True(t, uses || strings.HasPrefix(dir, "ci"+string(filepath.Separator)),
			"the tests of %s meet the user's own folders: see this package's comment", dir)
	}
}
