//go:build linux

package router

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// workers gives the process ids, as seen from here, of the master's children: one worker, and after a reload also the
// former ones that still have connections. The error is errExited when the master has just ended.
func (p *process) workers() ([]int, error) {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	data, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil && gone(err) {
		return nil, errExited
	}
	if err != nil {
		return nil, fmt.Errorf("listing HAProxy's workers: %w", err)
	}
	var pids []int
	for word := range strings.FieldsSeq(string(data)) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("listing HAProxy's workers: %w", err)
		}
		pids = append(pids, n)
	}
	return pids, nil
}

// waitDeaf waits until a process listens on no TCP socket any more or has ended. The master says that it is ready when
// it has told the former worker to finish, not when that worker has heard it; until then a new connection may still
// land on the old configuration.
func waitDeaf(ctx context.Context, pid int) error {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for {
		n, err := listening(pid)
		switch {
		case errors.Is(err, os.ErrPermission):
			// A process that is ending has no memory any more: its descriptors then belong to the machine's root, and
			// inside a user namespace reading them is refused. It may still hold its sockets until it is a zombie.
			if zombie(pid) {
				return nil
			}
		case err != nil:
			return err
		case n == 0:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the former worker %d, which still has %d listening sockets: %w", pid, n,
				errors.Join(ctx.Err(), err))
		}
	}
}

// listening counts a process's listening TCP sockets, 0 when it has ended.
func listening(pid int) (int, error) {
	base := filepath.Join("/proc", strconv.Itoa(pid))
	inodes := map[string]bool{}
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		data, err := os.ReadFile(filepath.Join(base, name))
		if err != nil && !gone(err) {
			return 0, fmt.Errorf("reading the sockets of a worker: %w", err)
		}
		for line := range strings.Lines(string(data)) {
			if words := strings.Fields(line); len(words) > 9 && words[3] == "0A" {
				inodes["socket:["+words[9]+"]"] = true
			}
		}
	}
	fds, err := os.ReadDir(filepath.Join(base, "fd"))
	if err != nil {
		if gone(err) {
			return 0, nil
		}
		return 0, fmt.Errorf("reading the descriptors of a worker: %w", err)
	}
	n := 0
	for _, fd := range fds {
		link, err := os.Readlink(filepath.Join(base, "fd", fd.Name()))
		if err == nil && inodes[link] {
			n++
		}
	}
	return n, nil
}

// gone says that a process ended while its folder in /proc was being read; a zombie's network files answer EINVAL.
func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL)
}

// zombie says that nothing is left of a process but its exit status.
func zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return gone(err)
	}
	// The name, in parentheses, may hold anything; the state follows the last one.
	state := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	return len(state) == 0 || state[0] == "Z" || state[0] == "X"
}
