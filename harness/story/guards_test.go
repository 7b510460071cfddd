package story

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/probes/dataplane"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/router"
)

// caseOf tells a story on a site without a zone and gives what a run says of it.
func caseOf(t *testing.T, site harness.Site, story func(*T)) result.Case {
	t.Helper()
	run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{Template: site},
		harness.Plan{Scenarios: harness.Catalogue{{ID: "X-01", Run: Of(story)}}, Workers: 1,
			Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	return run.Results[0]
}

// verdictOf is the verdict and reason of caseOf.
func verdictOf(t *testing.T, site harness.Site, story func(*T)) (result.Verdict, string) {
	t.Helper()
	c := caseOf(t, site, story)
	return c.Verdict, c.Reason
}

// helperRows are the LB helper rows of a snapshot: helper id to rule id.
func helperRows(ids map[int64]int64) *usageprobe.Snapshot {
	s := &usageprobe.Snapshot{}
	for helper, rule := range ids {
		s.Rows = append(s.Rows, usageprobe.HelperRow{Ref: usageprobe.Ref{Kind: usageprobe.KindLB, ID: rule},
			HelperID: helper})
	}
	return s
}

// TestIDsMustBeApart (T1): where a rule's id is a helper id, a wrong lookup may find the right row. Where others' rules
// come between, only its own row's id matters: a wrong lookup that finds another row shows.
func TestIDsMustBeApart(t *testing.T) {
	for name, c := range map[string]struct {
		rows         map[int64]int64
		want, shared result.Verdict
	}{
		"apart":                  {map[int64]int64{1: 21, 2: 22}, result.Pass, result.Pass},
		"its own row's id":       {map[int64]int64{21: 21}, result.Inconclusive, result.Inconclusive},
		"another row's id":       {map[int64]int64{1: 21, 21: 22}, result.Inconclusive, result.Pass},
		"another rule's matters": {map[int64]int64{1: 21, 22: 23}, result.Pass, result.Pass},
	} {
		for _, site := range []harness.Site{{}, {Usage: sharedMinutes{}}} {
			want := c.want
			if site.Usage != nil {
				want = c.shared
			}
			for by, require := range map[string]func(*T, *Rule){
				"as a rule":    func(t *T, r *Rule) { t.RequireApart(r) },
				"as is billed": func(t *T, r *Rule) { t.RequireIDApart(r.Billed()) },
			} {
				got, reason := verdictOf(t, site, func(t *T) {
					t.Checked(1)
					t.watch.last = helperRows(c.rows)
					require(t, &Rule{owned: (&Account{t: t}).own(), Name: "A", InternalID: 21})
				})
				assert.Equal(t, want, got, "%s, %s: %s", name, by, reason)
			}
		}
	}
}

// TestAWindowAfterTheDelete: where the window of the delete is the last one, records that go on would not be seen.
func TestAWindowAfterTheDelete(t *testing.T) {
	died := time.Date(2026, 11, 22, 12, 1, 30, 0, time.UTC)
	for start, want := range map[time.Time]result.Verdict{died.Add(-30 * time.Second): result.Inconclusive,
		died.Add(30 * time.Second): result.Pass} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.Checked(1)
			a := &Account{t: t}
			t.watch.last = &usageprobe.Snapshot{Events: []usageprobe.UsageEvent{{Type: "LB.DELETE", ResourceID: 21,
				Created: died}},
				Records: []usageprobe.Record{{Type: usageprobe.UsageLoadBalancer, UsageID: 22, Start: start}}}
			t.RequireWindowAfter(&Rule{owned: a.own(), Name: "A", InternalID: 21}, &Rule{owned: a.own(), Name: "B",
				InternalID: 22})
		})
		assert.Equal(t, want, got, "from %s: %s", start, reason)
	}
}

// TestAWindowThatHoldsTheEnd bills in part what ended within it: that is no record after the end.
func TestAWindowThatHoldsTheEnd(t *testing.T) {
	cutoff := noon.Add(2 * time.Minute)
	gone := Billed{Ref: usageprobe.Ref{Kind: usageprobe.KindIP, ID: 5}, Name: "an address"}
	record := func(from time.Time) usageprobe.Record {
		return usageprobe.Record{Type: usageprobe.RecordType(usageprobe.KindIP), UsageID: 5, Start: from, End: cutoff}
	}
	released := []usageprobe.UsageEvent{{Type: "NET.IPRELEASE", ResourceID: 5, Created: noon.Add(10 * time.Second)}}
	after, before := record(noon.Add(time.Minute)), record(noon)
	for name, c := range map[string]struct {
		records []usageprobe.Record
		events  []usageprobe.UsageEvent
		want    result.Verdict
	}{
		"no record":               {nil, released, result.Pass},
		"a window after the end":  {[]usageprobe.Record{after}, released, result.Fail},
		"the window of the end":   {[]usageprobe.Record{before}, released, result.Inconclusive},
		"that window, and after":  {[]usageprobe.Record{before, after}, released, result.Fail},
		"without an event of end": {[]usageprobe.Record{before}, nil, result.Fail},
	} {
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.watch.last = &usageprobe.Snapshot{Cutoff: cutoff, Records: c.records, Events: c.events}
			t.ExpectNotBilledNow(gone)
		})
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
	}
}

