package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

func TestUnsupported(t *testing.T) {
	skipUnlessRunnable(t)
	empty, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	list := scriptstest.Tree(t, scriptstest.List)
	for _, c := range []struct {
		name           string
		options        Options
		reason, remedy string
	}{
		{"no tree named", Options{}, "no systemvm tree was named", "debian/opt/cloud"},
		{"tree absent", Options{Tree: empty + "/absent"}, empty + "/absent: no such file", "debian/opt/cloud"},
		{"tree is a file", Options{Tree: file}, file + " is not a directory", "debian/opt/cloud"},
		{"no systemvm tree", Options{Tree: empty}, empty +
			" is not a systemvm tree: no debian/opt/cloud/bin/update_config.py", "debian/opt/cloud"},
		{"interpreter absent", Options{Tree: list, Interpreter: "python-of-nobody"}, "python-of-nobody: not found",
			"install python3"},
		{"interpreter is none", Options{Tree: list, Interpreter: "echo"}, "echo is not a python", "install python3"},
		{"wrong python", Options{Tree: scriptstest.Tree(t, scriptstest.Python2), Interpreter: "python3"},
			"cannot parse compare.py line 2", "#9822 undone"},
		{"netaddr missing", Options{Tree: scriptstest.Tree(t, scriptstest.Netaddr), Interpreter: bare(t)},
			"has no module netaddr", "python3-netaddr"},
		{"haproxy absent", Options{Tree: list, HAProxy: "haproxy-of-nobody"}, "haproxy was not found",
			"apt-get install haproxy"},
		{"haproxy is none", Options{Tree: list, HAProxy: "/bin/true"}, "/bin/true is not HAProxy",
			"apt-get install haproxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := Open(t.Context(), c.options)
			if err == nil {
				require.NoError(t, v.Close())
			}
			var u *Unsupported
			require.ErrorAs(t, err, &u)
			assert.Contains(t, u.Reason, c.reason)
			assert.Contains(t, u.Remedy, c.remedy)
			assert.NotContains(t, u.Error(), "\n")
		})
	}
}

// bare is a python3 that finds the standard library alone.
func bare(tb testing.TB) string {
	tb.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		tb.Skip(err)
	}
	name := filepath.Join(tb.TempDir(), "python3")
	require.NoError(tb, os.WriteFile(name, []byte("#!/bin/sh\nexec "+python+" -S \"$@\"\n"), 0o755))
	return name
}

func TestNetaddrFromAFolder(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "netaddr"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "netaddr", "__init__.py"), []byte("__version__ = \"0.0\"\n"),
		0o644))
	before := listing(t, dir)
	v := open(t, Options{Tree: scriptstest.Tree(t, scriptstest.Netaddr), PythonPath: dir})
	assert.Equal(t, router.ActionReload, apply(t, v, pushOf(t, plain(8080)), Direct).Action)
	assert.Equal(t, before, listing(t, dir), "the interpreter left something on the host")
}

func TestAcceptedFormsOfATree(t *testing.T) {
	checkout := t.TempDir()
	scriptstest.Write(t, filepath.Join(checkout, "systemvm"), scriptstest.List)
	for _, form := range []string{"", "systemvm", "systemvm/debian"} {
		found, err := findTree(filepath.Join(checkout, form))
		require.NoError(t, err, form)
		assert.Equal(t, filepath.Join(checkout, "systemvm/debian/opt/cloud"), found.cloud)
		assert.Equal(t, filepath.Join(checkout, "systemvm/debian/etc/haproxy/haproxy.cfg"), found.defaultConfig)
	}
}

func TestInterpreterOutsideUsrIsBound(t *testing.T) {
	p := interpreter{Paths: []string{"/usr/lib/python3", "/usr", "/opt/py", "/opt/py/lib", "/opt/python"}}
	assert.Equal(t, []string{"/opt/py", "/opt/python", "/srv/netaddr"}, p.mounts("/srv/netaddr", "", "/"))
}

func TestFirstLineNamesTheInterpreter(t *testing.T) {
	for text, want := range map[string]string{
		"#!/usr/bin/python\nx\n":              "#!/opt/py/bin/python3\nx\n",
		"#! /usr/bin/env python3 -u\nx\n":     "#!/opt/py/bin/python3\nx\n",
		"#!/bin/bash\n# python\n":             "#!/bin/bash\n# python\n",
		"# python\n#!/usr/bin/python\n":       "# python\n#!/usr/bin/python\n",
		"":                                    "",
		"#!/usr/bin/python without a newline": "#!/usr/bin/python without a newline",
	} {
		assert.Equal(t, want, string(withInterpreter([]byte(text), "/opt/py/bin/python3")))
	}
}

func TestProgramThatForgotMaybeChild(t *testing.T) {
	t.Setenv(envChild, "1")
	_, err := Open(t.Context(), listTree(t))
	require.ErrorContains(t, err, "MaybeChild")
}

func TestHAProxyVersionIsReported(t *testing.T) {
	v := open(t, listTree(t))
	assert.Regexp(t, `^\d+\.\d+`, v.HAProxyVersion())
	assert.True(t, strings.HasPrefix(v.Python(), "/"), v.Python())
}
