package scripts

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

// refusedByHAProxy is a rule with a policy that no HAProxy of today takes.
func refusedByHAProxy() rule {
	return rule{port: 8080, method: "AppCookie", params: [][2]string{{"cookie-name", "c"}}}
}

// forwarding forwards a port of an address that balances nothing.
func forwarding(port string) ForwardingRule {
	return ForwardingRule{Protocol: "tcp", SourceIP: "192.168.2.6", SourcePorts: port + ":" + port,
		DestinationIP: "10.0.1.11", DestinationPorts: port + ":" + port}
}

func deliver(tb testing.TB, v *VR, rules ...ForwardingRule) Delivery {
	tb.Helper()
	d, err := v.Deliver(tb.Context(), Forwarding(rules...))
	require.NoError(tb, err)
	return d
}

// forwarded are the ports that the sandbox's firewall forwards.
func forwarded(d Delivery) []string {
	var ports []string
	for _, line := range d.After {
		if _, rest, is := strings.Cut(line, "-j DNAT --to-destination 10.0.1.11:"); is {
			ports = append(ports, rest)
		}
	}
	return ports
}

func treeWithFirewall(tb testing.TB, variant string) Options {
	tb.Helper()
	if _, err := exec.LookPath("iptables"); err != nil {
		tb.Skip("iptables is not installed (apt-get install iptables)")
	}
	return treeOf(tb, variant)
}

// Scripts of 4.22 end at a balancing configuration that they refused before, whatever they are run for.
func TestRefusedConfigurationBlocksForwarding(t *testing.T) {
	t.Parallel()
	v := open(t, treeWithFirewall(t, scriptstest.Check))
	require.Equal(t, router.ActionReload, apply(t, v, pushOf(t, plain(8080)), Direct).Action)
	first := deliver(t, v, forwarding("2201"))
	require.Zero(t, first.Exit, first.Stderr)
	assert.True(t, first.Changed())
	assert.Equal(t, []string{"2201"}, forwarded(first))
	assert.Regexp(t, `^forwarding_rules\.json\.[0-9a-f-]{36}$`, first.Item)

	require.Equal(t, router.ActionRejected, apply(t, v, pushOf(t, refusedByHAProxy()), Direct).Action)
	second := deliver(t, v, forwarding("2202"))
	said, refused := second.Refused()
	assert.True(t, refused, second.Stderr)
	assert.Contains(t, said, "appsession")
	assert.Equal(t, 1, second.Exit)
	assert.False(t, second.Crashed())
	assert.False(t, second.Changed())
	assert.Equal(t, []string{"2201"}, forwarded(second))

	require.Equal(t, router.ActionReload, apply(t, v, pushOf(t, sticky(8080)), Direct).Action)
	third := deliver(t, v, forwarding("2203"))
	assert.Zero(t, third.Exit, third.Stderr)
	assert.True(t, third.Changed())
	assert.Contains(t, forwarded(third), "2203")
	gone := forwarding("2203")
	gone.Revoke = true
	assert.NotContains(t, forwarded(deliver(t, v, gone)), "2203")
}

// The control: up to 4.21 nobody looks at the file, and nothing is blocked.
func TestRefusedConfigurationBlocksNothingBefore(t *testing.T) {
	t.Parallel()
	v := open(t, treeWithFirewall(t, scriptstest.List))
	apply(t, v, pushOf(t, plain(8080)), Direct)
	require.Equal(t, router.ActionReloadRefused, apply(t, v, pushOf(t, refusedByHAProxy()), Direct).Action)
	d := deliver(t, v, forwarding("2201"))
	_, refused := d.Refused()
	assert.False(t, refused)
	assert.Zero(t, d.Exit, d.Stderr)
	assert.Equal(t, []string{"2201"}, forwarded(d))
}

// Scripts that take an item and do nothing with it are told from those that act on it by the firewall alone.
func TestForwardingThatIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	v := open(t, treeWithFirewall(t, scriptstest.Deaf))
	apply(t, v, pushOf(t, plain(8080)), Direct)
	d := deliver(t, v, forwarding("2201"))
	assert.Zero(t, d.Exit, d.Stderr)
	assert.False(t, d.Changed())
	assert.Empty(t, forwarded(d))
}

func TestDeliveryToScriptsThatCrash(t *testing.T) {
	t.Parallel()
	v := open(t, treeOf(t, scriptstest.Crash))
	apply(t, v, pushOf(t, plain(8080)), Direct)
	d := deliver(t, v, forwarding("2201"))
	_, refused := d.Refused()
	assert.False(t, refused)
	assert.True(t, d.Crashed(), d.Stderr)
	assert.Contains(t, d.Stderr, "planted crash")
}
