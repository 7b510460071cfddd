package scripts

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stackproof/stackproof/internal/reexec"
	"github.com/stackproof/stackproof/router"
)

// Options say whose scripts run where. Only Tree must be set.
type Options struct {
	Tree        string // see the package comment for what is accepted
	Interpreter string // python; of several, separated as in PATH, the first that can run the tree; empty: found
	PythonPath  string // a directory with netaddr in it, for an interpreter that does not find it itself
	HAProxy     string // empty: from PATH

	// Host is the network namespace to run in, such as a *network.Namespace; it must keep a SysProcAttr that it finds.
	// Nil makes an empty one whose loopback is up and in which every address can be bound. With a Host the program must
	// be root, or have been put into a user namespace by network.Enter.
	Host router.Host
	// Isolated makes a router of an isolated network; the default is a VPC's.
	Isolated bool
	Name     string        // of the router, such as r-6-VM, for its data bag; default r-1-VM
	Limit    time.Duration // for one run of the scripts, default 30 s

	found *found // of Prepare
}

const (
	defaultLimit = 30 * time.Second
	tailOfChild  = 4 << 10
)

// VR is one router: a sandbox with the tree's scripts and a HAProxy in it. Its methods may be called from any
// goroutine; pushes are applied one after another.
type VR struct {
	options Options
	found

	cmd    *exec.Cmd
	stderr *boundedBuffer
	gone   chan struct{} // closed when process 1 and all others have ended
	conn   net.Conn
	root   *os.Root

	mu    sync.Mutex
	enc   *json.Encoder
	dec   *json.Decoder
	state serving
}

// Open starts a sandbox and HAProxy in it with the tree's own default file, when there is one. What the machine or the
// tree lacks is an *Unsupported. Nothing is written outside the sandbox. Close must be called unless there is an error.
func Open(ctx context.Context, o Options) (*VR, error) {
	o, err := Prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	o.Name = cmp.Or(o.Name, "r-1-VM")
	v := &VR{options: o, found: *o.found, gone: make(chan struct{}), stderr: &boundedBuffer{}}
	spec, err := v.composition()
	if err != nil {
		return nil, err
	}
	if err := v.start(spec); err != nil {
		return nil, err
	}
	if err := v.boot(ctx, spec); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// found is what the preflight of a tree gives: what runs, and on what.
type found struct {
	tree        tree
	interpreter interpreter
	haproxy     string // path
	version     string // of HAProxy
}

// Prepare does the preflight of a tree once for many routers: it looks for the tree, an interpreter and HAProxy.
// Options that come from it open faster; of them only Host, Isolated, Name and Limit may be changed. What the machine
// or the tree lacks is an *Unsupported.
func Prepare(ctx context.Context, o Options) (Options, error) {
	if o.found != nil {
		return o, nil
	}
	if os.Getenv(envChild) != "" {
		return o, errors.New("opening a sandbox: this process is a sandbox's own: main or TestMain must call " +
			"scripts.MaybeChild first")
	}
	var f found
	var err error
	if f.tree, err = findTree(o.Tree); err != nil {
		return o, err
	}
	if _, err := exec.LookPath("ps"); err != nil {
		return o, unsupported("install it (apt-get install procps)",
			"ps was not found, by which the scripts look for HAProxy")
	}
	if f.haproxy, f.version, err = findHAProxy(ctx, o.HAProxy); err != nil {
		return o, err
	}
	if f.interpreter, err = findInterpreter(ctx, f.tree, o.Interpreter, o.PythonPath); err != nil {
		return o, err
	}
	o.found = &f
	return o, nil
}

// composition says what the sandbox's root is made of.
func (v *VR) composition() (rootSpec, error) {
	kind := "vpcrouter"
	if v.options.Isolated {
		kind = "router"
	}
	self, err := os.Executable()
	if err != nil {
		return rootSpec{}, fmt.Errorf("opening a sandbox: finding this program: %w", err)
	}
	more := []string{v.interpreter.pythonPath}
	if dir := filepath.Dir(v.haproxy); dir != "/sbin" {
		more = append(more, dir)
	}
	return rootSpec{
		Cloud: v.tree.cloud, DefaultConfig: v.tree.defaultConfig, Mounts: v.interpreter.mounts(more...), Self: self,
		Interpreter: v.interpreter.Executable, Cmdline: cmdline(kind, v.options.Name),
		OwnNetwork: v.options.Host == nil,
	}, nil
}

// start starts process 1. The kernel kills it, and with it the whole pid namespace, when this program dies in whatever
// way.
func (v *VR) start(spec rootSpec) error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening a sandbox: %w", err)
	}
	outside, inside := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	defer func() { _ = inside.Close() }()
	v.conn, err = net.FileConn(outside)
	err = errors.Join(err, outside.Close())
	if err != nil {
		return fmt.Errorf("opening a sandbox: %w", err)
	}
	v.enc, v.dec = json.NewEncoder(v.conn), json.NewDecoder(v.conn)
	v.cmd = reexec.Command(context.Background(), 0, nameFirst)
	v.cmd.Env = []string{childMark(os.Getpid())}
	v.cmd.Dir = "/"
	v.cmd.Stderr = v.stderr
	v.cmd.ExtraFiles = []*os.File{inside}
	isolate(v.cmd.SysProcAttr, spec.OwnNetwork)
	if err := v.launch(); err != nil {
		close(v.gone)
		err = errors.Join(err, v.conn.Close())
		if denied(err) {
			return namespacesDenied(err)
		}
		return fmt.Errorf("opening a sandbox: %w", err)
	}
	return nil
}

