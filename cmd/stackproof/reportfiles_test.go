package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// wanted are the reports that flags ask for.
func wanted(t *testing.T, args ...string) (reportFiles, error) {
	t.Helper()
	var flags reportFlags
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	flags.add(set)
	require.NoError(t, set.Parse(args))
	files, err := flags.open()
	t.Cleanup(func() { assert.NoError(t, files.close()) })
	return files, err
}

// TestReportsAreReplacedAsAWhole looks at the files while a run goes on: a former report stays until the new one is
// complete.
func TestReportsAreReplacedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(path("former.json"), []byte("the last run"), 0o600))
	require.NoError(t, os.Symlink("former.json", path("link.json")))
	require.NoError(t, os.WriteFile(path("steps.md"), []byte("step 1\n"), 0o600))
	files, err := wanted(t, "--json", path("link.json"), "--junit", path("new.xml"), "--summary", path("steps.md"))
	require.NoError(t, err)
	assert.Equal(t, "the last run", read(t, path("former.json")))
	assert.NoFileExists(t, path("new.xml"), "an empty file would be no report")

	run := result.Run{Schema: result.SchemaVersion, Planned: []string{"X-01", "X-02"},
		Results: []result.Case{{ID: "X-01", Verdict: result.Pass}}}
	reader, err := os.Open(path("former.json")) // whoever reads the last report meanwhile is not cut off
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, reader.Close()) })
	require.NoError(t, files.partial(run, false))
	old := make([]byte, 64)
	n, err := reader.Read(old)
	require.NoError(t, err)
	assert.Equal(t, "the last run", string(old[:n]))
	assert.Contains(t, read(t, path("former.json")), `"X-02"`)
	assert.Contains(t, read(t, path("new.xml")), "X-02")
	assert.Equal(t, "step 1\n", read(t, path("steps.md")), "what is appended is written once, at the end")
	info, err := os.Lstat(path("link.json"))
	require.NoError(t, err)
	assert.Equal(t, os.ModeSymlink, info.Mode().Type(), "the link stays a link")
	info, err = os.Stat(path("former.json"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "and the file keeps its mode")

	require.NoError(t, files.write(run, false))
	assert.Contains(t, read(t, path("steps.md")), "X-02")
	left, err := filepath.Glob(path(".*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// TestReportsOverALongerOne overwrites where nothing can be put beside the file, and leaves no tail of the last report.
func TestReportsOverALongerOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(path, []byte("a long last report"), 0o600))
	files, err := wanted(t, "--json", path)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(files[0].beside(), 0o700)) // a folder stands in the way
	require.NoError(t, files[0].replace([]byte("short")))
	assert.Equal(t, "short", read(t, path))
}

func TestReportsThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	one := filepath.Join(dir, "one")
	for name, args := range map[string][]string{
		"no such folder":    {"--json", filepath.Join(dir, "none", "x.json")},
		"a folder":          {"--json", dir},
		"two of one":        {"--json", one, "--junit", one},
		"two of one unlike": {"--json", one, "--junit", filepath.Join(dir, ".", "x", "..", "one")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wanted(t, args...)
			var ended *exitError
			require.ErrorAs(t, err, &ended)
			assert.Equal(t, exitUsage, ended.code)
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, left, "nothing was made")
		})
	}
}

// TestReportIntoAPipe gives a reader the last version, once.
func TestReportIntoAPipe(t *testing.T) {
	out, in, err := os.Pipe()
	require.NoError(t, err)
	path := filepath.Join("/proc/self/fd", fmt.Sprint(in.Fd()))
	files, err := wanted(t, "--json", path)
	require.NoError(t, err)
	require.NoError(t, in.Close())
	run := result.Run{Schema: result.SchemaVersion, Planned: []string{"X-01"}}
	require.NoError(t, files.partial(run, false))
	run.Results = []result.Case{{ID: "X-01", Verdict: result.Pass}}
	require.NoError(t, files.write(run, false))
	require.NoError(t, files.close())
	files[0].stream = nil
	got, err := result.Decode(out)
	require.NoError(t, err)
	assert.Len(t, got.Results, 1)
	require.NoError(t, out.Close())
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
