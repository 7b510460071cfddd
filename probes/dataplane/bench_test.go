package dataplane

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkConnections shows new connections a second through one HAProxy: whole probes against a plain C program that
// opens the same number, from the same addresses, to the same two rules, with as many under way at once, on the same
// cores. Each iteration runs both, so that both meet the same machine. The metric "ratio" is meant to be at least 0.80.
func BenchmarkConnections(b *testing.B) {
	program := compile(b)
	for _, parallel := range []int{1, 8, 31} {
		b.Run(fmt.Sprintf("at-once=%d", parallel), func(b *testing.B) {
			l := newLab(b, 2, stick, "")
			config := l.config()
			config.Parallel, config.Requests = parallel, 65
			count := 2 * len(config.Clients) * config.Requests
			var probed, plain time.Duration
			b.ReportAllocs()
			for b.Loop() {
				plain += runProgram(b, l, program, count, parallel)
				start := time.Now()
				o, err := Probe(b.Context(), config)
				probed += time.Since(start)
				require.NoError(b, err)
				require.Equal(b, Sticky, o.Verdict, o)
			}
			total := float64(b.N * count)
			b.ReportMetric(total/probed.Seconds(), "probe-conns/s")
			b.ReportMetric(total/plain.Seconds(), "C-conns/s")
			b.ReportMetric(plain.Seconds()/probed.Seconds(), "ratio")
		})
	}
}

func compile(b *testing.B) string {
	cc, err := exec.LookPath("cc")
	if err != nil {
		b.Skipf("SKIPPED: the comparison needs a C compiler (apt-get install gcc libc6-dev): %v", err)
	}
	program := filepath.Join(b.TempDir(), "connections")
	out, err := exec.Command(cc, "-O2", "-Wall", "-Wextra", "-o", program, "testdata/connections.c").CombinedOutput()
	if err != nil {
		b.Skipf("SKIPPED: the C program does not compile here (apt-get install gcc libc6-dev): %v\n%s", err, out)
	}
	return program
}

func runProgram(b *testing.B, l *lab, program string, count, parallel int) time.Duration {
	clients := l.site.ClientAddresses()
	cmd := exec.Command(program, strconv.Itoa(count), strconv.Itoa(parallel), clients[0].String(),
		strconv.Itoa(len(clients)),
		targetAddress, controlAddress)
	var out, failed strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &failed
	require.NoError(b, l.site.Clients.Start(cmd))
	require.NoError(b, cmd.Wait(), failed.String())
	seconds, err := strconv.ParseFloat(strings.TrimSpace(out.String()), 64)
	require.NoError(b, err)
	return time.Duration(seconds * float64(time.Second))
}
