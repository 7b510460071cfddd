package existing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/mgmtlog"
)

// TestLostLinesEndTheComparison: a push that was cut away with the log may be the newest of any router.
func TestLostLinesEndTheComparison(t *testing.T) {
	f, err := mgmtlog.NewFiles(nil)
	require.NoError(t, err)
	w := &watcher{source: f, inbox: mgmtlog.NewInbox()}
	agree, _, err := w.compare(t.Context())
	require.NoError(t, err)
	assert.True(t, agree)
	f.Lost = 1
	_, _, err = w.compare(t.Context())
	require.ErrorContains(t, err, "lost 1 pushes")
}
