package chaos

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// logFile is the management log, to which what befalls logs can be done.
type logFile struct {
	mu   sync.Mutex
	file *os.File
	n    int // of rotations
}

func openLog(path string) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the management log: %w", err)
	}
	return &logFile{file: f}, nil
}

// Write implements io.Writer.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}

// rotate moves the file away and begins a new one.
func (l *logFile) rotate() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	name := l.file.Name()
	if err := errors.Join(l.file.Close(), os.Rename(name, fmt.Sprintf("%s.%d", name, l.n))); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	l.file = f
	return err
}

// truncate empties the file, as after copying it.
func (l *logFile) truncate() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Truncate(0)
}

// stop keeps lines from being written until what it returns is called.
func (l *logFile) stop() (goOn func()) {
	l.mu.Lock()
	return l.mu.Unlock
}

func (l *logFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
