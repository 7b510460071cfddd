package testcpu

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// Work takes processor time, and waiting takes none.
func TestLoop(t *testing.T) {
	work := testing.Benchmark(func(b *testing.B) {
		Loop(b, func() {
			began := spent(b)
			for spent(b)-began < 1e6 {
			}
		})
	})
	assert.GreaterOrEqual(t, work.Extra[Unit], 1e6)
	blocked := make(chan struct{})
	go func() {
		defer close(blocked)
		var n int
		for range 1000 {
			n++
		}
		_ = n
	}()
	idle := testing.Benchmark(func(b *testing.B) { Loop(b, func() { <-blocked }) })
	assert.Less(t, idle.Extra[Unit], 1e5)
}
