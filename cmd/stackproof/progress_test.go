package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// TestLiveView: a bar and a line for each scenario under way, which fit the terminal and go away again.
func TestLiveView(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, 20, 1)
	p.live, p.size = true, func() (int, int) { return 60, 6 }
	for i := range 6 {
		p.Scenario(fmt.Sprintf("U-0%d", i), "", 1)
	}
	p.Step("U-00", strings.Repeat("a long step ", 9))
	p.draw()
	lines := strings.Split(strings.TrimPrefix(out.String(), "\r\x1b[J"), "\n")
	require.Len(t, lines, 6, "as high as the terminal")
	require.Contains(t, lines[0], "0 of 20")
	require.Contains(t, lines[1], "U-00")
	require.Equal(t, "  and 2 more", lines[5])
	for _, l := range lines {
		require.Less(t, len(l), 60, "a line that wraps would stay behind")
	}
	out.Reset()
	p.Finished(result.Case{ID: "U-00", Verdict: result.Pass})
	require.Empty(t, out.String(), "a pass is only counted")
	p.Finished(result.Case{ID: "U-01", Verdict: result.Fail, Title: "title"})
	require.Equal(t, "\x1b[5A\r\x1b[JU-01   fail              0.0s  title\n", out.String(),
		"the view goes away, the line stays")
	out.Reset()
	p.draw()
	require.Contains(t, out.String(), "[==                  ] 2 of 20")
	require.Contains(t, out.String(), "1 not passed")
	p.close()
}

// TestQuietIsQuiet: in a log, too.
func TestQuietIsQuiet(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, 20, 1)
	p.quiet = true
	for i := range 20 {
		p.Scenario(fmt.Sprint(i), "", 1)
		p.Step(fmt.Sprint(i), "usage run for 12:00")
		p.Finished(result.Case{ID: fmt.Sprint(i), Verdict: result.Fail})
	}
	p.close()
	require.Empty(t, out.String())
	p.quiet = false
	p.Finished(result.Case{ID: "last", Verdict: result.Fail})
	require.NotEmpty(t, out.String(), "or the above shows nothing")
}

// TestAwaitedRunsAreTold: in a log a usage run that several scenarios wait for is one line, and whoever ends without a
// verdict says why in its own.
func TestAwaitedRunsAreTold(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, 2, 1)
	for _, id := range []string{"U-01", "U-07"} {
		p.Scenario(id, "", 1)
		p.Step(id, "LB rule A")
		p.Step(id, "usage run for 2: waits for 12:01:01")
	}
	p.Finished(result.Case{ID: "U-07", Verdict: result.Inconclusive, Title: "title", Reason: "no run came"})
	p.close()
	require.Equal(t, "usage run for 2: waits for 12:01:01\nU-07   inconclusive      0.0s  title: no run came\n",
		out.String())
}

// TestTenths: a proof has thousands of cells, of which a log wants to see every tenth part.
func TestTenths(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, 20, 1)
	p.tenths, p.what = true, "cells"
	for i := range 20 {
		p.Step(fmt.Sprint(i), "usage run for 12:00")
		p.Finished(result.Case{ID: fmt.Sprint(i), Verdict: result.Fail})
	}
	p.close()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 10)
	require.Regexp(t, "^2 of 20 cells after ", lines[0])
	require.Regexp(t, "^20 of 20 cells after ", lines[9])
}

// broken is a file on a disk that is full.
type broken struct{ writes int }

func (b *broken) Write([]byte) (int, error) { b.writes++; return 0, fmt.Errorf("no space left") }
func (b *broken) Close() error              { return nil }

func TestEventsSayThatTheyCouldNotBeWritten(t *testing.T) {
	disk := &broken{}
	e := &events{Progress: newProgress(&bytes.Buffer{}, 1, 1), now: time.Now, file: disk}
	e.Scenario("U-01", "title", 1)
	e.Step("U-01", "step")
	require.ErrorContains(t, e.close(), "no space left")
	require.Equal(t, 1, disk.writes, "nothing is tried after the first failure")
}
