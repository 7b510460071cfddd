package network

import (
	"bytes"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// requestLimit bounds a request's head; the connection of a longer one is closed.
	requestLimit = 8192
	// idleLimit ends a connection on which nothing comes, such as one that a health check left open.
	idleLimit = 30 * time.Second
	// acceptPause is how long a listener rests when the program has no file descriptor left, as net/http does.
	acceptPause = 5 * time.Millisecond
)

// accept serves connections until the listener is closed.
func (m *member) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(acceptPause)
			continue
		}
		if !m.adopt(c) {
			_ = c.Close()
			return
		}
		m.running.Go(func() { m.serve(c) })
	}
}

// adopt remembers a connection so that stop can cut it; false when the member has been stopped.
func (m *member) adopt(c net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conns == nil {
		return false
	}
	m.conns[c] = struct{}{}
	return true
}

// stop closes the listener and all connections and waits for their goroutines.
func (m *member) stop() error {
	if m.listener == nil {
		return nil
	}
	err := m.listener.Close()
	m.listener = nil
	m.mu.Lock()
	for c := range m.conns {
		_ = c.Close()
	}
	m.conns = nil
	m.mu.Unlock()
	m.running.Wait()
	return err
}

// count adds one request of a source without garbage for a source that is known.
func (m *member) count(source []byte) {
	m.requests.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.sources[string(source)]
	if n == nil {
		n = new(atomic.Int64)
		m.sources[string(source)] = n
	}
	n.Add(1)
}

func (m *member) seen() map[string]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := make(map[string]int64, len(m.sources))
	for s, n := range m.sources {
		seen[s] = n.Load()
	}
	return seen
}

// buffers are reused between connections: a probe opens thousands a second. The pool holds no state, only memory.
var buffers = sync.Pool{New: func() any { return new(exchange) }}

// exchange is the memory of one connection being served.
type exchange struct {
	in    [requestLimit]byte
	out   [1024]byte
	peer  [64]byte
	proxy [64]byte
}

// serve answers every request on a connection with 200 and a body of three lines, "backend <ip:port>", "source <ip>"
// and "via <proxy|x-forwarded-for|connection>": who answers, whose request it is, and how the backend knows.
func (m *member) serve(c net.Conn) {
	e := buffers.Get().(*exchange)
	defer func() {
		buffers.Put(e)
		m.mu.Lock()
		delete(m.conns, c)
		m.mu.Unlock()
		_ = c.Close()
	}()
	peer := e.peer[:0]
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		peer = a.AddrPort().Addr().Unmap().AppendTo(peer)
	}
	_ = c.SetDeadline(time.Now().Add(idleLimit))
	have := 0
	proxied := e.proxy[:0]
	for first := true; ; first = false {
		head, rest := readHead(c, e.in[:], have)
		if head == nil {
			return
		}
		if first {
			head, proxied = cutProxy(head, proxied)
		}
		r := parseRequest(head)
		out, source := m.answer(e.out[:0], r, proxied, peer)
		// HAProxy's httpchk asks OPTIONS: a check is nobody's request.
		if !bytes.HasPrefix(head, []byte("OPTIONS ")) {
			m.count(source)
		}
		body, ok := discardBody(c, e.in[:], rest, r.length)
		if !ok {
			return
		}
		have = body
		if _, err := c.Write(out); err != nil || r.closing {
			return
		}
		_ = c.SetDeadline(time.Now().Add(idleLimit))
	}
}

// readHead reads until the empty line. It gives the head and what was read behind it; nil when the connection ended
// before.
func readHead(c net.Conn, in []byte, have int) (head, rest []byte) {
	for {
		if i := bytes.Index(in[:have], []byte("\r\n\r\n")); i >= 0 {
			return in[:i+4], in[i+4 : have]
		}
		if have == len(in) {
			return nil, nil
		}
		n, err := c.Read(in[have:])
		if n == 0 && err != nil {
			return nil, nil
		}
		have += n
	}
}

// discardBody drops a request's body and moves what follows to the front of the buffer; it gives how much that is.
func discardBody(c net.Conn, in, rest []byte, length int) (int, bool) {
	if length <= len(rest) {
		return copy(in, rest[length:]), true
	}
	for length -= len(rest); length > 0; {
		n, err := c.Read(in[:min(length, len(in))])
		if n == 0 && err != nil {
			return 0, false
		}
		length -= n
	}
	return 0, true
}

// cutProxy takes a PROXY line (version 1, HAProxy's send-proxy) off the front and gives its source address.
func cutProxy(head, source []byte) (rest, from []byte) {
	if !bytes.HasPrefix(head, []byte("PROXY ")) {
		return head, nil
	}
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	fields := bytes.Fields(line)
	if len(fields) < 3 {
		return rest, nil
	}
	return rest, append(source, fields[2]...)
}

// request is what serve needs to know of a request.
type request struct {
	forwarded []byte
	proto     []byte // all values of X-Forwarded-Proto, in their order
	length    int
	closing   bool
}

// parseRequest reads a head. HAProxy appends its X-Forwarded-For behind one that the client sent: the last one counts.
func parseRequest(head []byte) request {
	line, head, _ := bytes.Cut(head, []byte("\r\n"))
	r := request{closing: !bytes.HasSuffix(line, []byte("HTTP/1.1"))}
	for len(head) > 0 {
		line, head, _ = bytes.Cut(head, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("x-forwarded-for")):
			r.forwarded = bytes.TrimSpace(value[bytes.LastIndexByte(value, ',')+1:])
		case bytes.EqualFold(name, []byte("x-forwarded-proto")):
			if r.proto != nil {
				r.proto = append(r.proto, ", "...)
			}
			r.proto = append(r.proto, value...)
		case bytes.EqualFold(name, []byte("connection")):
			r.closing = bytes.EqualFold(value, []byte("close")) || r.closing &&
				!bytes.EqualFold(value, []byte("keep-alive"))
		case bytes.EqualFold(name, []byte("content-length")):
			if n, err := strconv.Atoi(string(value)); err == nil && n > 0 {
				r.length = n
			}
		}
	}
	return r
}

// answer writes the response behind out and gives the source that it names.
func (m *member) answer(out []byte, r request, proxied, peer []byte) (response, source []byte) {
	source, via := peer, "connection"
	switch {
	case len(proxied) > 0:
		source, via = proxied, "proxy"
	case len(r.forwarded) > 0:
		source, via = r.forwarded, "x-forwarded-for"
	}
	source = source[:min(len(source), 64)]
	connection := "keep-alive"
	if r.closing {
		connection = "close"
	}
	length := len("backend \nsource \nvia \n") + len(m.id) + len(source) + len(via)
	proto := r.proto[:min(len(r.proto), 64)]
	if proto != nil {
		length += len("proto \n") + len(proto)
	}
	out = append(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: "...)
	out = append(out, connection...)
	out = append(out, "\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(length), 10)
	out = append(out, "\r\n\r\nbackend "...)
	out = append(out, m.id...)
	out = append(out, "\nsource "...)
	out = append(out, source...)
	out = append(out, "\nvia "...)
	out = append(out, via...)
	if proto != nil {
		out = append(out, "\nproto "...)
		out = append(out, proto...)
	}
	return append(out, '\n'), source
}
