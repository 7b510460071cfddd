//go:build linux

// Package supervise is what whoever runs an HAProxy in master-worker mode must know of it: how it is started, what it
// says of its state, which sockets a worker still holds, and how its admin socket is asked. It starts and ends nothing.
//
// Before changing it know that a master says that it is ready when it has told the former worker to finish, not when
// that worker has heard it.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// ErrExited says that the master ended.
var ErrExited = errors.New("HAProxy ended")

// Ready is the word by which HAProxy says that it serves.
const Ready = "READY=1"

// Command is the command line of a master in the foreground, as the Debian unit has it.
func Command(program, live, pid string) []string {
	return []string{program, "-Ws", "-f", live, "-p", pid}
}

// States are what HAProxy tells of its state, as it tells systemd.
type States struct {
	conn   *net.UnixConn
	said   chan string   // newest last
	reader chan struct{} // closed when nothing is read any more
}

// Listen opens the socket that NOTIFY_SOCKET names.
func Listen(path string) (*States, error) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("opening HAProxy's state socket: %w", err)
	}
	s := &States{conn: conn, said: make(chan string, 64), reader: make(chan struct{})}
	go s.read()
	return s, nil
}

// read passes states on until the socket closes. They are forgotten before every wait; should the channel still run
// full, the oldest state goes.
func (s *States) read() {
	defer close(s.reader)
	buf := make([]byte, 4096)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			return
		}
		for sent := false; !sent; {
			select {
			case s.said <- string(buf[:n]):
				sent = true
			default:
				select {
				case <-s.said:
				default:
				}
			}
		}
	}
}

// Until waits for a state that holds the word. The error is ErrExited when the master ends first.
func (s *States) Until(ctx context.Context, exited <-chan struct{}, word string) (string, error) {
	last := "nothing"
	for {
		select {
		case state := <-s.said:
			if last = state; strings.Contains(state, word) {
				return state, nil
			}
		case <-exited:
			return "", ErrExited
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for HAProxy to say %s (it last said %q): %w", word, last, ctx.Err())
		}
	}
}

// Forget drops what was said so far.
func (s *States) Forget() {
	for {
		select {
		case <-s.said:
		default:
			return
		}
	}
}

// Close ends the listening.
func (s *States) Close() error {
	err := s.conn.Close()
	<-s.reader
	return err
}
