package standing

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// python lets the Python clients of CloudStack drive a lab: cs, apache-libcloud, and Ansible's collection. ci/clients
// makes them ready and says where they are.
func python(t *testing.T, l *Lab) {
	clients := os.Getenv("STACKPROOF_CLIENTS")
	if clients == "" {
		t.Skip("STACKPROOF_CLIENTS names no folder that ci/clients made")
	}
	bin := filepath.Join(clients, "venv", "bin")
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"python", []string{"drive_cs.py"}, "cs: done"},
		{"python", []string{"drive_libcloud.py"}, "libcloud: done"},
		{"ansible-playbook", []string{"-i", "localhost,", "playbook.yml"}, "failed=0"},
	} {
		t.Run(c.args[len(c.args)-1], func(t *testing.T) {
			cmd := exec.Command(filepath.Join(bin, c.name), c.args...)
			cmd.Dir = filepath.Join("testdata", "clients")
			cmd.Env = append(
				os.Environ(),
				"CLOUDSTACK_ENDPOINT="+l.Access.API,
				"CLOUDSTACK_KEY="+l.Access.APIKey,
				"CLOUDSTACK_SECRET="+l.Access.SecretKey,
				"ANSIBLE_COLLECTIONS_PATH="+filepath.Join(clients, "collections"),
				"ANSIBLE_HOME="+t.TempDir(),
				"PYTHONDONTWRITEBYTECODE=1",
				"ANSIBLE_PYTHON_INTERPRETER="+
					filepath.Join(bin, "python"),
				"ANSIBLE_LOCALHOST_WARNING=false",
			)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			assert.Contains(t, string(out), c.says)
			t.Logf("%s took %s of CPU", c.name, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		})
	}
}
