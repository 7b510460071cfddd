package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/stackproof/stackproof/router"
)

// cover hides a program from the run and from what it started, and from nobody else: something that cannot be run lies
// over it in each of their views of the file system. The run must have its own.
func (c *child) cover(ctx context.Context, program string) error {
	path, err := router.FindHAProxy(program)
	if err != nil {
		return err
	}
	nothing := filepath.Join(c.dir, "nothing")
	if err := os.WriteFile(nothing, nil, 0o600); err != nil {
		return fmt.Errorf("hiding %s: %w", program, err)
	}
	of := func(pid int) string {
		name, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid)) // empty: it has ended
		return name
	}
	done := map[string]bool{"": true, of(os.Getpid()): true}
	pids := []int{c.cmd.Process.Pid}
	for _, p := range descendants(pids[0]) {
		pids = append(pids, p.pid)
	}
	for i, pid := range pids {
		view := of(pid)
		if done[view] {
			continue
		}
		done[view] = true
		said, err := exec.CommandContext(ctx, "nsenter", fmt.Sprintf("--mount=/proc/%d/ns/mnt", pid), "mount", "--bind",
			nothing, path).CombinedOutput()
		if _, _, alive := look(pid); err != nil && i == 0 && alive {
			return fmt.Errorf("hiding %s: %w: %s", program, err, said)
		}
		// What it started may end meanwhile, or see neither folder.
	}
	return nil
}
