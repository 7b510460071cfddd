package usageprobe

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLastIDOutlivesItsRow: rules are really deleted, and the next one's id goes on after the last that was given out.
func TestLastIDOutlivesItsRow(t *testing.T) {
	s := newSite(t)
	last := func() int64 {
		t.Helper()
		id, err := LastID(t.Context(), s.probe.db, "cloud", "firewall_rules")
		require.NoError(t, err)
		return id
	}
	require.Zero(t, last())
	for _, uuid := range []string{"a", "b", "c"} {
		s.insert("cloud.firewall_rules", map[string]any{"uuid": uuid})
	}
	require.EqualValues(t, 3, last())
	s.exec("DELETE FROM cloud.firewall_rules")
	require.EqualValues(t, 3, last(), "by an account with SELECT only")
	s.insert("cloud.firewall_rules", map[string]any{"uuid": "d"})
	require.EqualValues(t, 4, last())
	_, err := LastID(t.Context(), s.probe.db, "cloud", "no_such_table")
	require.ErrorContains(t, err, "no_such_table")
}
