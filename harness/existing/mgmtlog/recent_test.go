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

// TestRecentWindows: a window that begins inside a private key shows nothing of it.
func TestRecentWindows(t *testing.T) {
	var r Recent
	r.Add("2026-11-30 02:00:00,000 INFO  certificate -----BEGIN RSA PRIVATE KEY-----")
	r.Add("CANARY1")
	mark := r.Seen()
	r.Add("CANARY2")
	r.Add("2026-11-30 02:00:00,001 ERROR of another file")
	r.Add("CANARY3")
	r.Add(`-----END RSA PRIVATE KEY-----", and more`)
	r.Add("after")
	assert.Equal(t, []string{"2026-11-30 02:00:00,001 ERROR of another file", `", and more`, "after"}, r.Since(mark))
	assert.NotContains(t, strings.Join(r.lines, "\n"), "CANARY", "nor is it kept")
	// One that begins there because it is full.
	r.Add("-----BEGIN PRIVATE KEY-----")
	for range 200 {
		r.Add("CANARY" + strings.Repeat("k", 58))
	}
	r.Add("-----END PRIVATE KEY-----")
	for range mostShown/longestLog - 1 {
		r.Add(strings.Repeat("x", longestLog-1))
	}
	assert.NotContains(t, strings.Join(r.Since(0), "\n"), "CANARY")
}

// TestRecentCutKeys: a secret that the cut of a long line, or of the log, leaves without a closing quote is not shown,
// and what comes after it is.
func TestRecentCutKeys(t *testing.T) {
	const failed = "2026-11-30 02:00:01,000 ERROR failed"
	long := strings.Repeat("CANARY", longestLog)
	for name, line := range map[string]string{
		"a key over the cut":        `{"sslCert":{"cert":"c","key":"` + long + `"}}`,
		"a key in PEM over the cut": `{"sslCert":{"key":"-----BEGIN PRIVATE KEY-----\n` + long + `"}}`,
		"a password over the cut":   `{"vm":"v","password":"` + long + `"}`,
		"an escaped password":       `"{\"vm\":\"v\",\"password\":\"` + long + `\"}"`,
		"a key without an end":      `{"sslCert":{"cert":"c","key":"CANARY`,
		"one in PEM":                `{"sslCert":{"cert":"c","key":"-----BEGIN PRIVATE KEY-----\nCANARY`,
		"one of a dump":             "key: -----BEGIN PRIVATE KEY-----\\nCANARY",
		"a password without an end": `{"vm":"v","password":"CANARY\`,
		"a container's line":        `{"log":"{\"sslCert\":{\"key\":\"` + long + `\"}}\n","stream":"stdout"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var r Recent
			for _, line := range []string{line, failed, "\tat com.cloud.Api", `{"name":"quoted"}`, failed} {
				r.Add(line)
			}
			shown := r.Since(0)
			assert.NotContains(t, strings.Join(append(shown, r.lines...), "\n"), "CANARY")
			require.GreaterOrEqual(t, len(shown), 4)
			assert.Equal(t, []string{failed, "\tat com.cloud.Api"}, shown[1:3])
			assert.Equal(t, failed, shown[len(shown)-1])
		})
	}
}

// TestRecentKeyWithoutEnd: lines without a date come back after as many as a private key may have.
func TestRecentKeyWithoutEnd(t *testing.T) {
	var r Recent
	r.Add("-----BEGIN PRIVATE KEY-----")
	for range longestKey {
		r.Add("CANARY")
	}
	r.Add("after")
	assert.Equal(t, []string{"redacted", "after"}, r.Since(0))
}
