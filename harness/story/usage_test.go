package story

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// TestInsideAWindow waits no longer than it takes to be away from a minute's ends.
func TestInsideAWindow(t *testing.T) {
	for second, want := range map[int]int{0: 5, 4: 1, 5: 0, 20: 0, 25: 0, 26: 39, 59: 6} {
		noon := time.Date(2026, 11, 22, 12, 0, second, 0, time.UTC)
		assert.Equal(t, time.Duration(want)*time.Second, inside(noon), "second %d", second)
	}
}

// TestTheNewestWindowHoldsThePresent where a run's first window is longer than the range: another run is waited for.
func TestTheNewestWindowHoldsThePresent(t *testing.T) {
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
		w := watch{last: &usageprobe.Snapshot{Cutoff: at(120).Add(-time.Millisecond), Records: c.records}}
		assert.Equal(t, c.want, w.newestHolds(at(30)), name)
	}
}
