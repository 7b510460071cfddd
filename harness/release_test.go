package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSpanContains(t *testing.T) {
	for _, c := range []struct {
		span    Span
		release string
		want    bool
	}{
		{Span{"4.16.1", "4.19.2"}, "4.19.2.0", true},
		{Span{"4.16.1", "4.19.2"}, "4.19.2.7", true},
		{Span{"4.16.1", "4.19.2"}, "4.19.3.0", false},
		{Span{"4.16.1", "4.19.2"}, "4.16.0.0", false},
		{Span{"4.16.1", "4.19.2"}, "4.16.1.0", true},
		{Span{"4.20.0", "4.20.0"}, "4.20.0.0", true},
		{Span{"4.20.0", "4.20.0"}, "4.20.1.0-SNAPSHOT", false},
		{Span{"4.20.0", "4.20.0"}, "4.20.0.0-SNAPSHOT", true},
		{Span{"", "4.19.1"}, "4.19.1.3", true},
		{Span{"", "4.19.1"}, "4.19.2.0", false},
		{Span{}, "4.22.0.0", true},
		{Span{"4.20.2", ""}, "4.21.0.0", true},
		{Span{"4.20.2", ""}, "4.20.1.0", false},
		{Span{}, "main", false},
	} {
		assert.Equal(t, c.want, c.span.Contains(c.release), "%s contains %s", c.span, c.release)
	}
}
