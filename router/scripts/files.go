package scripts

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// haproxyID is the user and group haproxy in the sandbox; 0 where the user namespace has one id only.
const haproxyID = 106

// writeFiles makes what the scripts expect around the tree. An absent /etc/ipsec.d ends them before the balancing step,
// an absent /etc/iptables after it.
func writeFiles(spec rootSpec, config []byte) error {
	for _, dir := range []string{
		"/etc/haproxy", "/etc/ipsec.d", "/etc/iptables", "/etc/cloudstack", "/run/haproxy", "/run/lock",
		"/var/lib/haproxy",
		"/var/log", "/var/lock", cachePath, cachePath + "/processed", "/root", "/tmp", "/var/tmp", "/proc", "/sys",
		"/dev/shm", shimDir,
	} {
		if err := os.MkdirAll(base+dir, 0o755); err != nil {
			return err
		}
	}
	uid, gid := 0, 0
	if mapped("/proc/self/uid_map", haproxyID) {
		uid = haproxyID
	}
	if mapped("/proc/self/gid_map", haproxyID) {
		gid = haproxyID
	}
	files := map[string]string{
		"/etc/passwd": fmt.Sprintf(
			"root:x:0:0:root:/root:/bin/bash\nhaproxy:x:%d:%d::/var/lib/haproxy:/usr/sbin/nologin\n", uid, gid) +
			"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
		"/etc/group":                   fmt.Sprintf("root:x:0:\nhaproxy:x:%d:\nnogroup:x:65534:\n", gid),
		"/etc/nsswitch.conf":           "passwd: files\ngroup: files\nhosts: files\n",
		"/etc/hosts":                   "127.0.0.1 localhost\n",
		"/etc/hostname":                "localhost\n",
		"/etc/resolv.conf":             "",
		"/etc/cloudstack/cmdline.json": string(spec.Cmdline),
		logPath:                        "",
	}
	if config != nil {
		files[livePath] = string(config)
	}
	if cache, err := os.ReadFile("/etc/ld.so.cache"); err == nil {
		files["/etc/ld.so.cache"] = string(cache)
	}
	for name, text := range files {
		if err := os.WriteFile(base+name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"/var/run": "/run", "/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0",
		"/dev/stdout": "/proc/self/fd/1",
		"/dev/stderr": "/proc/self/fd/2", "/etc/mtab": "/proc/self/mounts",
	} {
		if err := os.Symlink(target, filepath.Join(base, name)); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/tmp", "/var/tmp", "/dev/shm"} {
		if err := os.Chmod(base+dir, 0o1777); err != nil { //nolint:gosec // as /tmp is
			return err
		}
	}
	return nil
}

// cmdline is the data bag that a router gets at boot.
func cmdline(kind, name string) []byte {
	b, err := json.Marshal(map[string]any{
		"id": "cmdline",
		"config": map[string]string{
			"type": kind, "name": name, "vpccidr": "10.0.0.0/8", "redundant_router": "false", "domain": "cs.internal",
		},
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return b
}
