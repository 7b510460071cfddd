// Package testcpu lets a benchmark measure the processor time that it takes, which is the same whatever else the
// machine does; the time on the clock is not.
//
// It is no profiler. Know before changing: what a server that was started elsewhere does for the benchmark is not in
// it, nor what a child does that still runs.
package testcpu

import (
	"syscall"
	"testing"
)

// Unit is the unit of what Loop reports.
const Unit = "cpu-ns/op"

// Loop runs an operation as b.Loop says, and reports its memory and the processor time of this process and of the
// children that ended meanwhile.
func Loop(b *testing.B, operation func()) {
	b.Helper()
	b.ReportAllocs()
	began := spent(b)
	for b.Loop() {
		operation()
	}
	b.ReportMetric(float64(spent(b)-began)/float64(b.N), Unit)
}

// spent is the processor time so far, in nanoseconds.
func spent(tb testing.TB) (nanoseconds int64) {
	tb.Helper()
	for _, whose := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		if err := syscall.Getrusage(whose, &used); err != nil {
			tb.Fatalf("reading the processor time: %v", err)
		}
		nanoseconds += used.Utime.Nano() + used.Stime.Nano()
	}
	return nanoseconds
}
