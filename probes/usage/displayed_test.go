package usageprobe

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestDisplayed: hours of what lives, and of counters the amount with what was counted.
func TestDisplayed(t *testing.T) {
	for _, c := range []struct {
		usageType int64
		raw       float64
		text      string
		right     bool
	}{
		{11, 0.0166667, "0.016667 Hrs", true}, {11, 0.0166667, "0.02 Hrs", false}, {11, 100, "100 bytes sent", false},
		{4, 100, "100 bytes sent", true}, {5, 100, "100 bytes received", true}, {4, 100, "7 bytes sent", false},
		{4, 100, "1000 bytes sent", false}, {4, 100, "100 Hrs", false}, {10, 1, "1 Hrs", true},
		{10, 1, "1 bytes", false},
	} {
		r := Record{Type: c.usageType, RawUsage: c.raw, raw: "usage_display=" + c.text}
		_, right := r.displayed()
		assert.Equal(t, c.right, right, "%d: %s", c.usageType, c.text)
	}
}
