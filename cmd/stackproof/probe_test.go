package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// balancer is a real HAProxy with listen sections, in front of two web servers that name themselves in a header. It
// gives the address of each section.
func balancer(t *testing.T, sections map[string]string) map[string]string {
	t.Helper()
	servers := ""
	for _, id := range []string{"web-1", "web-2"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
			_ *http.Request) {
			w.Header().Set("X-Served-By", id)
		}))
		t.Cleanup(s.Close)
		servers += fmt.Sprintf("\n  server %s %s cookie %s", id, s.Listener.Addr(), id)
	}
	return haproxy(t, "http", "", servers, sections)
}

// haproxy is a real HAProxy with listen sections in front of servers; bind is what stands after each one's address.
func haproxy(t *testing.T, mode, bind, servers string, sections map[string]string) map[string]string {
	t.Helper()
	config := "global\ndefaults\n  mode " + mode +
		"\n  timeout connect 10s\n  timeout client 10s\n  timeout server 10s\n"
	addresses := map[string]string{}
	cmd := exec.Command("haproxy", "-db", "-f", "haproxy.cfg")
	for name, lines := range sections {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		file, err := l.(*net.TCPListener).File()
		require.NoError(t, err)
		addresses[name] = l.Addr().String()
		require.NoError(t, l.Close()) // the file keeps it open, so that nobody else gets the port
		t.Cleanup(func() { assert.NoError(t, file.Close()) })
		config += fmt.Sprintf("listen %s\n  bind fd@%d %s\n  balance roundrobin\n%s%s\n", name,
			3+len(cmd.ExtraFiles), bind, lines, servers)
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	cmd.Dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "haproxy.cfg"), []byte(config), 0o600))
	var told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &told, &told
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Log(told.String())
		}
	})
	return addresses
}

func TestProbeOfAnyLoadBalancer(t *testing.T) {
	at := balancer(t, map[string]string{"sticky": "  stick-table type ip size 1k expire 1m\n  stick on src\n",
		"free": "", "free2": "", "cookie": "  cookie SRV insert indirect nocache\n"})
	dir := t.TempDir()
	for _, tt := range []struct {
		name, target, control string
		more                  []string
		exit                  int
		want                  []string
	}{
		{"sticky", "sticky", "free", []string{"--html", filepath.Join(dir, "p.html"), "--json",
			filepath.Join(dir, "p.json")}, exitOK,
			[]string{"is sticky: 0 of 31 clients changed", "false pass: ", "A = web-1", "127.0.9.31  "}},
		{"not sticky", "free2", "free", nil, exitFailure, []string{"is not sticky: ", "  moved"}},
		{"control that is sticky shows nothing", "free", "sticky", nil, exitInconclusive,
			[]string{"this probe cannot see missing stickiness"}},
		{"cookie", "cookie", "free", []string{"--method", "cookie"}, exitOK, []string{"is sticky: 0 of 31"}},
		{"by source, a cookie keeps nobody", "cookie", "free", nil, exitFailure, []string{"is not sticky"}},
		{"another identity", "sticky", "free", []string{"--identity", "header:X-Nobody"}, exitInconclusive,
			[]string{"the answer has no header X-Nobody"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"probe", at[tt.target], "--control", at[tt.control], "--from",
				"127.0.9.1-127.0.9.31", "--identity", "header:X-Served-By"}, tt.more...)
			var out, errs bytes.Buffer
			require.Equal(t, tt.exit, run(args, strings.NewReader(""), &out, &errs), "%s%s", &out, &errs)
			for _, want := range tt.want {
				require.Contains(t, out.String(), want)
			}
		})
	}
	page, err := os.ReadFile(filepath.Join(dir, "p.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "127.0.9.31")
}

func TestProbeRefusesWrongWords(t *testing.T) {
	const here = "127.0.0.1:80"
	for want, args := range map[string][]string{
		"takes one HOST:PORT":    {},
		"--control is needed":    {here, "--from", "127.0.0.2"},
		"--from is needed":       {here, "--control", "127.0.0.1:81"},
		"is not HOST:PORT":       {"127.0.0.1", "--control", here, "--from", "127.0.0.2-127.0.0.3"},
		"the same address":       {here, "--control", here, "--from", "127.0.0.2-127.0.0.3"},
		"at least 2 clients":     {here, "--control", "127.0.0.1:81", "--from", "127.0.0.2"},
		"is no range":            {here, "--control", "127.0.0.1:81", "--from", "127.0.0.9-127.0.0.3"},
		"more than 4096 clients": {here, "--control", "127.0.0.1:81", "--from", "10.0.0.0-11.0.0.0"},
		"cannot be mixed": {here, "--control", "127.0.0.1:81", "--from", "127.0.0.2", "--from",
			"netns:a"},
		"want body, body:REGEXP": {here, "--control", "127.0.0.1:81", "--from", "127.0.0.2-127.0.0.3",
			"--identity", "face"},
		"--path must begin with /": {here, "--control", "127.0.0.1:81", "--from", "127.0.0.2-127.0.0.3",
			"--path", "x y"},
		"at least 2 vantage points": {here, "--control", "127.0.0.1:81", "--from", "socks5://127.0.0.1:1080"},
		"no such port": {"127.0.0.1:0", "--control", "127.0.0.1:81", "--from",
			"127.0.0.2-127.0.0.3"},
		"at least 2 are needed to see": {here, "--control", "127.0.0.1:81", "--from", "127.0.0.2-127.0.0.3",
			"--requests", "1"},
		`method "magic": want source or c`: {here, "--control", "127.0.0.1:81", "--from", "127.0.0.2-127.0.0.3",
			"--method", "magic"},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, exitUsage, run(append([]string{"probe"}, args...), strings.NewReader(""), &out, &errs), "%v",
			args)
		require.Contains(t, errs.String(), want)
		require.Equal(t, 1, strings.Count(errs.String(), "\n"), "one line")
	}
}

