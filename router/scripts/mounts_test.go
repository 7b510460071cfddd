package scripts

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mountTable is what this machine has mounted, but for what a container engine mounts and unmounts meanwhile for the
// tests of another package: namespaces and layers, neither of which a sandbox mounts.
func mountTable(tb testing.TB) string {
	tb.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(tb, err)
	var ours strings.Builder
	for line := range strings.Lines(string(b)) {
		if !strings.Contains(line, " - nsfs ") && !strings.Contains(line, " - overlay ") &&
			!strings.Contains(line, "/data/") {
			ours.WriteString(line)
		}
	}
	return ours.String()
}
