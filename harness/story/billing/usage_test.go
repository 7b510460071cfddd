package billing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestInsideAWindow waits no longer than it takes to be away from a minute's ends.
func TestInsideAWindow(t *testing.T) {
	for second, want := range map[int]int{0: 5, 4: 1, 5: 0, 20: 0, 25: 0, 26: 39, 59: 6} {
		noon := time.Date(2026, 11, 22, 12, 0, second, 0, time.UTC)
		assert.Equal(t, time.Duration(want)*time.Second, inside(noon), "second %d", second)
	}
}
