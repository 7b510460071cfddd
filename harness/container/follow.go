package container

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// follower copies a growing file of the container to one of ours.
type follower struct {
	file *os.File
	s    *stream
	done chan error
}

// follow starts at the file's beginning and waits for it when it is not there yet. The tail ends with its standard
// input, so that it does not outlive us in a container that is kept.
func follow(ctx context.Context, e *engine, container, path, into string) (*follower, error) {
	f, err := os.Create(into)
	if err != nil {
		return nil, fmt.Errorf("keeping %s of the container: %w", path, err)
	}
	s, err := e.stream(ctx, container, []string{"bash", "-c",
		`tail -n +1 -F "$1" 2>/dev/null & t=$!; cat >/dev/null; kill $t`, "follow", path})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w := &follower{file: f, s: s, done: make(chan error, 1)}
	go func() {
		_, err := stdcopy.StdCopy(f, f, s.Reader)
		w.done <- err
	}()
	return w, nil
}

// close ends the copy; that it was cut off is no error.
func (w *follower) close() error {
	w.s.Close()
	if err := <-w.done; err != nil {
		fmt.Fprintln(w.file, "(cut off:", err.Error()+")")
	}
	return w.file.Close()
}
