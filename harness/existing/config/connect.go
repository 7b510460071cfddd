package config

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Connect is a client of the target's API, for verbs that need no more of it. The trace may be nil.
func (c *Config) Connect(trace io.Writer) (*cloud.Client, error) {
	o, err := c.checked()
	if err != nil {
		return nil, err
	}
	o.Trace = trace
	return cloud.New(o)
}

// Check reports what is wrong with the configuration as far as that can be told without a server.
func (c *Config) Check() error {
	_, err := c.checked()
	return err
}

func (c *Config) checked() (cloud.Options, error) {
	if err := c.check(); err != nil {
		return cloud.Options{}, err
	}
	o, err := c.Options()
	if err != nil {
		return o, err
	}
	return o, o.Check()
}

// RestartUsage runs the command that restarts the usage server; false: none is configured. One word with blanks is for
// a shell.
func (c *Config) RestartUsage(ctx context.Context) (bool, error) {
	words := []string(c.Restart)
	switch len(words) {
	case 0:
		return false, nil
	case 1:
		words = []string{"sh", "-c", words[0]}
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) // the target's owner wrote the command
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return true, fmt.Errorf("restart_usage: %s: %w: %s", strings.Join(c.Restart, " "), err,
			firstLine(said.String()))
	}
	return true, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
