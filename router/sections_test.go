package router

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func renderFile(tb testing.TB, p Push, rules Rules) []byte {
	tb.Helper()
	r, err := Render(p, rules)
	require.NoError(tb, err)
	return r.File()
}

func TestListens(t *testing.T) {
	m := Listens(renderFile(t, recordedPush(t, "mask-10-appcookie"), Rules{}))
	a, b := m["192_168_2_5-8080"], m["192_168_2_5-8082"]
	assert.Equal(t, "type ip size 200k expire 30m", a.StickTable())
	assert.Equal(t, "src", a.StickOn())
	assert.True(t, a.Sticky())
	assert.False(t, b.Sticky())
	assert.Equal(t, "roundrobin", a.Balance())
	assert.Equal(t, "192.168.2.5:8080", a.Bind())
	assert.Empty(t, a.Cookie())
	assert.Equal(t, []Server{{"192_168_2_5-8082_0", "10.0.1.11:8081", "10_0_1_11-8081"},
		{"192_168_2_5-8082_1", "10.0.1.12:8081", "10_0_1_12-8081"},
		{"192_168_2_5-8082_2", "10.0.1.13:8081", "10_0_1_13-8081"}}, b.Servers())
	assert.Contains(t, m, "stats_on_public")
	c := Listens(renderFile(t, recordedPush(t, "lbcookie-nocache"), Rules{}))["192_168_2_5-8080"]
	assert.Equal(t, "SRV insert nocache", c.Cookie())
}

func TestDiffText(t *testing.T) {
	none := renderFile(t, recordedPush(t, "mask-1-none"), Rules{})
	one := renderFile(t, recordedPush(t, "mask-2-a"), Rules{})
	assert.Empty(t, DiffText(none, none))
	assert.Equal(t, `listen 192_168_2_5-8080
    bind 192.168.2.5:8080
    balance roundrobin
    server 192_168_2_5-8080_0 10.0.1.11:8080 check
    server 192_168_2_5-8080_1 10.0.1.12:8080 check
    server 192_168_2_5-8080_2 10.0.1.13:8080 check
  + stick-table type ip size 200k expire 30m
  + stick on src
`, DiffText(one, none))
	assert.Contains(t, DiffText(none, one), "  - stick on src\n")
	empty := renderFile(t, recordedPush(t, "no-rules"), Rules{})
	assert.Equal(t, "listen 192_168_2_5-8080", DiffText(one, empty)[:23])
	assert.Contains(t, DiffText(one, empty), "listen vmops\n  - bind 0.0.0.0:9\n  - option transparent\n")
}
