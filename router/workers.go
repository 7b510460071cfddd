//go:build linux

package router

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/router/supervise"
)

// workers gives the process ids, as seen from here, of the master's children: one worker, and after a reload also the
// former ones that still have connections. The error is supervise.ErrExited when the master has just ended.
func (p *process) workers() ([]int, error) {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	data, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil && supervise.Gone(err) {
		return nil, supervise.ErrExited
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
