package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/stackproof/stackproof/harness/result"
)

// progress shows how a run goes: one line that is rewritten on a terminal, a line per finished scenario elsewhere.
type progress struct {
	out    io.Writer
	live   bool
	quiet  bool   // no line for a finished scenario
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
}

type step struct {
	text  string
	since time.Time
	times int
}

func newProgress(out io.Writer, total, repeat int) *progress {
	p := &progress{out: out, total: total, repeat: repeat, began: time.Now(), stop: make(chan struct{}), steps: map[string]step{}}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) { //nolint:gosec // a file descriptor is small
		p.live = true
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

// draw writes the status line; the lock is held.
func (p *progress) draw() {
	line := p.count()
	line += "  " + time.Since(p.began).Round(time.Second).String()
	for _, id := range p.active {
		s := p.steps[id]
		line += fmt.Sprintf("  │ %s", id)
		if p.repeat > 1 {
			line += fmt.Sprintf(" %d/%d", s.times, p.repeat)
		}
		line += fmt.Sprintf(" %s %.1fs", s.text, time.Since(s.since).Seconds())
	}
	if width, _, err := term.GetSize(int(p.out.(*os.File).Fd())); err == nil && width > 1 { //nolint:gosec // live only on a file
		if r := []rune(line); len(r) >= width {
			line = string(r[:width-1])
		}
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
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
}

// Finished implements harness.Progress.
func (p *progress) Finished(c result.Case) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	for i, id := range p.active {
		if id == c.ID {
			p.active = append(p.active[:i], p.active[i+1:]...)
			break
		}
	}
	if p.quiet {
		if tenth := p.total / 10; !p.live && tenth > 0 && p.done%tenth == 0 {
			fmt.Fprintf(p.out, "%s after %s\n", p.count(), time.Since(p.began).Round(time.Second))
		}
		return
	}
	if p.live {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	verdict := string(c.Verdict)
	if c.Known && c.Verdict == result.Fail {
		verdict += " (known)"
	}
	fmt.Fprintf(p.out, "%-6s %-14s %6.1fs  %s\n", c.ID, verdict, c.Seconds, c.Title)
}

func (p *progress) close() {
	close(p.stop)
	p.ended.Wait()
	if p.live {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
