package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// DefaultRelay connects its standard streams with a port of the container, with nothing but bash and cat: the simulator
// image lets its database listen on the inside only, and has no relay installed. It ends when either side does.
func DefaultRelay(port int) []string {
	return []string{"bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d || exit 1; cat <&0 >&3 & a=$!; cat <&3 "+
		"& b=$!; wait -n; kill $a $b 2>/dev/null; exit 0", port)}
}

// tunnel is a port on loopback behind which each connection is a command in the container.
type tunnel struct {
	engine    *engine
	container string
	relay     []string
	listener  net.Listener
	working   sync.WaitGroup
	ctx       context.Context //nolint:containedctx // ends the connections, which outlive every call
	stop      context.CancelFunc

	mu   sync.Mutex
	last string // what a relay complained of last
}

func openTunnel(ctx context.Context, e *engine, container string, relay []string) (*tunnel, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a port for the container's database: %w", err)
	}
	t := &tunnel{engine: e, container: container, relay: relay, listener: l}
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.working.Add(1)
	go t.serve()
	return t, nil
}

func (t *tunnel) address() string { return t.listener.Addr().String() }

func (t *tunnel) serve() {
	defer t.working.Done()
	for {
		c, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.working.Add(1)
		go func() {
			defer t.working.Done()
			t.carry(c)
		}()
	}
}

// carry moves bytes both ways until one side ends.
func (t *tunnel) carry(c net.Conn) {
	defer c.Close()
	s, err := t.engine.stream(t.ctx, t.container, t.relay)
	if err != nil {
		t.complain(err.Error())
		return
	}
	defer s.Close()
	end := context.AfterFunc(t.ctx, func() { s.Close(); _ = c.Close() })
	defer end()
	var up sync.WaitGroup
	up.Add(1)
	go func() {
		defer up.Done()
		_, _ = io.Copy(s.Conn, c) // either end ends the other; the client sees a closed connection
		_ = s.CloseWrite()
	}()
	var complaints bytes.Buffer
	if _, err := stdcopy.StdCopy(c, &complaints, s.Reader); err != nil && t.ctx.Err() == nil &&
		!errors.Is(err, net.ErrClosed) {
		t.complain(err.Error())
	}
	if complaints.Len() > 0 {
		t.complain(complaints.String())
	}
	_ = c.Close()
	up.Wait()
}

func (t *tunnel) complain(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = oneLine(text)
}

// complaint is why connections fail, as far as a relay said so.
func (t *tunnel) complaint() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.last)
}

func (t *tunnel) close() error {
	err := t.listener.Close()
	t.stop()
	t.working.Wait()
	return err
}
