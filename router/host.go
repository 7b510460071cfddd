//go:build linux

package router

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
)

// Host is where a router's HAProxy runs: a network namespace.
type Host interface {
	// Start calls cmd.Start on an operating system thread that is inside the network namespace and lives as long as
	// the Host: the kernel kills a process with a parent death signal when the thread that made it ends.
	Start(cmd *exec.Cmd) error
	// EnsureAddress gives the namespace an address, if it does not have it, before HAProxy listens on it.
	EnsureAddress(ctx context.Context, addr netip.Addr) error
}

// MissingError says that a program the router needs is not installed.
type MissingError struct {
	Program string
	Install string // the command that installs it on Debian and Ubuntu
	Err     error
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not installed (%v): %s", e.Program, e.Err, e.Install)
}

func (e *MissingError) Unwrap() error { return e.Err }

// FindHAProxy gives the path of the program that a Router would run: name, or haproxy when name is empty, looked up in
// PATH and in the administrator's folders, which a user's PATH lacks. The error is a *MissingError.
func FindHAProxy(name string) (string, error) {
	if name == "" {
		name = "haproxy"
	}
	path, err := exec.LookPath(name)
	if err != nil && filepath.Base(name) == name {
		for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
			if p, e := exec.LookPath(filepath.Join(dir, name)); e == nil {
				path, err = p, nil
				break
			}
		}
	}
	if err != nil {
		return "", &MissingError{Program: name, Install: "apt-get install haproxy", Err: err}
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", fmt.Errorf("finding %s: %w", name, err)
	}
	// A link may lead through a folder that the child covers.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("finding %s: %w", name, err)
	}
	return path, nil
}

// haproxyIdentity is user haproxy of this machine where such an id can be taken, nobody where it has none, and the one
// id that there is in a user namespace with a single one.
func haproxyIdentity() identity {
	ids := identity{65534, 65534}
	if u, err := user.Lookup("haproxy"); err == nil {
		uid, errUID := strconv.Atoi(u.Uid)
		gid, errGID := strconv.Atoi(u.Gid)
		if errUID == nil && errGID == nil {
			ids = identity{uid, gid}
		}
	}
	uids, errUID := os.ReadFile("/proc/self/uid_map")
	gids, errGID := os.ReadFile("/proc/self/gid_map")
	if errUID != nil || errGID != nil || !mapped(string(uids), ids.uid) || !mapped(string(gids), ids.gid) {
		return identity{}
	}
	return ids
}
