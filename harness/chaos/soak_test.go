package chaos

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What grows is named; what swings, or grows while a run starts, is not.
func TestGrowth(t *testing.T) {
	flat, leaky := make([]Sample, 40), make([]Sample, 40)
	for i := range flat {
		flat[i] = Sample{
			Memory:    100_000 + int64(i%5)*1000,
			Files:     20 + i%7,
			Threads:   9,
			Processes: i % 6,
			Temporary: i % 3,
		}
		if i < 10 {
			flat[i].Memory = 10_000
		}
		leaky[i] = flat[i]
		leaky[i].Memory, leaky[i].Temporary = 100_000+int64(i)*5000, i
	}
	assert.Empty(t, Growth(flat, 0.25))
	assert.Equal(t, []string{"memory (KiB) from 195000 to 295000", "temporary files from 19 to 39"},
		Growth(leaky, 0.25))
	assert.NotEmpty(t, Growth(flat[:3], 0.25), "too few samples are no pass")
}

// A living process has memory and open files; one that is gone has no sample.
func TestSample(t *testing.T) {
	s, ok := sample(os.Getpid(), 3, t.TempDir())
	assert.True(t, ok)
	assert.Positive(t, s.Memory)
	assert.Positive(t, s.Files)
	assert.Positive(t, s.Threads)
	_, ok = sample(1<<30, 0, t.TempDir())
	assert.False(t, ok)
}
