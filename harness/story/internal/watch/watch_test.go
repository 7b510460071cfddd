package watch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// TestTheNewestWindowHoldsThePresent where a run's first window is longer than the range: another run is waited for.
func TestTheNewestWindowHoldsThePresent(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	long, short, old := usageprobe.Record{Start: at(0), End: at(119)}, usageprobe.Record{Start: at(60), End: at(119)},
		usageprobe.Record{Start: at(0), End: at(59)}
	for name, c := range map[string]struct {
		records []usageprobe.Record
		want    bool
	}{
		"two minutes": {[]usageprobe.Record{long}, true}, "cut in two": {[]usageprobe.Record{old, short}, false},
		"nothing billed": {nil, false}, "an older window": {[]usageprobe.Record{old}, false},
	} {
		w := Watch{Last: &usageprobe.Snapshot{Cutoff: at(120).Add(-time.Millisecond), Records: c.records}}
		assert.Equal(t, c.want, w.NewestHolds(at(30)), name)
	}
}

// TestNamesStandBesideNumbers: tables know numbers only, and a reader knows names.
func TestNamesStandBesideNumbers(t *testing.T) {
	a := Billed{Name: "A", Ref: usageprobe.Ref{Kind: usageprobe.KindLB, ID: 3}}
	w := Watch{known: map[usageprobe.Ref]identity{a.Ref: {name: a.Name}}}
	assert.Equal(t, "LB.DELETE of LB rule A (internal id 3), not of load balancer rule 33 or port forwarding rule 3",
		w.named("LB.DELETE of load balancer rule 3, not of load balancer rule 33 or port forwarding rule 3"))
}

// TestNewestRecordsAreKept: window by window, and of many the newest.
func TestNewestRecordsAreKept(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a := usageprobe.Ref{Kind: usageprobe.KindLB, ID: 3}
	w := Watch{Last: &usageprobe.Snapshot{}}
	for i := range mostRecords + 2 {
		start := noon.Add(time.Duration(i) * time.Minute)
		w.Last.Records = append(w.Last.Records, usageprobe.Record{Type: usageprobe.UsageLoadBalancer, UsageID: 3,
			Start: start, End: start.Add(59 * time.Second), RawUsage: float64(i)})
	}
	got := w.newest(a)
	if assert.Len(t, got, mostRecords) {
		assert.Equal(t, result.Billed{From: noon.Add(2 * time.Minute), To: noon.Add(3 * time.Minute), Hours: 2}, got[0])
	}
	assert.Empty(t, w.newest(usageprobe.Ref{Kind: usageprobe.KindLB, ID: 4}))
}
