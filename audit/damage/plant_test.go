package damage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseSpec(t *testing.T) {
	o, err := ParseSpec("by-helper-id:2000:7")
	require.NoError(t, err)
	require.Equal(t, ByHelperID, o.Handler)
	require.Equal(t, 2000, o.Actions)
	require.EqualValues(t, 7, o.Seed)
	for text, want := range map[string]string{"": "is no handler", "buggy": "is no handler",
		"sound:0": "between 1 and 100000", "sound:x": "between 1 and 100000",
		"sound:10:-1": "the seed must be a whole number", "sound:1:2:3": "want HANDLER:ACTIONS:SEED"} {
		_, err := ParseSpec(text)
		require.ErrorContains(t, err, want, text)
	}
}

// TestUntil: the history's last job ends before the time that is given, less than a window before it.
func TestUntil(t *testing.T) {
	now := time.Date(2026, 3, 4, 15, 47, 11, 0, time.UTC)
	h := Play(Options{Handler: Sound, Actions: 300, Seed: 4, Window: time.Hour}.Until(now))
	require.False(t, h.End().After(now))
	require.Less(t, now.Sub(h.End()), 2*time.Hour)
}
