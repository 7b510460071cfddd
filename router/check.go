//go:build linux

package router

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/stackproof/stackproof/internal/reexec"
)

// check has HAProxy read a file of the router, by its name inside the child, as the Debian unit does before it signals
// and as the router's script does from 4.22. refused is what HAProxy says of a bad file, empty for a good one. It runs
// in the same mounts as the process, so that the names and the users of the file mean the same.
func check(ctx context.Context, binary, dir string, ids identity, path string) (refused string, err error) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	output := &tail{}
	cmd := reexec.Command(ctx, syscall.CLONE_NEWNS, childArgs(dir, ids, binary, "-c", "-f", path)...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = settle
	// The parent death signal follows the thread: keep it until the check has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() == nil && errors.As(err, &exit) && exit.Exited() && exit.ExitCode() != childFailed:
		return output.text(), nil
	default:
		return "", fmt.Errorf("checking %s with HAProxy: %w: %s", path, err, output.text())
	}
}
