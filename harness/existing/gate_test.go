package existing

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGate(t *testing.T) {
	g := newGate()
	var counting []string
	newPass := func() *pass {
		return &pass{gate: g, parted: func() { counting = append(counting, "off") },
			together: func(context.Context) error { counting = append(counting, "on"); return nil }}
	}
	worker, loner, later := newPass(), newPass(), newPass()
	require.NoError(t, worker.Enter(t.Context()))
	require.NoError(t, loner.Enter(t.Context()))
	// Nobody waits in a context that has ended: an error says that it would have had to.
	ended, end := context.WithCancel(t.Context())
	end()
	require.ErrorIs(t, newPass().Alone(ended), context.Canceled, "alone while others work")
	alone := async(func() error { return loner.Alone(t.Context()) })
	worker.Leave()
	require.NoError(t, <-alone)
	require.NoError(t, loner.Enter(t.Context()), "who is alone goes on working")
	loner.Leave()
	require.ErrorIs(t, newPass().Enter(ended), context.Canceled, "in while another is alone")
	entered := async(func() error { return later.Enter(t.Context()) })
	require.NoError(t, loner.Together(t.Context()))
	require.NoError(t, <-entered)
	require.NoError(t, loner.Together(t.Context()), "twice is fine")
	assert.Equal(t, []string{"off", "on"}, counting)
}

func async(f func() error) chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}
