package story

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// billed is a record of rule 21 that begins and ends so long after noon.
func billed(from, to time.Duration) usageprobe.Record {
	return usageprobe.Record{Type: usageprobe.UsageLoadBalancer, UsageID: 21, Start: noon.Add(from),
		End: noon.Add(to - time.Second), RawUsage: (to - from).Hours()}
}

func ruleOf(t *T) *Rule { return &Rule{owned: (&Account{t: t}).own(), Name: "A", InternalID: 21} }

// TestNoWindowAfterTheRepair: a repaired row that is billed all the same is what the scenario is about.
func TestNoWindowAfterTheRepair(t *testing.T) {
	for name, c := range map[string]struct {
		record usageprobe.Record
		want   result.Verdict
	}{
		"before":        {billed(-time.Minute, 0), result.Pass},
		"at the repair": {billed(0, time.Minute), result.Pass},
		"after":         {billed(time.Second, time.Minute), result.Fail},
		"of other rules": {usageprobe.Record{Type: usageprobe.UsageLoadBalancer, UsageID: 22,
			Start: noon.Add(time.Minute)}, result.Pass},
	} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.watch.last = &usageprobe.Snapshot{Records: []usageprobe.Record{c.record}}
			t.ExpectUnbilledSince(noon, ruleOf(t))
		})
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
	}
}

// TestUnmeteredIsToldOfWhatHasNoRows: a report that says NOT METERED of what is metered misleads whoever pays.
func TestUnmeteredIsToldOfWhatHasNoRows(t *testing.T) {
	for id, want := range map[int64]string{5: "present, as in every release seen", 6: "NOT present here"} {
		got := caseOf(t, harness.Site{}, func(t *T) {
			t.watch.last = &usageprobe.Snapshot{Rows: []usageprobe.HelperRow{
				{Ref: usageprobe.Ref{Kind: usageprobe.KindIP, ID: 6}, HelperID: 1},
			}}
			t.ReportUnmetered("an address", Billed{"x", usageprobe.Ref{Kind: usageprobe.KindIP, ID: id}})
		})
		assert.Equal(t, result.Pass, got.Verdict, got.Reason)
		told := got.Evidence[len(got.Evidence)-1]
		assert.Equal(t, result.TitleKnownDefect, told.Title)
		assert.Contains(t, told.Text, want)
	}
}

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
		core := &core{site: &harness.Site{}}
		class, got := core.forceFault(router.Files{Live: []byte(c.live), Serving: []byte(c.serving), MasterPID: c.pid,
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

// TestNewestWindowIsBilledInFull: a rule whose records stopped long ago looks well billed in its last one.
func TestNewestWindowIsBilledInFull(t *testing.T) {
	short := billed(0, time.Minute)
	short.RawUsage /= 2
	for name, c := range map[string]struct {
		records []usageprobe.Record
		want    string
	}{
		"in full":                 {[]usageprobe.Record{billed(-time.Minute, 0), billed(0, time.Minute)}, ""},
		"none":                    {nil, "has no usage record"},
		"ended a window ago":      {[]usageprobe.Record{billed(-time.Minute, 0)}, "its last usage record ends at"},
		"ended two seconds early": {[]usageprobe.Record{billed(0, 58*time.Second)}, "its last usage record ends at"},
		"half":                    {[]usageprobe.Record{short}, "its last window was billed with"},
	} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.watch.last = &usageprobe.Snapshot{Records: c.records, Cutoff: noon.Add(time.Minute - time.Second),
				Events: []usageprobe.UsageEvent{{Type: "LB.CREATE", ResourceID: 21, Created: noon.Add(-time.Hour)}}}
			t.ExpectFullWindow(ruleOf(t))
		})
		assert.Equal(t, c.want == "", got == result.Pass, "%s: %s", name, reason)
		assert.Contains(t, reason, c.want, name)
	}
}

// TestDeleteEventsAreDatedInTime: a row that is closed at the date of an event with a wrong date looks right.
func TestDeleteEventsAreDatedInTime(t *testing.T) {
	for name, c := range map[string]struct {
		dated time.Duration
		want  result.Verdict
	}{
		"second of the call":   {0, result.Pass},
		"during":               {2 * time.Second, result.Pass},
		"rounded up":           {5 * time.Second, result.Pass},
		"before the call":      {-time.Second, result.Fail},
		"after the job":        {7 * time.Second, result.Fail},
		"hours off, time zone": {-2 * time.Hour, result.Fail},
	} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			died := noon.Add(c.dated)
			t.watch.last = &usageprobe.Snapshot{Events: []usageprobe.UsageEvent{{Type: "LB.DELETE", ResourceID: 21,
				Created: died}},
				Rows: []usageprobe.HelperRow{{Ref: usageprobe.Ref{Kind: usageprobe.KindLB, ID: 21}, HelperID: 1,
					Closed: &died}}}
			r := ruleOf(t)
			r.deleting, r.Deleted = noon.Add(300*time.Millisecond), noon.Add(4*time.Second)
			t.ExpectClosed(r)
		})
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
		if c.want == result.Fail {
			assert.Contains(t, reason, "but its LB.DELETE event is dated", name)
		}
	}
}

// TestRefusedWithItsCode: a server that refuses for another reason, such as wrong parameters, has not refused this. A
// call whose answer is lost is made again, a few times.
func TestRefusedWithItsCode(t *testing.T) {
	const want = 431
	for name, c := range map[string]struct {
		code, lost int // 0: carried out; how many answers are lost
		want       result.Verdict
		says       string
	}{
		"refused":                {want, 0, result.Pass, ""},
		"for other causes":       {530, 0, result.Fail, "was refused with 530 (no), want 431"},
		"carried out":            {0, 0, result.Fail, "was carried out; it must be refused with 431"},
		"after two lost answers": {want, 2, result.Pass, ""},
		"carried out after one":  {0, 1, result.Fail, "was carried out; it must be refused with 431"},
		"with no answer at all":  {want, refusedTries, result.Inconclusive, "outcome unknown"},
	} {
		var calls atomic.Int64 // each connection has a goroutine of its own
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("command") == "assignToLoadBalancerRule" && calls.Add(1) <= int64(c.lost) {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Type", "application/json")
			if c.code != 0 {
				w.WriteHeader(c.code)
				fmt.Fprintf(w, `{"assigntoloadbalancerruleresponse":{"errorcode":%d,"errortext":"no"}}`, c.code)
				return
			}
			if r.FormValue("command") == "queryAsyncJobResult" {
				fmt.Fprint(w, `{"queryasyncjobresultresponse":{"jobid":"j","jobstatus":1,"jobresultcode":0,"jobresult":{"success":true}}}`)
				return
			}
			fmt.Fprint(w, `{"assigntoloadbalancerruleresponse":{"jobid":"j"}}`)
		}))
		client, err := cloud.New(cloud.Options{URL: server.URL, APIKey: "k", SecretKey: "s", Retries: -1, Eager: true})
		require.NoError(t, err)
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.ExpectRefused(want, "assignToLoadBalancerRule", &Account{t: t, Cloud: client}, cloud.Params{"id": "x"})
		})
		server.Close()
		require.NoError(t, client.Close(t.Context()))
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
		assert.Contains(t, reason, c.says, name)
	}
}
