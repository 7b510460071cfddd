//go:build linux

package router

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/stackproof/stackproof/internal/reexec"
)

// childName as a program's name (argv[0]) makes MaybeChild take over.
const childName = "stackproof-router"

// childFailed is the exit status of a child that could not reach HAProxy; HAProxy itself never uses it.
const childFailed = 125

// Names inside the child's mount namespace, as the Debian unit and the VR have them.
const (
	livePath   = "/etc/haproxy/haproxy.cfg"
	newPath    = "/etc/haproxy/haproxy.cfg.new"
	pidPath    = "/run/haproxy.pid"
	notifyPath = "/run/notify"
)

// MaybeChild must be the first thing that main, and the TestMain of every package that runs a Router, calls. In an
// ordinary process it does nothing. In a child that a Router started it prepares the mount namespace, becomes HAProxy
// and never returns.
func MaybeChild() {
	if reexec.Role() != childName {
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", childName, runChild(os.Args[1:]))
	os.Exit(childFailed)
}

// childArgs is the command line of a child: its private folder, the ids of user haproxy, HAProxy and its arguments.
func childArgs(dir string, ids identity, haproxy ...string) []string {
	return append([]string{childName, dir, strconv.Itoa(ids.uid), strconv.Itoa(ids.gid)}, haproxy...)
}

func runChild(args []string) error {
	if len(args) < 4 {
		return errors.New("started without its arguments")
	}
	if err := privateMounts(args[0], args[1], args[2]); err != nil {
		return err
	}
	env := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET=" + notifyPath}
	return reexec.Become(args[3], args[3:], env)
}

// privateMounts gives this process its own /etc, /run and /var/lib. All sources are named relative to the private
// folder, which stays the working directory until the end: it may itself lie under one of the folders being covered.
func privateMounts(dir, uid, gid string) error {
	if err := os.Chdir(dir); err != nil {
		return fmt.Errorf("entering the router's folder: %w", err)
	}
	loader, err := os.ReadFile("/etc/ld.so.cache")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the loader's cache: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", "/etc", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mounting /etc: %w", err)
	}
	files := map[string]string{
		// In a user namespace with a single id, haproxy has to be that id, or HAProxy does not start.
		"passwd": "root:x:0:0:root:/:/bin/sh\nhaproxy:x:" + uid + ":" + gid + "::/var/lib/haproxy:/usr/sbin/nologin\n",
		"group":  "root:x:0:\nhaproxy:x:" + gid + ":\n",
	}
	if loader != nil {
		files["ld.so.cache"] = string(loader)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join("/etc", name), []byte(content), 0o644); err != nil {
			return fmt.Errorf("filling /etc: %w", err)
		}
	}
	for _, folder := range []string{"/etc/haproxy", CertificateFolder} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("filling /etc: %w", err)
		}
	}
	for _, m := range []struct{ source, target string }{{"etc/haproxy", "/etc/haproxy"},
		{"etc/cloudstack/ssl", CertificateFolder}, {"var/lib", "/var/lib"}, {"run", "/run"}} {
		if err := unix.Mount(m.source, m.target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mounting the router's %s: %w", m.target, err)
		}
	}
	return os.Chdir("/")
}

// identity is the pair of ids that user and group haproxy have inside the child.
type identity struct{ uid, gid int }

// mapped says whether the id exists in this user namespace, by the content of uid_map or gid_map.
func mapped(table string, id int) bool {
	for line := range strings.Lines(table) {
		var first, outside, count int64
		if _, err := fmt.Sscan(line, &first, &outside, &count); err == nil && int64(id) >= first && int64(id) < first+
			count {
			return true
		}
	}
	return false
}
