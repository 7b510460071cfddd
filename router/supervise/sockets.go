//go:build linux

package supervise

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

// AwaitDeaf waits until a process listens on no TCP socket any more or has ended. The master says that it is ready when
// it has told the former worker to finish, not when that worker has heard it; until then a new connection may still
// land on the old configuration.
func AwaitDeaf(ctx context.Context, pid int) error {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for {
		n, err := Holding(pid)
		if err != nil && !errors.Is(err, os.ErrPermission) {
			return err
		}
		if err == nil && n == 0 {
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

// Holding is Listening, but for a process that is ending: it has no memory any more, its descriptors belong to the
// machine's root, and inside a user namespace reading them is refused. It may hold its sockets until it is a zombie;
// the error then says that it cannot be seen.
func Holding(pid int) (int, error) {
	n, err := Listening(pid)
	if errors.Is(err, os.ErrPermission) && Zombie(pid) {
		return 0, nil
	}
	return n, err
}

// Listening counts a process's listening TCP sockets, 0 when it has ended.
func Listening(pid int) (int, error) {
	base := filepath.Join("/proc", strconv.Itoa(pid))
	inodes := map[string]bool{}
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		data, err := os.ReadFile(filepath.Join(base, name))
		if err != nil && !Gone(err) {
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
		if Gone(err) {
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

// Gone says that a process ended while its folder in /proc was being read; a zombie's network files answer EINVAL.
func Gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL)
}

// Zombie says that nothing is left of a process but its exit status.
func Zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return Gone(err)
	}
	// The name, in parentheses, may hold anything; the state follows the last one.
	state := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	return len(state) == 0 || state[0] == "Z" || state[0] == "X"
}
