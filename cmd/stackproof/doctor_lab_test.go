package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/database"
)

// complete is a machine that has everything.
func complete(t *testing.T) machine {
	found := func() (string, error) { return "/usr/sbin/program", nil }
	return machine{haproxy: found, database: found, namespaces: func() error { return nil }, temporary: t.TempDir(),
		workers:   2,
		installer: "sudo apt-get install", memory: meminfo("MemTotal: 9000000 kB\nMemAvailable:  2048000 kB\n")}
}

func meminfo(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// TestDoctorOfTheLab takes one thing after another away.
func TestDoctorOfTheLab(t *testing.T) {
	for name, c := range map[string]struct {
		without func(*machine)
		need    string
		state   finding.State
		says    []string
		runs    bool
	}{
		"nothing": {func(*machine) {}, "haproxy", finding.OK, []string{"/usr/sbin/program"}, true},
		"HAProxy": {func(m *machine) {
			m.haproxy = func() (string, error) {
				return "", &router.MissingError{Program: "haproxy", Err: errors.New("not in PATH")}
			}
		}, "haproxy", finding.Missing, []string{"→ sudo apt-get install haproxy"}, false},
		"a database": {func(m *machine) {
			m.database = func() (string, error) {
				return "", &database.MissingError{What: "mariadbd",
					Package: "mariadb-server"}
			}
		}, "database", finding.Missing, []string{"→ sudo apt-get install mariadb-server"}, false},
		"an installer that we know": {func(m *machine) {
			m.installer = ""
			m.haproxy = func() (string, error) { return "", errors.New("not in PATH") }
		}, "haproxy", finding.Missing, []string{"→ install the package haproxy"}, false},
		"rights": {func(m *machine) {
			m.namespaces = func() error {
				return &network.PrivilegeError{Reason: errors.New("EPERM"),
					Help: "sudo sysctl -w a=1"}
			}
		}, "namespaces", finding.Missing, []string{"EPERM", "→ sudo sysctl -w a=1"}, false},
		"working namespaces": {func(m *machine) {
			m.namespaces = func() error {
				return errors.New(
					"netlink says no")
			}
		},
			"namespaces", finding.Broken, []string{"netlink says no"}, false},
		"memory": {func(m *machine) { m.memory = meminfo("MemAvailable: 200000 kB\n") },
			"memory", finding.Missing, []string{"195 MiB are free", "→ end other programs"}, false},
		"memory for two": {func(m *machine) { m.memory = meminfo("MemAvailable: 300000 kB\n") },
			"memory", finding.OK, []string{"→ run with --workers 1"}, true},
		"meminfo": {func(m *machine) { m.memory = meminfo("MemFree: 1 kB\n") },
			"memory", finding.Broken, []string{"no line MemAvailable"}, false},
		"a folder": {func(m *machine) { m.temporary = filepath.Join(m.temporary, "gone") },
			"folder", finding.Missing, []string{"→ name another one: TMPDIR="}, false},
	} {
		t.Run("without "+name, func(t *testing.T) {
			m := complete(t)
			c.without(&m)
			var text, data bytes.Buffer
			cmd := &cobra.Command{}
			cmd.SetOut(&text)
			err := doctorLab(cmd, m, false)
			cmd.SetOut(&data)
			assert.Equal(t, err, doctorLab(cmd, m, true))
			var ended *exitError
			assert.Equal(t, !c.runs, errors.As(err, &ended), err)
			if ended != nil {
				assert.Equal(t, exitCannotRun, ended.code)
			}
			for _, word := range append(c.says, map[bool]string{true: "the lab can run here",
				false: "the lab cannot run here: 1 of 5"}[c.runs]) {
				assert.Contains(t, text.String(), word)
			}
			var d labDiagnosed
			require.NoError(t, json.Unmarshal(data.Bytes(), &d))
			states := map[string]finding.State{}
			for _, n := range d.Needs {
				states[n.Name] = n.State
			}
			assert.Len(t, states, 5)
			assert.Equal(t, c.state, states[c.need])
		})
	}
}
