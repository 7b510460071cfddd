package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/standing"
)

// built is the command without the race detector or test code, as a user has it.
func built(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "stackproof")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(b, err, string(out))
	return path
}

// BenchmarkLabUp is the time from the command to the first answered API call.
func BenchmarkLabUp(b *testing.B) {
	path := built(b)
	for b.Loop() {
		up := exec.Command(path, "lab", "up", "--json")
		pipe, err := up.StdoutPipe()
		require.NoError(b, err)
		require.NoError(b, up.Start())
		var s standing.Access
		require.NoError(b, json.NewDecoder(bufio.NewReader(pipe)).Decode(&s))
		answer, err := http.Get(s.Integration + "?command=listZones&response=json")
		require.NoError(b, err)
		require.NoError(b, answer.Body.Close())
		require.Equal(b, http.StatusOK, answer.StatusCode)
		b.StopTimer()
		require.NoError(b, up.Process.Signal(os.Interrupt))
		require.NoError(b, up.Wait())
		b.StartTimer()
	}
}

// benchmarkRun runs the command and reports the largest memory of the harness process.
func benchmarkRun(b *testing.B, args ...string) {
	b.Helper()
	benchmarkCommand(b, append([]string{"run"}, args...)...)
}

func benchmarkCommand(b *testing.B, args ...string) {
	b.Helper()
	path := built(b)
	var largest int64
	for b.Loop() {
		cmd := exec.Command(path, args...)
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, string(out))
		largest = max(largest, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	b.ReportMetric(float64(largest)/1024, "MB-max")
}

// BenchmarkDefaultSet is the default set on one release.
func BenchmarkDefaultSet(b *testing.B) { benchmarkRun(b, "--release", "4.20.1.0") }

// BenchmarkStoryB is L-04 with 2, 10 and 50 groups.
func BenchmarkStoryB(b *testing.B) {
	benchmarkRun(b, "--release", "4.20.1.0", "--scenario", "L-04")
}

// BenchmarkRepeats is 59 repeats of L-01, which bound its failure rate at 5 %.
func BenchmarkRepeats(b *testing.B) {
	benchmarkRun(b, "--release", "4.20.1.0", "--scenario", "L-01", "--repeat", "59", "--workers", "2")
}

// BenchmarkModelRun is one random run of 200 steps on a sound release.
func BenchmarkModelRun(b *testing.B) {
	benchmarkRun(b, "--release", "4.20.1.0", "--scenario", "U-26", "--seed", "1")
}

// BenchmarkModelRunShrinks is one on a release with both stories' defects, cut down to a shortest sequence for each.
func BenchmarkModelRunShrinks(b *testing.B) {
	benchmarkRun(b, "--release", "4.19.1.0", "--scenario", "U-26", "--seed", "12")
}

// BenchmarkProve is the whole matrix of scenarios and twins.
func BenchmarkProve(b *testing.B) { benchmarkCommand(b, "prove") }
