package scripts

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

func firewallTree(tb testing.TB) Options {
	tb.Helper()
	if _, err := exec.LookPath("iptables"); err != nil {
		tb.Skip("iptables is not installed (apt-get install iptables)")
	}
	return treeOf(tb, scriptstest.Firewall)
}

// inside runs a command in the sandbox and gives what it said on standard output.
func inside(tb testing.TB, v *VR, command string) string {
	tb.Helper()
	a, err := v.ask(tb.Context(), request{Op: "run", File: "/tmp/none", Limit: 10 * time.Second,
		Args: []string{"/bin/sh", "-c", command}})
	require.NoError(tb, err)
	require.Zero(tb, a.Exit, a.Stderr)
	return a.Stdout
}

// The kernel of the sandbox's network namespace has the rules that the scripts set, and the host's has none of them.
func TestFirewallIsTheSandboxesOwn(t *testing.T) {
	t.Parallel()
	v := open(t, firewallTree(t))
	for _, rules := range [][]rule{{plain(8080)}, {plain(8080), plain(8082)}, {plain(8082)}} {
		r := apply(t, v, pushOf(t, rules...), Direct)
		require.Zero(t, r.Exit, r.Stderr)
	}
	const want = "-A INPUT -d 192.168.2.5/32 -p tcp -m tcp --dport 8082 -m state --state NEW -j ACCEPT\n"
	assert.Equal(t, want, inside(t, v, "iptables-save | grep ^-A"))
	assert.Equal(t, want, inside(t, v, "grep ^-A /etc/iptables/rules.v4"))
	ours, err := exec.Command("iptables-save").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(ours), "192.168.2.5")
}

// The variant on the system's own path may wait for each deleted rule; it stays where the other one does not work.
func TestScriptsGetTheFasterVariantOfIptables(t *testing.T) {
	v := open(t, firewallTree(t))
	works := inside(t, v, "if "+legacyTables+" iptables -S && "+legacyTables+" iptables-save; then echo works; fi 2>&1")
	found := inside(t, v, "command -v iptables")
	if !strings.Contains(works, "works") {
		assert.NotContains(t, found, shimDir, works)
		return
	}
	assert.Equal(t, shimDir+"/iptables\n", found)
	assert.Contains(t, inside(t, v, "iptables --version"), "(legacy)")
}

// BenchmarkApplyFifty is a push with fifty rules, of which every other one changes; the scripts set the firewall as
// real ones do, in a hundred commands.
func BenchmarkApplyFifty(b *testing.B) {
	v := open(b, firewallTree(b))
	var pushes []router.Push
	for odd := range 2 {
		var rules []rule
		for i := range 50 {
			r := plain(8000 + i)
			if i%2 == odd {
				r = sticky(8000 + i)
			}
			rules = append(rules, r)
		}
		pushes = append(pushes, pushOf(b, rules...))
	}
	apply(b, v, pushes[1], Direct)
	i := 0
	for b.Loop() {
		r := apply(b, v, pushes[i%2], Direct)
		require.Equal(b, router.ActionReload, r.Action)
		require.Equal(b, 50, strings.Count(inside(b, v, "iptables-save | grep ACCEPT$"), "\n"))
		i++
	}
}
