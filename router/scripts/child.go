package scripts

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stackproof/stackproof/internal/reexec"
	"github.com/stackproof/stackproof/router"
)

// MaybeChild does nothing in an ordinary process. In a process that this package, or package router, started from the
// same program it does that process's work and does not return. main and TestMain call it before anything else.
func MaybeChild() {
	router.MaybeChild()
	switch filepath.Base(reexec.Role()) {
	case nameFirst:
		runFirst()
	case nameInit:
		runInit()
	case nameShim:
		// Not os.Exit, which makes a race-detecting program sleep for a second; there is nothing to flush.
		syscall.Exit(runShim())
	}
}

// childMark stands in the environment of every process of a sandbox: it keeps a program that forgot MaybeChild from
// opening sandboxes without end, and tells whose sandbox a process belongs to.
func childMark(parent int) string { return envChild + "=" + strconv.Itoa(parent) }

// environment is the clean one of a sandbox. COLUMNS would cut the list of processes, so that the scripts do not see
// HAProxy and restart instead of reloading it.
func environment(more ...string) []string {
	return append([]string{"PATH=" + searchPath, "HOME=/root", "LANG=C.UTF-8", envChild + "=" + os.Getenv(envChild)},
		more...)
}

// runFirst is stage one: still able to mount. It ends by executing stage two, with the control socket as its only
// inheritance.
func runFirst() {
	runtime.LockOSThread() // capabilities belong to the thread that executes stage two
	control := os.NewFile(controlFD, "control")
	if control == nil || os.Getenv(envChild) == "" {
		fmt.Fprintln(os.Stderr, nameFirst+" is started by stackproof itself, not by hand")
		os.Exit(2)
	}
	err := first(control)
	_ = json.NewEncoder(control).Encode(answer{Error: err.Error(), Denied: denied(err)})
	os.Exit(1)
}

func first(control *os.File) error {
	var spec rootSpec
	if err := json.NewDecoder(control).Decode(&spec); err != nil {
		return fmt.Errorf("reading what to compose: %w", err)
	}
	if err := compose(spec); err != nil {
		return fmt.Errorf("composing the sandbox's root: %w", err)
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	if _, err := unix.FcntlInt(controlFD, unix.F_SETFD, 0); err != nil {
		return fmt.Errorf("keeping the control socket: %w", err)
	}
	return fmt.Errorf("executing stage two: %w", unix.Exec(selfPath, []string{nameInit}, environment()))
}

// runShim is systemctl: it hands its words to process 1 and leaves with the status that it is given.
func runShim() int {
	conn, err := net.Dial("unix", shimSocket)
	if err != nil {
		fmt.Fprintln(os.Stderr, "systemctl:", err)
		return 1
	}
	defer func() { _ = conn.Close() }()
	var call Call
	if err := json.NewEncoder(conn).Encode(Call{Args: os.Args[1:]}); err != nil {
		fmt.Fprintln(os.Stderr, "systemctl:", err)
		return 1
	}
	if err := json.NewDecoder(conn).Decode(&call); err != nil {
		fmt.Fprintln(os.Stderr, "systemctl:", err)
		return 1
	}
	if call.Output != "" {
		fmt.Fprintln(os.Stderr, call.Output)
	}
	return call.Exit
}
