package chaos

import (
	"fmt"
	"io"
	"net"
	"sync"
)

// tables stands between runs and the database, and can be cut, or lead to another server.
type tables struct {
	listener net.Listener
	serving  sync.WaitGroup

	mu   sync.Mutex
	to   string
	away bool
	open map[net.Conn]bool
}

func openTables(port int) (*tables, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening in front of the database: %w", err)
	}
	t := &tables{listener: l, open: map[net.Conn]bool{}}
	t.lead(port)
	t.serving.Go(t.serve)
	return t, nil
}

// address is where runs find the database.
func (t *tables) address() string { return t.listener.Addr().String() }

func (t *tables) serve() {
	for {
		in, err := t.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", t.behind())
		if err != nil || !t.keep(in, out) {
			_ = in.Close()
			if out != nil {
				_ = out.Close()
			}
			continue
		}
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			t.serving.Go(func() {
				_, _ = io.Copy(pair[1], pair[0]) // it ends when either side does
				t.drop(in, out)
			})
		}
	}
}

// lead sends connections to the server at this port from now on; those that are open stay where they are.
func (t *tables) lead(port int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.to = fmt.Sprintf("127.0.0.1:%d", port)
}

func (t *tables) behind() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.to
}

func (t *tables) keep(all ...net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away {
		return false
	}
	for _, c := range all {
		t.open[c] = true
	}
	return true
}

func (t *tables) drop(all ...net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range all {
		if t.open[c] {
			_ = c.Close()
			delete(t.open, c)
		}
	}
}

// cut ends all connections and takes no others until heal.
func (t *tables) cut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.away = true
	for c := range t.open {
		_ = c.Close()
		delete(t.open, c)
	}
}

func (t *tables) heal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.away = false
}

func (t *tables) close() error {
	err := t.listener.Close()
	t.cut()
	t.serving.Wait()
	return err
}
