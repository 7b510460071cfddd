package answers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/cloud"
)

// TestRecordsOfLaterRunsAreLeftOut: a usage run of others between the reading of the database and the answer of the API
// makes no difference between the two; a record up to what the database was read for stays.
func TestRecordsOfLaterRunsAreLeftOut(t *testing.T) {
	cutoff := time.Date(2026, 11, 29, 21, 4, 59, 0, time.UTC)
	of := func(minutes ...int) (all []cloud.UsageRecord) {
		for _, m := range minutes {
			all = append(all, cloud.UsageRecord{End: cutoff.Add(time.Duration(m) * time.Minute)})
		}
		return all
	}
	assert.Equal(t, of(-1, 0), upTo(of(-1, 0, 1, 2), cutoff))
}