// isolate gives the sandbox its namespaces.
func isolate(attr *syscall.SysProcAttr, ownNetwork bool) {
	attr.Cloneflags = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	attr.Setsid = true
	if ownNetwork {
		attr.Cloneflags |= unix.CLONE_NEWNET
	}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
}

// launch starts the command on a thread that stays until the command has ended: the kernel's "die with your parent"
// goes by the thread that forked.
func (v *VR) launch() error {
	if v.options.Host != nil {
		if err := v.options.Host.Start(v.cmd); err != nil {
			return err
		}
		go func() { _ = v.cmd.Wait(); close(v.gone) }()
		return nil
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := v.cmd.Start()
		started <- err
		if err == nil {
			_ = v.cmd.Wait() // it is killed; how it ended says nothing
			close(v.gone)
		}
	}()
	return <-started
}

func namespacesDenied(err error) *Unsupported {
	return unsupported("run with sudo, or allow user namespaces (sysctl user.max_user_namespaces, "+
		"kernel.unprivileged_userns_clone, "+
		"kernel.apparmor_restrict_unprivileged_userns); in a container: with CAP_SYS_ADMIN and an unmasked /proc",
		"the kernel allows no namespaces: %v", err)
}

// boot waits for stage two, names the programs and starts HAProxy as a router's boot does.
func (v *VR) boot(ctx context.Context, spec rootSpec) error {
	v.mu.Lock()
	first, err := v.exchange(ctx, spec)
	v.mu.Unlock()
	if err != nil {
		return fmt.Errorf("opening a sandbox: %w", err)
	}
	if first.Denied {
		return namespacesDenied(errors.New(first.Error))
	}
	if first.Error != "" {
		return fmt.Errorf("opening a sandbox: %s", first.Error)
	}
	if v.root, err = os.OpenRoot(v.path("/")); err != nil {
		return fmt.Errorf("opening a sandbox: its root from outside: %w", err)
	}
	if _, err := v.ask(ctx, request{Op: "haproxy", Program: v.haproxy}); err != nil {
		return err
	}
	if spec.DefaultConfig == "" {
		return nil // the first push starts it
	}
	call, err := v.Systemctl(ctx, "start", "haproxy")
	if err != nil {
		return err
	}
	if call.Exit != 0 || call.Note != "" {
		return fmt.Errorf("opening a sandbox: HAProxy %s does not start with the tree's %s: %s", v.version,
			spec.DefaultConfig, strings.TrimSpace(call.Output+" "+call.Note))
	}
	return nil
}

// exchange sends one message and reads one answer. The sandbox is killed when the context ends first: nobody could tell
// what state it is in. The caller holds mu.
func (v *VR) exchange(ctx context.Context, message any) (answer, error) {
	stop := context.AfterFunc(ctx, v.kill)
	defer stop()
	var a answer
	err := v.enc.Encode(message)
	if err == nil {
		err = v.dec.Decode(&a)
	}
	if ctx.Err() != nil {
		return answer{}, fmt.Errorf("%w; the sandbox was ended", context.Cause(ctx))
	}
	if err != nil {
		v.kill()
		<-v.gone
		return answer{}, fmt.Errorf("the sandbox's first process has ended: %w %s", err,
			strings.TrimSpace(v.stderr.String()))
	}
	return a, nil
}

func (v *VR) ask(ctx context.Context, r request) (answer, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a, err := v.exchange(ctx, r)
	if err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

func (v *VR) kill() { _ = v.cmd.Process.Kill() }

// Close ends everything in the sandbox and waits until it is gone. It may be called again.
func (v *VR) Close() error {
	v.kill()
	<-v.gone
	err := v.conn.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if v.root != nil {
		err = errors.Join(err, v.root.Close())
	}
	return err
}

// Done is closed when the sandbox has ended, for whatever reason.
func (v *VR) Done() <-chan struct{} { return v.gone }

// Systemctl does what the same words would do on the router, without being counted among the scripts' calls.
// `stop haproxy` makes a dead HAProxy.
func (v *VR) Systemctl(ctx context.Context, args ...string) (Call, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a, err := v.exchange(ctx, request{Op: "systemctl", Args: args})
	if err != nil {
		return Call{}, fmt.Errorf("systemctl %s: %w", strings.Join(args, " "), err)
	}
	live, err := v.read(livePath)
	if err != nil {
		return Call{}, fmt.Errorf("systemctl %s: %w", strings.Join(args, " "), err)
	}
	v.state.note(a.Calls, a.Before, a.After, live.content)
	return a.Calls[0], nil
}

// HAProxyVersion is what the program says of itself, such as 2.6.12-1+deb12u2.
func (v *VR) HAProxyVersion() string { return v.version }

// Python is the interpreter's path and version.
func (v *VR) Python() string { return v.interpreter.Executable + " " + v.interpreter.Version }

// path is where this program finds a file of the sandbox.
func (v *VR) path(name string) string {
	return fmt.Sprintf("/proc/%d/root%s", v.cmd.Process.Pid, name)
}

// boundedBuffer keeps the last bytes written to it.
type boundedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Write(p)
	if over := b.b.Len() - tailOfChild; over > 0 {
		b.b.Next(over)
	}
	return len(p), nil
}

func (b *boundedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
