package scripts

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

const (
	callsPath = "/run/stackproof-vr.calls"
	separator = "\x1f" // between the words of a noted call
)

// systemctlScript is what the scripts call. It starts this program, which takes ten times as long as a shell, only for
// HAProxy; conntrackd and keepalived, which are stopped on every push, are noted and there is nothing to do.
const systemctlScript = `#!/bin/sh
for word; do
	case $word in haproxy | haproxy.service | *'
'*) exec ` + shimPath + ` "$@" ;; esac
done
IFS='` + separator + `'
printf '%s\n' "$*" >>` + callsPath + "\n"

// writeSystemctl puts the script and the name under which it starts this program below base.
func writeSystemctl() error {
	if err := os.WriteFile(base+filepath.Join(shimDir, "systemctl"), []byte(systemctlScript), 0o755); err != nil {
		return err
	}
	return os.Symlink(filepath.Base(selfPath), base+shimPath)
}

// takeNoted adds the calls that the script has noted since. The caller holds mu.
func (p *process1) takeNoted() {
	text, err := os.ReadFile(callsPath)
	if err != nil || len(text) == 0 {
		return
	}
	for line := range bytes.Lines(text[min(p.noted, len(text)):]) {
		p.calls = append(p.calls, Call{Args: strings.Split(strings.TrimSuffix(string(line), "\n"), separator)})
	}
	p.noted = len(text)
}
