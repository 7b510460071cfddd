package scripts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// base is where the new root is put together. Every system has it, and what it hides is reached through descriptors
// opened before, so no directory is made on the host.
const base = "/tmp"

// denied tells the kernel's refusals from other errors.
func denied(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC) ||
		errors.Is(err, unix.EUSERS) || errors.Is(err, unix.ENOSYS)
}

// source is a file or directory of the host that was opened before its path was hidden.
type source struct {
	path string
	fd   int
	dir  bool
}

func (s source) link() string { return "/proc/self/fd/" + strconv.Itoa(s.fd) }

func openSource(path string) (source, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return source{}, fmt.Errorf("open %s: %w", path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return source{}, fmt.Errorf("stat %s: %w", path, err)
	}
	return source{path: path, fd: fd, dir: st.Mode&unix.S_IFMT == unix.S_IFDIR}, nil
}

// devices are the nodes that every program may expect.
func devices() []string {
	return []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
}

// systemDirs are the host's programs and libraries: /usr, and the names beside it that are links into it on a merged
// system.
func systemDirs() []string {
	return []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives"}
}

// compose makes the root of a sandbox and enters it. The caller's mount namespace must be its own.
func compose(spec rootSpec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	sources, err := openSources(spec)
	if err != nil {
		return err
	}
	cloud, err := openSource(spec.Cloud)
	if err != nil {
		return err
	}
	self, err := openSource(spec.Self)
	if err != nil {
		return err
	}
	config, err := readOptional(spec.DefaultConfig)
	if err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", base, "tmpfs", unix.MS_NOSUID, "mode=0755,size=512m"); err != nil {
		return fmt.Errorf("mount the new root: %w", err)
	}
	if err := copyTree(base+cloudPath, os.DirFS(cloud.link()), spec.Interpreter); err != nil {
		return fmt.Errorf("copy the tree: %w", err)
	}
	if err := writeFiles(spec, config); err != nil {
		return err
	}
	for _, s := range sources {
		if err := bind(s, filepath.Join(base, s.path), true); err != nil {
			return err
		}
	}
	if err := bindSelf(self); err != nil {
		return err
	}
	if err := kernelFiles(); err != nil {
		return err
	}
	if spec.OwnNetwork {
		if err := raiseLoopback(); err != nil {
			return err
		}
	}
	return enter()
}

// openSources opens what is bound from the host and recreates the links of a merged system on the way in bind.
func openSources(spec rootSpec) ([]source, error) {
	var sources []source
	for _, path := range append(append(systemDirs(), devices()...), spec.Mounts...) {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.Mode()&fs.ModeSymlink != 0 && filepath.Dir(path) == "/" {
			sources = append(sources, source{path: path, fd: -1})
			continue
		}
		s, err := openSource(path)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
}

func readOptional(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the tree's default configuration: %w", err)
	}
	return b, nil
}

func bind(s source, to string, readOnly bool) error {
	if s.fd < 0 {
		target, err := os.Readlink(s.path)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	var err error
	if s.dir {
		err = os.MkdirAll(to, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
		err = os.WriteFile(to, nil, 0o644)
	}
	if err != nil {
		return fmt.Errorf("prepare %s: %w", s.path, err)
	}
	if err := unix.Mount(s.link(), to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", s.path, err)
	}
	// A device is written through its node, which a read-only mount does not hinder.
	if !readOnly {
		return nil
	}
	return protect(to)
}

func protect(path string) error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, path, unix.AT_RECURSIVE, &attr); err != nil {
		return fmt.Errorf("make %s read-only (needs Linux 5.12): %w", path, err)
	}
	return nil
}

// bindSelf puts this program where the scripts find it as systemctl.
func bindSelf(self source) error {
	if err := bind(self, base+selfPath, true); err != nil {
		return err
	}
	return writeSystemctl()
}

// kernelFiles mounts /proc and /sys. The switches of the whole machine are read-only in there, those of the network
// namespace are not.
func kernelFiles() error {
	if err := unix.Mount("proc", base+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	net, err := openSource(base + "/proc/sys/net")
	if err != nil {
		return err
	}
	for _, path := range []string{"/proc/sys", "/proc/sysrq-trigger"} {
		s, err := openSource(base + path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := unix.Mount(s.link(), base+path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s: %w", path, err)
		}
		if err := protect(base + path); err != nil {
			return err
		}
	}
	if err := unix.Mount(net.link(), base+"/proc/sys/net", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind /proc/sys/net: %w", err)
	}
	// A user namespace that does not own the network namespace may not mount /sys. Nothing in the balancing part reads
	// it.
	err = unix.Mount("sysfs", base+"/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_RDONLY, "")
	if err != nil && !denied(err) && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("mount /sys: %w", err)
	}
	return nil
}

// raiseLoopback prepares a network namespace of our own: HAProxy binds public addresses that exist nowhere in it.
func raiseLoopback() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set loopback up: %w", err)
	}
	for _, name := range []string{"ipv4/ip_nonlocal_bind", "ipv6/ip_nonlocal_bind"} {
		err := os.WriteFile("/proc/sys/net/"+name, []byte("1"), 0o644)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set sysctl net/%s: %w", name, err)
		}
	}
	return nil
}

// enter makes base the root and lets go of the old one, which cannot be reached from then on.
func enter() error {
	if err := os.Chdir(base); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the host's root: %w", err)
	}
	return os.Chdir("/root")
}

// mapped tells whether an id of this user namespace exists (/proc/self/uid_map, gid_map).
func mapped(file string, id int) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		var inside, outside, count int
		if n, _ := fmt.Sscan(line, &inside, &outside, &count); n == 3 && id >= inside && id-inside < count {
			return true
		}
	}
	return false
}

// kept are the capabilities that scripts and HAProxy use. What could remount, make devices, load modules or reach files
// by handle is not among them, so the read-only parts stay so for root as well.
func kept() []uintptr {
	return []uintptr{
		unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL, unix.CAP_SETGID,
		unix.CAP_SETUID,
		unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_SYS_CHROOT, unix.CAP_SYS_RESOURCE,
		// process 1 looks at the sockets of workers, which have another user; it reaches no further than the pid
		// namespace
		unix.CAP_SYS_PTRACE,
	}
}

// dropCapabilities takes the others out of the calling thread's bounding set; they are gone with the next execve.
func dropCapabilities() error {
	keep := map[uintptr]bool{}
	for _, c := range kept() {
		keep[c] = true
	}
	for c := uintptr(0); c <= 63; c++ {
		if keep[c] {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) && c > 0 {
			break // the kernel knows no higher one
		}
		if err != nil {
			return fmt.Errorf("give up capability %d: %w", c, err)
		}
	}
	return nil
}
