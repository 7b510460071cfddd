//go:build linux

package router

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMissingWorkerIsNoRefusal: a list of workers that lacks the new one is no word of HAProxy's; without an alert
// nothing was refused, however long the list stays as it is.
func TestMissingWorkerIsNoRefusal(t *testing.T) {
	r := newTestRouter(t, newTestHost(t), Options{})
	apply(t, r, sticky(t))
	apply(t, r, sticky(t, 0))
	now, err := r.proc.workers()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), freshFor+200*time.Millisecond)
	defer cancel()
	_, err = r.proc.awaitFresh(ctx, now)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "gave no alert")
	fresh, err := r.proc.awaitFresh(ctx, nil)
	require.NoError(t, err)
	require.True(t, fresh)
	_, err = r.proc.output.Write([]byte("[ALERT]    (1) : config : Fatal errors found in configuration.\n"))
	require.NoError(t, err)
	fresh, err = r.proc.awaitFresh(t.Context(), now)
	require.NoError(t, err)
	require.False(t, fresh)
}
