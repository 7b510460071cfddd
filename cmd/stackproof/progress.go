package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/stackproof/stackproof/harness/result"
)

// progress shows how a run goes: on a terminal a few lines that are rewritten, and a line for each scenario that did
// not pass; elsewhere a line for each finished scenario.
type progress struct {
	out    io.Writer
	live   bool
	drawn  int // lines of the live view that stand on the terminal
	size   func() (width, height int)
	failed int    // finished, and not passed
	quiet  bool   // no line for a finished scenario
	tenths bool   // a line for each tenth that is done, where nothing is rewritten, instead of one for each scenario
	what   string // what is counted; empty are scenarios
	total  int
	repeat int
	began  time.Time
	stop   chan struct{}
	ended  sync.WaitGroup

	mu     sync.Mutex
	done   int
	active []string // ids, oldest first
	steps  map[string]step
	// awaited is the newest usage run that several scenarios wait for, as it was said.
	awaited string
}

type step struct {
	text  string
	since time.Time
	times int
}

func newProgress(out io.Writer, total, repeat int) *progress {
	p := &progress{
		out:    out,
		total:  total,
		repeat: repeat,
		began:  time.Now(),
		stop:   make(chan struct{}),
		steps:  map[string]step{},
	}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) { // a file descriptor is small
		p.live = true
		p.size = func() (int, int) {
			width, height, err := term.GetSize(int(f.Fd())) // a file descriptor is small
			if err != nil {
				return 80, 24
			}
			return width, height
		}
		p.ended.Add(1)
		go p.refresh()
	}
	return p
}

// refreshEvery is often enough to look alive and seldom enough to cost nothing.
const refreshEvery = 200 * time.Millisecond

func (p *progress) refresh() {
	defer p.ended.Done()
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}

// count says how far it is.
func (p *progress) count() string {
	line := fmt.Sprintf("%d done", p.done)
	if p.total > 0 {
		line = fmt.Sprintf("%d of %d", p.done, p.total)
	}
	if p.what != "" {
		line += " " + p.what
	}
	return line
}

// Total implements proof.Totalling.
func (p *progress) Total(cells int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = cells
}

// draw rewrites the live view: how far the run is, and a line for each scenario under way; the lock is held.
func (p *progress) draw() {
	width, height := p.size()
	lines := []string{p.bar() + "  " + time.Since(p.began).Round(time.Second).String()}
	if p.failed > 0 {
		lines[0] += fmt.Sprintf("  %d not passed", p.failed)
	}
	for i, id := range p.active {
		if i == max(1, min(mostActive, height-2)) {
			lines = append(lines, fmt.Sprintf("  and %d more", len(p.active)-i))
			break
		}
		s := p.steps[id]
		line := fmt.Sprintf("  %-6s", id)
		if p.repeat > 1 {
			line += fmt.Sprintf(" %d/%d", s.times, p.repeat)
		}
		lines = append(lines, line+fmt.Sprintf(" %5.1fs  %s", time.Since(s.since).Seconds(), s.text))
	}
	p.wipe()
	for i, line := range lines {
		if r := []rune(line); len(r) >= width {
			line = string(r[:max(0, width-1)])
		}
		if i > 0 {
			fmt.Fprint(p.out, "\n")
		}
		fmt.Fprint(p.out, line)
	}
	p.drawn = len(lines)
}

// mostActive bounds the lines of the live view.
const mostActive = 8

// wipe takes the live view off the terminal.
func (p *progress) wipe() {
	if p.drawn > 1 {
		fmt.Fprintf(p.out, "\x1b[%dA", p.drawn-1)
	}
	fmt.Fprint(p.out, "\r\x1b[J")
	p.drawn = 0
}

// barWidth is how many columns the bar takes.
const barWidth = 20

// bar says how far the run is, as a picture and in numbers.
func (p *progress) bar() string {
	if p.total <= 0 {
		return p.count()
	}
	full := min(barWidth, barWidth*p.done/p.total)
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full) + "] " + p.count()
}

// Scenario implements harness.Progress.
func (p *progress) Scenario(id, _ string, repeat int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if repeat == 1 {
		p.active = append(p.active, id)
	}
	p.steps[id] = step{text: "opening", since: time.Now(), times: repeat}
}

// Step implements harness.Progress.
func (p *progress) Step(id, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps[id] = step{text: text, since: time.Now(), times: p.steps[id].times}
	// A usage run is what all wait for: said once, and not by each of them.
	if !p.live && !p.quiet && !p.tenths && strings.HasPrefix(text, "usage run for ") && text != p.awaited {
		p.awaited = text
		fmt.Fprintln(p.out, text)
	}
}

// Finished implements harness.Progress.
func (p *progress) Finished(c result.Case) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if c.Verdict != result.Pass {
		p.failed++
	}
	for i, id := range p.active {
		if id == c.ID {
			p.active = append(p.active[:i], p.active[i+1:]...)
			break
		}
	}
	if p.quiet {
		return
	}
	if p.tenths {
		if tenth := p.total / 10; !p.live && tenth > 0 && p.done%tenth == 0 {
			fmt.Fprintf(p.out, "%s after %s\n", p.count(), time.Since(p.began).Round(time.Second))
		}
		return
	}
	if p.live {
		if c.Verdict == result.Pass {
			return // the live view counts it
		}
		p.wipe()
	}
	verdict := string(c.Verdict)
	if c.Known && c.Verdict == result.Fail {
		verdict += " (known)"
	}
	line := fmt.Sprintf("%-6s %-14s %6.1fs  %s", c.ID, verdict, c.Seconds, c.Title)
	if c.Verdict == result.Inconclusive || c.Verdict == result.Unsupported {
		line += ": " + c.Reason
	}
	fmt.Fprintln(p.out, line)
}

func (p *progress) close() {
	close(p.stop)
	p.ended.Wait()
	if p.live {
		p.wipe()
	}
}
