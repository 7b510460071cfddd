package dataplane

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/network"
)

// lab is one router with a real HAProxy, its backends and its clients.
type lab struct {
	t        testing.TB
	site     *network.Site
	backends *network.Backends
	folder   string
	servers  []string

	mu      sync.Mutex
	process *exec.Cmd
	pushes  int
}

const (
	targetAddress  = "203.0.113.1:80"
	controlAddress = "203.0.113.2:80"
)

// newLab starts HAProxy with two sections, target and control, in front of the same servers. The extra lines are added
// to each.
func newLab(t testing.TB, servers int, target, control string) *lab {
	t.Helper()
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skipf("needs haproxy (apt-get install haproxy): %v", err)
	}
	if err := network.Check(); err != nil {
		t.Skip(err)
	}
	// HAProxy reads a comma in a socket's path as a list: not the folder that is named after the test.
	folder, err := os.MkdirTemp("", "stackproof-dataplane-*")
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, err)
	l := &lab{t: t, folder: folder}
	site, err := network.NewSite(t.Context(), network.SiteOptions{Name: t.Name()})
	if site != nil {
		t.Cleanup(func() { require.NoError(t, site.Close()) })
	}
	require.NoError(t, err)
	l.site = site
	l.backends = site.Backends()
	t.Cleanup(func() { require.NoError(t, l.backends.Close()) })
	var members []netip.AddrPort
	for i := range servers {
		l.servers = append(l.servers, fmt.Sprintf("10.1.1.%d:8080", i+1))
		members = append(members, netip.MustParseAddrPort(l.servers[i]))
	}
	require.NoError(t, l.backends.SetMembers(t.Context(), members))
	for _, a := range []string{targetAddress, controlAddress} {
		require.NoError(t, site.Router.EnsureAddress(t.Context(), netip.MustParseAddrPort(a).Addr()))
	}
	l.configure(target, control)
	t.Cleanup(l.stop)
	l.start()
	return l
}

func (l *lab) configure(target, control string) {
	var b strings.Builder
	fmt.Fprintf(&b, "global\n maxconn 4096\n stats socket %s/admin.sock level admin\n", l.folder)
	b.WriteString("defaults\n mode tcp\n balance roundrobin\n timeout connect 5s\n timeout client 50s\n timeout " +
		"server 50s\n")
	for _, section := range []struct{ name, address, extra string }{
		{"target", targetAddress, target}, {"control", controlAddress, control},
	} {
		fmt.Fprintf(&b, "listen %s\n bind %s\n %s\n", section.name, section.address, strings.ReplaceAll(section.extra,
			"\n", "\n "))
		cookie := ""
		for i, s := range l.servers {
			if strings.Contains(section.extra, "cookie ") {
				cookie = fmt.Sprintf(" cookie s%d", i)
			}
			proxy := ""
			if strings.Contains(section.extra, "#proxy") {
				proxy = " send-proxy"
			}
			fmt.Fprintf(&b, " server s%d %s check inter 100ms rise 1 fall 1%s%s\n", i, s, cookie, proxy)
		}
	}
	require.NoError(l.t, os.WriteFile(filepath.Join(l.folder, "haproxy.cfg"), []byte(b.String()), 0o644))
}

// start starts a HAProxy; one that runs already is told to finish, as a reload does.
func (l *lab) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	arguments := []string{"-db", "-f", filepath.Join(l.folder, "haproxy.cfg")}
	old := l.process
	if old != nil {
		arguments = append(arguments, "-sf", strconv.Itoa(old.Process.Pid))
	}
	log, err := os.OpenFile(filepath.Join(l.folder, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	require.NoError(l.t, err)
	defer func() { require.NoError(l.t, log.Close()) }()
	cmd := exec.Command("haproxy", arguments...)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(l.t, l.site.Router.Start(cmd))
	l.process = cmd
	want := fmt.Sprintf("Pid: %d\n", cmd.Process.Pid)
	l.await("HAProxy answers on its socket", func() (string, bool) {
		info, err := l.admin("show info")
		said, _ := os.ReadFile(log.Name())
		return fmt.Sprintf("%v %s", err, said), err == nil && strings.Contains(info, want)
	})
	if old != nil {
		_ = old.Wait()
	}
}

func (l *lab) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.process != nil {
		_ = l.process.Process.Kill()
		_ = l.process.Wait()
	}
}

func (l *lab) admin(command string) (string, error) {
	c, err := net.Dial("unix", filepath.Join(l.folder, "admin.sock"))
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	return string(b), err
}

func (l *lab) await(what string, f func() (string, bool)) {
	l.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		last, ok := f()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("%s: not within 10 s; last seen: %s", what, last)
		}
		<-tick.C
	}
}

// Mark implements Watch.
func (l *lab) Mark(context.Context) (string, error) {
	info, err := l.admin("show info")
	if err != nil {
		return "", err
	}
	_, after, _ := strings.Cut(info, "\nPid: ")
	pid, _, _ := strings.Cut(after, "\n")
	return fmt.Sprintf("pid %s, pushes %d", pid, l.pushes), nil
}

// Table implements Tables.
func (l *lab) Table(_ context.Context, rule string) (int, bool, error) {
	out, err := l.admin("show table " + rule)
	if err != nil {
		return 0, false, err
	}
	_, after, ok := strings.Cut(out, "used:")
	if !ok {
		return 0, false, nil
	}
	number, _, _ := strings.Cut(after, "\n")
	used, err := strconv.Atoi(strings.TrimSpace(number))
	return used, err == nil, err
}

func (l *lab) config() Config {
	return Config{
		Target:  Target{Rule: "target", Address: netip.MustParseAddrPort(targetAddress)},
		Control: Target{Rule: "control", Address: netip.MustParseAddrPort(controlAddress)},
		Clients: l.site.ClientAddresses(), Dialer: l.site.Clients, Watch: l, Tables: l, Seed: 7,
	}
}
