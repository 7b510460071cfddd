package scripts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// legacyTables is iptables as it was before nf_tables: one program under several names.
const legacyTables = "xtables-legacy-multi"

// preferLegacyTables puts that variant before the system's own on the search path of the scripts, where the kernel and
// the user namespace let it work; elsewhere the system's own stays. Rules and the form in which they are listed are the
// same. A router has the other variant (Debian's default), which waits about 11 ms in the kernel for each deleted rule,
// and the scripts delete and add all rules of all balancers on every push: more than half of the time of a push with 50
// of them.
func preferLegacyTables(r *reaper) error {
	program, err := exec.LookPath(legacyTables)
	if err != nil {
		return nil
	}
	// The first loads the table. The second is refused in a user namespace, where the names of tables cannot be read.
	for _, args := range [][]string{{"iptables", "-S"}, {"iptables-save"}} {
		if ok, err := succeeds(r, program, args); !ok || err != nil {
			return err
		}
	}
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore"} {
		if err := os.Symlink(program, filepath.Join(shimDir, name)); err != nil {
			return err
		}
	}
	return nil
}

func succeeds(r *reaper, program string, args []string) (bool, error) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = null.Close() }()
	_, status, err := r.start(program, args, &os.ProcAttr{Dir: "/", Env: environment(),
		Files: []*os.File{null, null, null}})
	if err != nil {
		return false, fmt.Errorf("start %s: %w", program, err)
	}
	s := <-status
	return s == unix.WaitStatus(0), nil
}
