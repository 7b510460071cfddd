package existing

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/usageruns"
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

// TestAdmission lets in as many scenarios as the server takes changes at once; who waits for a usage run takes no room.
func TestAdmission(t *testing.T) {
	client, err := cloud.New(cloud.Options{URL: "http://127.0.0.1:1/client/api", APIKey: "k", SecretKey: "s",
		Parallel: 2})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, client.Close(context.WithoutCancel(t.Context()))) })
	target := &Target{cloud: client, admission: newAdmission()}
	refused := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*relook)
		defer cancel()
		_, err := target.Admit(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	first, err := target.Admit(t.Context())
	require.NoError(t, err)
	_, err = target.Admit(t.Context())
	require.NoError(t, err)
	refused()
	first()
	_, err = target.Admit(t.Context())
	require.NoError(t, err, "one has left")
	refused()

	target.barrier = usageruns.NewBarrier(nil, time.Hour, func(string, string) {})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- target.barrier.Cover(ctx, "U-01", time.Now()) }()
	_, err = target.Admit(t.Context())
	require.NoError(t, err, "one waits for a usage run")
	cancel()
	require.Error(t, <-ended)
}
