package chaos

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// held are samples of a run that holds about the same all the time, once it has started.
func held() []Sample {
	all := make([]Sample, 40)
	for i := range all {
		all[i] = Sample{Memory: 100_000 + int64(i%5)*1000, Files: 20 + i%7, Threads: 9, Processes: i % 6,
			Temporary: i % 3}
		if i < 10 {
			all[i].Memory = 10_000
		}
	}
	return all
}

// What grows is named; what swings, or grows while a run starts, is not.
func TestGrowth(t *testing.T) {
	flat := held()
	assert.Empty(t, Growth(flat, 0.25))
	assert.NotEmpty(t, Growth(flat[:11], 0.25), "too few samples are no pass")
	leaky := held()
	for i := range leaky {
		leaky[i].Memory, leaky[i].Temporary = 100_000+int64(i)*5000, i
	}
	assert.Equal(t, []string{"memory (KiB) from 175000 to 275000 (medians of quarters)",
		"temporary files from 15 to 35 (medians of quarters)"}, Growth(leaky, 0.25))
	leaky = held()
	for i := range leaky {
		leaky[i].Goroutines, leaky[i].Namespaces = 100+10*i, i
	}
	assert.Equal(t, []string{"goroutines from 250 to 450 (medians of quarters)",
		"network namespaces from 15 to 35 (medians of quarters)"}, Growth(leaky, 0.25))
	leaky = held()
	for i := 20; i < 40; i++ { // a leap that stays
		leaky[i].Threads = 40
	}
	assert.Equal(t, []string{"threads from 9 to 40 (medians of quarters)"}, Growth(leaky, 0.25))
}

// TestGrowthIsNoPeak: one peak that goes again is no growth, wherever it comes, and hides none.
func TestGrowthIsNoPeak(t *testing.T) {
	for at := 10; at+4 <= 40; at++ {
		peak := held()
		for i := at; i < at+4; i++ {
			peak[i].Memory, peak[i].Goroutines, peak[i].Temporary = 900_000, 5000, 300
		}
		assert.Empty(t, Growth(peak, 0.25), "a peak at %d", at)
		for i := range peak {
			peak[i].Files = 20 + i
		}
		assert.Equal(t, []string{"open files from 35 to 55 (medians of quarters)"}, Growth(peak, 0.25),
			"a leak beside a peak at %d", at)
		for i := range peak {
			peak[i].Memory += int64(i) * 10_000
		}
		assert.Contains(t, strings.Join(Growth(peak, 0.25), "\n"), "memory (KiB) from ",
			"a leak of what has a peak at %d", at)
	}
}

// A picture has every value, and is XML whatever was sampled.
func TestPlot(t *testing.T) {
	for _, samples := range [][]Sample{nil, {{At: time.Second}},
		{{Memory: 5}, {At: time.Minute, Memory: 7, Files: 3}}} {
		var b bytes.Buffer
		require.NoError(t, Plot(&b, samples))
		require.NoError(t, xml.Unmarshal(b.Bytes(), new(struct{})))
		for _, one := range measures() {
			assert.Contains(t, b.String(), one.what)
		}
		assert.NotContains(t, b.String(), "NaN")
	}
}

// The newest number of goroutines is taken, also from a file whose last line is still being written.
func TestGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	assert.Zero(t, goroutines(path))
	text := `{"event":"alive","goroutines":7}` + "\n" + strings.Repeat(`{"event":"step","id":"U-01"}`+"\n", 20_000) +
		`{"event":"alive","goroutines":12}` + "\n" + `{"event":"alive","gorou`
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	assert.Equal(t, 12, goroutines(path))
}

// Repeats are counted, but for known failures and what a release does not have.
func TestCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	run := result.Run{Results: []result.Case{
		{ID: "a", Verdict: result.Fail, Repeats: 10, Failures: 2, Inconclusives: 1},
		{ID: "b", Verdict: result.Pass, Repeats: 10},
		{ID: "c", Verdict: result.Fail, Known: true, Repeats: 10, Failures: 10},
		{ID: "d", Verdict: result.Unsupported, Repeats: 10},
	}}
	var b bytes.Buffer
	require.NoError(t, run.Encode(&b))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	got, err := count(path)
	require.NoError(t, err)
	assert.Equal(t, Counts{Repeats: 20, Failed: 2, Undecided: 1}, got)
}

// A living process has memory and open files; one that is gone has no sample.
func TestSample(t *testing.T) {
	s, ok := sample(os.Getpid(), nil, t.TempDir())
	assert.True(t, ok)
	assert.Positive(t, s.Memory)
	assert.Positive(t, s.Files)
	assert.Positive(t, s.Threads)
	_, ok = sample(1<<30, nil, t.TempDir())
	assert.False(t, ok)
}