// TestProbeFromForeignAddresses: where nothing can be asked from, nothing is shown but why.
func TestProbeFromForeignAddresses(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, exitCannotRun, run([]string{"probe", "127.0.0.1:80", "--control", "127.0.0.1:81", "--from",
		"192.0.2.1-192.0.2.9"}, strings.NewReader(""), &out, &errs))
	require.Empty(t, out.String())
	require.Contains(t, errs.String(), "this machine does not have the address 192.0.2.1")
	require.Equal(t, 1, strings.Count(errs.String(), "\n"), "one line")
}

func TestProbeFromANamespace(t *testing.T) {
	name := fmt.Sprintf("sp-probe-%d", os.Getpid())
	ip := func(args ...string) {
		out, err := exec.Command("ip", args...).CombinedOutput() // fixed words
		require.NoError(t, err, "ip %s: %s", strings.Join(args, " "), out)
	}
	ip("netns", "add", name)
	t.Cleanup(func() { assert.NoError(t, exec.Command("ip", "netns", "del", name).Run()) }) // our own name
	v := inNamespaces([]string{name, "sp-no-such-namespace"})
	to := netip.MustParseAddrPort("127.0.0.1:9")
	_, err := v.Dial(t.Context(), v.addresses[0], to)
	require.ErrorContains(t, err, "network is unreachable", "the namespace has no loopback yet, this machine has")
	ip("-n", name, "link", "set", "lo", "up")
	_, err = v.Dial(t.Context(), v.addresses[0], to)
	require.ErrorContains(t, err, "connection refused", "now it has")
	_, err = v.Dial(context.Background(), v.addresses[1], to)
	require.ErrorContains(t, err, "network namespace sp-no-such-namespace")
	require.Equal(t, "netns "+name, v.name(v.addresses[0].String()))
}
