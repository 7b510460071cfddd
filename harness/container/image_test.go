package container_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"

	"github.com/stackproof/stackproof/harness/container"
	"github.com/stackproof/stackproof/zone/database"
)

// needEngine skips where no container engine can be had; the reason is one of those that CI may allow by name.
func needEngine(t *testing.T) {
	t.Helper()
	if err := container.Check(t.Context()); err != nil {
		t.Skip(err)
	}
}

func docker(t *testing.T) *client.Client {
	t.Helper()
	c, err := testcontainers.NewDockerClientWithOpts(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c.Client
}

// standin is the program, built once.
var standin = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "stackproof-standin-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "standin"), "./standin")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{string(out)}
	}
	return filepath.Join(dir, "standin"), nil
})

// archive has each file once: programs share libraries.
type archive struct {
	*tar.Writer
	have map[string]bool
}

type buildError struct{ out string }

func (e *buildError) Error() string { return "building the stand-in: " + e.out }

// image imports a picture of a machine into the engine: no registry, no builder. Whole ones have this machine's own
// database server, shell and coreutils with their libraries, and a source tree. It is removed with the test.
func image(t *testing.T, name string, whole bool, env ...string) string {
	t.Helper()
	program, err := standin()
	require.NoError(t, err)
	var b bytes.Buffer
	w := &archive{Writer: tar.NewWriter(&b), have: map[string]bool{}}
	for _, dir := range []string{"tmp", "run", "root", "root/usage", "etc"} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o1777}))
	}
	add(t, w, program, "/standin")
	if whole {
		server, err := database.Find("")
		if err != nil {
			t.Skip(err)
		}
		for _, p := range []string{server, "/bin/bash", "/bin/cat", "/usr/bin/tail"} {
			addProgram(t, w, p)
		}
		addTree(t, w, "/usr/share/mysql")
		write(t, w, "/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\n")
		write(t, w, "/usr/bin/mvn", 0o755, "#!/bin/bash\nexec /standin mvn \"$@\"\n")
		write(t, w, "/root/pom.xml", 0o644, "<project/>\n")
		write(t, w, "/root/usage/pom.xml", 0o644, "<project/>\n")
	}
	require.NoError(t, w.Close())
	changes := []string{"ENTRYPOINT [\"/standin\"]", "EXPOSE 8080 8096 5050", "WORKDIR /root",
		"ENV HOME=/root PATH=/usr/bin:/bin:/usr/sbin"}
	for _, e := range env {
		changes = append(changes, "ENV "+e)
	}
	ref := "stackproof-standin-" + name + ":" + "test"
	c := docker(t)
	answer, err := c.ImageImport(t.Context(), client.ImageImportSource{Source: &b, SourceName: "-"}, ref,
		client.ImageImportOptions{Changes: changes})
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, answer)
	require.NoError(t, err)
	require.NoError(t, answer.Close())
	t.Cleanup(func() {
		_, err := c.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{Force: true, PruneChildren: true})
		require.NoError(t, err)
	})
	return ref
}

var library = regexp.MustCompile(`(/\S+) \(0x`)

// addProgram adds a program with the libraries that it is linked to.
func addProgram(t *testing.T, w *archive, path string) {
	t.Helper()
	add(t, w, path, path)
	out, err := exec.Command("ldd", path).Output()
	require.NoError(t, err)
	for _, l := range library.FindAllStringSubmatch(string(out), -1) {
		add(t, w, l[1], l[1])
	}
}

func addTree(t *testing.T, w *archive, root string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			add(t, w, path, path)
		}
		return err
	}))
}

func add(t *testing.T, w *archive, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	require.NoError(t, err)
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	write(t, w, to, info.Mode().Perm(), string(data))
}

func write(t *testing.T, w *archive, to string, mode fs.FileMode, text string) {
	t.Helper()
	if w.have[to] {
		return
	}
	w.have[to] = true
	require.NoError(t, w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(to, "/"), Mode: int64(mode),
		Size: int64(len(text))}))
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
}

// ours lists the containers of an image.
func ours(t *testing.T, image string) []string {
	t.Helper()
	found, err := docker(t).ContainerList(t.Context(), client.ContainerListOptions{All: true})
	require.NoError(t, err)
	var ids []string
	for _, c := range found.Items {
		if slices.Contains([]string{c.Image, c.ImageID}, image) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
