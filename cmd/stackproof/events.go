package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

// event is a line of --events. Its fields may become more, none changes its meaning.
type event struct {
	At    time.Time `json:"at"`
	Event string    `json:"event"` // run, scenario, step, finished, alive, end
	ID    string    `json:"id,omitempty"`
	Title string    `json:"title,omitempty"`
	// Repeat counts from 1.
	Repeat  int            `json:"repeat,omitempty"`
	Step    string         `json:"step,omitempty"`
	Verdict result.Verdict `json:"verdict,omitempty"`
	Known   bool           `json:"known,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	Seconds float64        `json:"seconds,omitempty"`
	Planned int            `json:"planned,omitempty"`
	Exit    *int           `json:"exit,omitempty"`
	// Goroutines and Heap (bytes in use) are of an alive event: what the run itself holds.
	Goroutines int    `json:"goroutines,omitempty"`
	Heap       uint64 `json:"heap,omitempty"`
}

// heartbeat is the time between two alive events.
const heartbeat = 5 * time.Second

// events writes a run's progress as a JSON object a line (NDJSON), and hands it on. After the first line that could not
// be written nothing more is; close says why.
type events struct {
	harness.Progress
	now func() time.Time

	mu   sync.Mutex
	file io.WriteCloser
	err  error
}

// openEvents begins the file; an empty path gives events that only hand on. Progress must be set before a run.
func openEvents(path string) (*events, error) {
	e := &events{now: time.Now}
	if path == "" {
		return e, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, usage("--events: %w", err)
	}
	e.file = f
	return e, nil
}

func (e *events) write(one event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.file == nil || e.err != nil {
		return
	}
	one.At = e.now().UTC()
	line, err := json.Marshal(one)
	if err == nil {
		_, err = e.file.Write(append(line, '\n'))
	}
	e.err = err
}

// beat writes an alive event every heartbeat, until the function that it returns is called. Whoever follows the file
// can so tell a run that waits from one that is gone.
func (e *events) beat() (stop func()) {
	if e.file == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			e.alive()
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (e *events) alive() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	e.write(event{Event: "alive", Goroutines: runtime.NumGoroutine(), Heap: m.HeapAlloc})
}

// Scenario implements harness.Progress.
func (e *events) Scenario(id, title string, repeat int) {
	e.write(event{Event: "scenario", ID: id, Title: title, Repeat: repeat})
	e.Progress.Scenario(id, title, repeat)
}

// Step implements harness.Progress.
func (e *events) Step(id, step string) {
	e.write(event{Event: "step", ID: id, Step: step})
	e.Progress.Step(id, step)
}

// Finished implements harness.Progress.
func (e *events) Finished(c result.Case) {
	e.write(
		event{
			Event:   "finished",
			ID:      c.ID,
			Title:   c.Title,
			Verdict: c.Verdict,
			Known:   c.Known,
			Reason:  c.Reason,
			Seconds: c.Seconds,
		},
	)
	e.Progress.Finished(c)
}

func (e *events) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.file == nil {
		return nil
	}
	return errors.Join(e.err, e.file.Close())
}
