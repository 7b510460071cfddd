package routers

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

// TestForceFaults: each way in which a router is not at its newest push.
func TestForceFaults(t *testing.T) {
	const a, b = "listen 192_0_2_1-80\n\tbind 192.0.2.1:80\n", "listen 192_0_2_1-81\n\tbind 192.0.2.1:81\n"
	rendered := router.Rendered{Config: strings.Split(strings.TrimSuffix(a, "\n"), "\n")}
	for name, c := range map[string]struct {
		live, serving, refusal string
		pid                    int
		class                  result.Class
		want                   string
	}{
		"in force": {live: a, serving: a, pid: 1},
		"missing section": {live: b, serving: b, pid: 1, class: result.RouterStale,
			want: "192_0_2_1-80 of the newest push is not in the live"},
		"other lines": {live: strings.Replace(a, "1:80", "1:82", 1), pid: 1, class: result.RouterStale,
			want: "is not what the newest push renders to"},
		"stray section": {live: a + b, serving: a + b, pid: 1, class: result.RouterStale,
			want: "has section 192_0_2_1-81, which the newest push does not render to"},
		"refused": {live: a, serving: a, pid: 1, refusal: "no\nmore", class: result.RouterFrozen,
			want: "HAProxy refuses its file: no"},
		"does not run": {live: a, serving: a, class: result.ProcessStale, want: "does not run"},
		"another file": {live: a, serving: a + b, pid: 1, class: result.ProcessStale,
			want: "runs with another file"},
	} {
		looks := RouterLooks{looks: looks{on: &objects.Cast{}, site: &harness.Site{}}}
		class, got := looks.forceFault(router.Files{Live: []byte(c.live), Serving: []byte(c.serving), MasterPID: c.pid,
			Refusal: c.refusal}, rendered)
		assert.Equal(t, c.class, class, name)
		if c.want == "" {
			assert.Empty(t, got, name)
			continue
		}
		assert.Contains(t, got, c.want, name)
	}
}

// TestEveryLineOfAFileIsJudged: each line of a haproxy.cfg that is lost, doubled or changed is noticed.
func TestEveryLineOfAFileIsJudged(t *testing.T) {
	push := router.Push{MaxConn: "4096", StatsVisibility: "global", StatsPublicIP: "192.0.2.9", StatsPort: "8081",
		StatsURI: "/admin?stats", StatsAuth: "admin1:AdMiN123", LoadBalancers: []router.LoadBalancer{
			{SrcIP: "192.0.2.1", SrcPort: 80, Algorithm: "roundrobin", CIDRList: "198.18.0.0/15",
				Destinations: []router.Destination{{IP: "10.0.0.1", Port: 8080}, {IP: "10.0.0.2", Port: 8080}},
				Stickiness:   []router.Stickiness{{Method: "SourceBased"}}},
			{SrcIP: "192.0.2.1", SrcPort: 81, Algorithm: "source",
				Destinations: []router.Destination{{IP: "10.0.0.1", Port: 8080}},
				Stickiness:   []router.Stickiness{{Method: "LbCookie"}}},
		}}
	rules, err := router.RulesFor(release.Default)
	require.NoError(t, err)
	rendered, err := router.Render(push, rules)
	require.NoError(t, err)
	file := rendered.File()
	assert.Empty(t, FileFault(file, file, false), "the file itself")
	lines := 0
	for line := range strings.Lines(string(file)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		lines++
		for _, what := range []router.LineWrong{router.LineLost, router.LineDoubled, router.LineChanged} {
			live := router.LineFault{What: what, Line: lines}.Plant(file, 0)
			require.NotEqual(t, string(file), string(live))
			assert.NotEmpty(t, FileFault(file, live, false), "line %d, %s, is not noticed: %s", lines, what, line)
		}
	}
	assert.Greater(t, lines, 40)
}