// TestAgeOfTheNewestJob: rows are judged as of when they were read, and where runs are shared an old job only says that
// others had the site for themselves.
func TestAgeOfTheNewestJob(t *testing.T) {
	ended := time.Date(2026, 11, 22, 12, 0, 59, 0, time.UTC)
	for name, c := range map[string]struct {
		runs harness.UsageRuns
		read time.Duration
		want result.Verdict
	}{
		"fresh":       {minutes{}, 2 * time.Minute, result.Pass},
		"old":         {minutes{}, 2*time.Minute + time.Second, result.Fail},
		"old, shared": {sharedMinutes{}, 10 * time.Minute, result.Pass},
	} {
		got, reason := verdictOf(t, harness.Site{Usage: c.runs}, func(t *T) {
			t.watch.last, t.watch.read = &usageprobe.Snapshot{Cutoff: ended}, ended.Add(c.read)
			t.ExpectJobsSound()
		})
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
	}
}

// minutes are usage runs with windows of a minute.
type minutes struct{}

func (minutes) Cover(context.Context, time.Time) error { return nil }
func (minutes) Window() time.Duration                  { return time.Minute }

type sharedMinutes struct{ minutes }

func (sharedMinutes) Shared() bool { return true }

// sentPushes is a router's pushes without a router.
type sentPushes int

func (n sentPushes) Of(context.Context, string) ([]router.Push, error) {
	return make([]router.Push, n), nil
}

// TestMissingPushesFail: an API success without a push is a fault.
func TestMissingPushesFail(t *testing.T) {
	for atLeast, want := range map[int]result.Verdict{2: result.Pass, 3: result.Fail} {
		got, reason := verdictOf(t, harness.Site{Pushes: sentPushes(5)}, func(t *T) {
			n := &Network{owned: (&Account{t: t}).own(), VPC: &VPC{router: "r-3-VM"}}
			t.ExpectPushes(n, 3, atLeast)
		})
		assert.Equal(t, want, got, reason)
	}
}

// TestLiveFileMustBeThePush (I10): clients may look right while the file is not what was sent.
func TestLiveFileMustBeThePush(t *testing.T) {
	const sticky = "listen 192_0_2_1-80\n\tbind 192.0.2.1:80\n\tbalance roundrobin\n\tstick-table type ip size 200k " +
		"expire 30m\n\tstick on src\n"
	r := &Rule{Address: &Address{IP: netip.MustParseAddr("192.0.2.1")}, Port: 80}
	s := seen{rule: r, rendered: router.Rendered{Config: strings.Split(strings.TrimSuffix(sticky, "\n"), "\n")}}
	for name, c := range map[string]struct {
		live string
		ok   bool
	}{
		"the same":        {sticky, true},
		"without a table": {strings.Replace(sticky, "\tstick on src\n", "", 1), false},
		"no section":      {"", false},
	} {
		s.files.Live = []byte(c.live)
		why, ok := s.inForce()
		assert.Equal(t, c.ok, ok, "%s: %s", name, why)
	}
}

// TestOneSideDecides: what a rule's own side shows is judged where its control is sound.
func TestOneSideDecides(t *testing.T) {
	two := []router.Destination{{IP: "10.0.0.1", Port: 80}, {IP: "10.0.0.2", Port: 80}}
	sound := dataplane.Side{Backends: []string{"10.0.0.1:80", "10.0.0.2:80"}, Moved: 20}
	one := dataplane.Side{Backends: []string{"10.0.0.1:80"}}
	obs := func(target, control dataplane.Side, distinct int) dataplane.Observation {
		entries := 1
		return dataplane.Observation{Clients: 31, Target: target, Control: control,
			Sources: dataplane.Sources{Told: 31, Distinct: distinct, TableUsed: &entries}}
	}
	for name, c := range map[string]struct {
		members []router.Destination
		obs     dataplane.Observation
		class   result.Class
	}{
		"one backend of two":       {two, obs(one, sound, 0), result.WrongBackends},
		"one backend of one":       {two[:1], obs(one, sound, 0), ""},
		"the control has one, too": {two, obs(one, one, 0), ""},
		"a request failed": {two, dataplane.Observation{Clients: 31, Target: one, Control: sound,
			Failures: []dataplane.Failure{{}}}, ""},
		"one entry for all clients":  {two, obs(sound, sound, 31), result.NotSticky},
		"clients behind one address": {two, obs(sound, sound, 1), ""},
	} {
		s := seen{pushed: &router.LoadBalancer{Destinations: c.members}, obs: c.obs, rule: &Rule{Port: 80,
			Address: &Address{IP: netip.MustParseAddr("192.0.2.1")}},
			files: router.Files{Live: []byte("listen 192_0_2_1-80\n\tstick-table type ip size 1k\n\tstick on src\n")}}
		class, _ := s.oneSided()
		assert.Equal(t, c.class, class, name)
	}
}
