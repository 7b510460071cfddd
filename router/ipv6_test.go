//go:build linux

package router

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSourceTableTakesNoIPv6: a source policy's table is one of IPv4 addresses. On a front address of version 6, which
// no release gives a rule, clients are neither entered nor kept; the same policy keeps clients of version 4.
func TestSourceTableTakesNoIPv6(t *testing.T) {
	h := newTestHost(t)
	backends(t, h)
	front := netip.MustParseAddr("fd17::5")
	if err := h.EnsureAddress(t.Context(), front); err != nil {
		t.Skipf("no IPv6 in this kernel: %v", err)
	}
	p := sticky(t, 0, 1)
	p.LoadBalancers[1].SrcIP = front.String()
	r := newTestRouter(t, h, Options{})
	require.Equal(t, ActionStart, apply(t, r, p).Action)
	assert.Zero(t, h.moved(t, ruleA, 12))

	six := netip.AddrPortFrom(front, uint16(p.LoadBalancers[1].SrcPort)).String()
	homes, moved := map[int]string{}, 0
	for round := range 2 {
		for i := range 11 { // odd, so that two backends in turn move each client
			answer, err := h.dial(fmt.Sprintf("fd17::9:%d", i+1), six)
			require.NoError(t, err)
			require.NotEmpty(t, answer)
			if round == 0 {
				homes[i] = answer
			} else if homes[i] != answer {
				moved++
			}
		}
	}
	assert.Equal(t, 11, moved)
	four, err := r.ShowTable(t.Context(), nameA)
	require.NoError(t, err)
	assert.EqualValues(t, 13, four.Used)
	table, err := r.ShowTable(t.Context(), p.LoadBalancers[1].Name())
	require.NoError(t, err)
	assert.Zero(t, table.Used)
}
