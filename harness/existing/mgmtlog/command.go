package mgmtlog

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stackproof/stackproof/harness/existing/clock"
)

// Command follows the output of a program that prints the log for ever, such as ssh mgmt tail -n +1 -F FILE. When it
// ends it is started again; what it prints twice then is known by its sequence numbers.
type Command struct {
	words  []string
	settle time.Duration

	mu      sync.Mutex
	lines   []string
	last    time.Time // of the last line, in our own time
	problem string    // last words of its error output
	ends    int
	ended   sync.WaitGroup
	stop    context.CancelFunc
}

// Back-off between starts.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 30 * time.Second
)

const defaultSettle = 2 * time.Second

// StartCommand runs the command from now on; settle is how long its output must be silent before it counts as read,
// default 2 s.
func StartCommand(words []string, settle time.Duration) *Command {
	if len(words) == 1 {
		words = strings.Fields(words[0])
	}
	if settle == 0 {
		settle = defaultSettle
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Command{words: words, settle: settle, stop: stop, last: time.Now()}
	c.ended.Add(1)
	go c.serve(ctx)
	return c
}

func (c *Command) serve(ctx context.Context) {
	defer c.ended.Done()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		began := time.Now()
		err := c.once(ctx)
		if ctx.Err() != nil {
			return
		}
		c.mu.Lock()
		c.ends++
		if err != nil && c.problem == "" {
			c.problem = err.Error()
		}
		c.mu.Unlock()
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		if clock.Wait(ctx, pause) != nil {
			return
		}
	}
}

// once runs the program to its end.
func (c *Command) once(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.words[0], c.words[1:]...) // the owner's own command
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var complaint tailBuffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("%s: %w", c.words[0], err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.words[0], err)
	}
	c.read(out)
	err = cmd.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.problem = complaint.line(); c.problem == "" && err != nil {
		c.problem = err.Error()
	}
	return err
}

func (c *Command) read(out io.Reader) {
	in := bufio.NewReaderSize(out, 256<<10)
	for {
		line, err := in.ReadString('\n')
		if whole := strings.HasSuffix(line, "\n"); whole || strings.Contains(line, PushWord) {
			c.mu.Lock()
			c.lines = append(c.lines, strings.TrimSuffix(line, "\n"))
			c.last = time.Now()
			c.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// Poll gives the lines that came since the last call.
func (c *Command) Poll(each func(string)) error {
	c.mu.Lock()
	lines := c.lines
	c.lines = nil
	c.mu.Unlock()
	for _, l := range lines {
		each(l)
	}
	return nil
}

// Quiet waits until nothing was printed for the settle time, counted from now.
func (c *Command) Quiet(ctx context.Context) error {
	asked := time.Now()
	for {
		c.mu.Lock()
		last := c.last
		c.mu.Unlock()
		if last.Before(asked) {
			last = asked
		}
		left := c.settle - time.Since(last)
		if left <= 0 || time.Since(asked) > 10*c.settle {
			return nil
		}
		if err := clock.Wait(ctx, left); err != nil {
			return err
		}
	}
}

// Health is an error when the program does not run on.
func (c *Command) Health() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends > 0 && c.problem != "" {
		return fmt.Errorf("the log command %q ended %d times: %s", strings.Join(c.words, " "), c.ends, c.problem)
	}
	return nil
}

// Printed says whether lines wait to be polled.
func (c *Command) Printed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lines) > 0
}

// Close ends the command.
func (c *Command) Close() error {
	c.stop()
	c.ended.Wait()
	return nil
}

// Describe is the command.
func (c *Command) Describe() string { return strings.Join(c.words, " ") }

// tailBuffer keeps the end of what is written to it.
type tailBuffer struct {
	mu   sync.Mutex
	data []byte
}

const tailKept = 4 << 10

// Write implements io.Writer.
func (b *tailBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	if len(b.data) > tailKept {
		b.data = bytes.Clone(b.data[len(b.data)-tailKept:])
	}
	return len(p), nil
}

// line is the last line that says something.
func (b *tailBuffer) line() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(b.data)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
