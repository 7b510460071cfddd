package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const linear = `goos: linux
BenchmarkScale/read/n=500-2         	      10	 900 ns/op	 1000000 cpu-ns/op	 200 B/op	 3 allocs/op
BenchmarkScale/read/n=1000-2        	      10	 90000 ns/op	 2100000 cpu-ns/op	 400 B/op	 3 allocs/op
BenchmarkOther-2                    	      10	 2100000 ns/op
PASS
`

// What grows as its size does is well; what grows faster in time or memory is named.
func TestCompare(t *testing.T) {
	var out strings.Builder
	ok, err := compare(strings.NewReader(linear), &out, 1.5)
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Contains(t, out.String(), "2.10")
	assert.NotContains(t, out.String(), "Other")
	slow := strings.Replace(linear, "2100000 cpu-ns/op\t 400", "9900000 cpu-ns/op\t 400", 1)
	ok, err = compare(strings.NewReader(slow+linear), &out, 1.5)
	require.NoError(t, err)
	assert.True(t, ok, "one of several measurements was disturbed")
	for from, want := range map[string]string{"2100000 cpu-ns/op\t 400": "cpu-ns/op", " 400 B/op": "B/op"} {
		require.Contains(t, linear, from)
		to := map[string]string{"cpu-ns/op": "3900000 cpu-ns/op\t 400", "B/op": " 800 B/op"}[want]
		out.Reset()
		ok, err = compare(strings.NewReader(strings.Replace(linear, from, to, 1)), &out, 1.5)
		require.NoError(t, err)
		assert.False(t, ok)
		assert.Contains(t, out.String(), "grows faster than its size: "+want)
	}
}

// Nothing to compare, and a benchmark that failed, are no success.
func TestCompareNothing(t *testing.T) {
	for text, want := range map[string]string{
		"PASS\n": "no benchmark of several sizes",
		strings.Join(strings.Split(linear, "\n")[:2], "\n"): "measured at one size",
		linear + "--- FAIL: BenchmarkScale\n":               "a benchmark failed",
	} {
		_, err := compare(strings.NewReader(text), &strings.Builder{}, 1.5)
		assert.ErrorContains(t, err, want)
	}
}
