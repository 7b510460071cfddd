package mgmtlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRecent: a reader gets the newest lines after a mark, bounded, in order and without secrets.
func TestRecent(t *testing.T) {
	var r Recent
	r.Add("before")
	mark := r.Seen()
	assert.Empty(t, r.Since(mark))
	r.Add("GET /client/api?command=listVPCs&apiKey=CANARY&signature=CANARY")
	for _, line := range []string{"-----BEGIN PRIVATE KEY-----", "CANARY", "-----END PRIVATE KEY-----", "failed"} {
		r.Add(line)
	}
	r.Add(`{"sslCert":{"cert":"c","key":"CANARY","password":"a\"CANARY"}}`)
	assert.Equal(t, []string{"GET /client/api?command=listVPCs&apiKey=redacted&signature=redacted", "redacted",
		"failed",
		`{"sslCert":{"cert":"c","key":"(left out)","password":redacted}}`}, r.Since(mark))
	r.Add(strings.Repeat("x", 1<<20))
	shown := r.Since(mark)
	assert.Less(t, len(shown[len(shown)-1]), longestLog+10, "a long line is cut")
	for i := range 3 * mostLines {
		r.Add(fmt.Sprintf("line %d of many that a busy server writes while a story is told", i))
	}
	shown = r.Since(mark)
	assert.LessOrEqual(t, len(strings.Join(shown, "\n")), mostShown)
	assert.Greater(t, len(shown), 500)
	assert.Contains(t, shown[len(shown)-1], fmt.Sprintf("line %d ", 3*mostLines-1), "the newest is the last")
	require.LessOrEqual(t, len(r.lines), 2*mostLines)
	assert.Len(t, r.Since(r.Seen()-2), 2)
}
