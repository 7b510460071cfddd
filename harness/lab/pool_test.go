package lab

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/database"
)

// TestServersAreLentAgain: starting a database is what costs, so a server that came back is lent before another is
// started, and one that is lent is never lent twice.
func TestServersAreLentAgain(t *testing.T) {
	started := 0
	p := NewPoolOf(func(context.Context, string) (*database.Server, error) {
		started++
		return &database.Server{}, nil
	})
	first, err := p.take(t.Context(), "4.20.1.0")
	require.NoError(t, err)
	second, err := p.take(t.Context(), "4.20.1.0")
	require.NoError(t, err)
	assert.NotSame(t, first, second)
	p.put(first)
	again, err := p.take(t.Context(), "4.20.1.0")
	require.NoError(t, err)
	assert.Same(t, first, again)
	assert.Equal(t, 2, started)
}

// TestServerThatDoesNotStart: Ready says so before a run, and nothing is lent.
func TestServerThatDoesNotStart(t *testing.T) {
	p := NewPoolOf(func(context.Context, string) (*database.Server, error) { return nil, errors.New("no room") })
	require.ErrorContains(t, p.Ready(t.Context(), "4.20.1.0"), "no room")
	_, err := p.take(t.Context(), "4.20.1.0")
	require.ErrorContains(t, err, "no room")
	require.NoError(t, p.Close())
}
