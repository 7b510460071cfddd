package watch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

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
