package dataplane

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// answerLimit bounds an answer, head included.
const answerLimit = 64 << 10

// originLimit bounds the memory of answers: a page with a clock in it never comes twice.
const originLimit = 1024

var (
	errTimeout     = errors.New("timeout")
	errInterrupted = errors.New("interrupted")
)

// Origin is who answered a request, and whose request it was in the answerer's eyes.
type Origin struct {
	// Backend is the answerer's own id, such as ip:port.
	Backend string
	// Source is the client's address as the answerer knows it; Told says that somebody told it (PROXY line,
	// X-Forwarded-For), so that it is not merely the load balancer's address.
	Source string
	Told   bool
}

// Identify reads the body of the backends of package network: lines "backend <id>", "source <ip>", "via <how>".
func Identify(body []byte) (Origin, error) {
	var o Origin
	for line := range bytes.Lines(body) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		switch string(name) {
		case "backend":
			o.Backend = string(value)
		case "source":
			o.Source = string(value)
		case "via":
			o.Told = string(value) != "connection"
		}
	}
	if o.Backend == "" {
		first, _, _ := bytes.Cut(body, []byte("\n"))
		return o, fmt.Errorf("the answer does not name its backend: %.60q", first)
	}
	return o, nil
}

// client is one source address with what it remembers.
type client struct {
	from  netip.Addr
	name  string
	local netip.Addr
	// sources is what the backends of either rule were told of it, cookies what they gave it.
	sources [sides]string
	cookies [sides]string
}

// told is the client's address in the eyes of the backends; the target's view goes first. Empty where they do not know.
func (c *client) told() string {
	if c.sources[targetSide] != "" {
		return c.sources[targetSide]
	}
	return c.sources[controlSide]
}

// asker makes requests one after another. It keeps its memory, so that requests cost little garbage.
type asker struct {
	config *Config
	in     []byte
	out    []byte
	shown  *x509.Certificate // by the other end of the newest connection
	// origins by answer: the same few answers come again and again.
	origins map[string]Origin

	mu    sync.Mutex
	since time.Time
	conn  net.Conn
	ended error
}

func newAsker(c *Config) *asker {
	return &asker{config: c, in: make([]byte, 4096), origins: map[string]Origin{}}
}

// expire cuts a request that is under way for longer than the limit; a dial ends with the context.
func (a *asker) expire(limit time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.IsZero() || time.Since(a.since) < limit {
		return false
	}
	a.cut(errTimeout)
	return true
}

// interrupt cuts a request that is under way, because the pass is over.
func (a *asker) interrupt() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.since.IsZero() && a.ended == nil {
		a.cut(errInterrupted)
	}
}

func (a *asker) cut(why error) {
	a.ended = why
	if a.conn != nil {
		_ = a.conn.SetDeadline(time.Unix(1, 0))
	}
}

func (a *asker) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since, a.conn, a.ended = time.Now(), nil, nil
}

// attach makes a connection the one to cut; nil before it is closed.
func (a *asker) attach(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conn = conn
	if a.ended != nil && conn != nil {
		_ = conn.SetDeadline(time.Unix(1, 0))
	}
}

func (a *asker) end() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since, a.conn = time.Time{}, nil
	return a.ended
}

// ask sends one request over a new connection, reads the answer to its end and closes.
func (a *asker) ask(ctx context.Context, c *client, side int, first bool) (Origin, error) {
	a.begin()
	answer, err := a.exchange(ctx, c, side, first)
	ended := a.end()
	switch {
	case err == nil:
		return a.read(answer, c, side)
	case errors.Is(ended, errTimeout):
		return Origin{}, fmt.Errorf("%w of %s: not answered", errTimeout, a.config.Timeout)
	case ended != nil || ctx.Err() != nil:
		return Origin{}, errInterrupted
	}
	return Origin{}, err
}

func (a *asker) exchange(ctx context.Context, c *client, side int, first bool) ([]byte, error) {
	rule := a.config.Target
	if side == controlSide {
		rule = a.config.Control
	}
	to := rule.Address
	conn, err := a.config.Dialer.Dial(ctx, c.from, to)
	if err != nil {
		return nil, err
	}
	a.attach(conn)
	if rule.TLS {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	answer, err := a.talk(conn, to, c.cookies[side])
	a.shown = certificateOf(conn)
	if first && err == nil {
		c.local = localAddress(conn)
	}
	a.attach(nil)
	if closing := conn.Close(); err == nil {
		err = closing
	}
	return answer, err
}

func localAddress(conn net.Conn) netip.Addr {
	if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// talk writes the request and reads until the other side closes.
func (a *asker) talk(conn net.Conn, to netip.AddrPort, cookie string) ([]byte, error) {
	a.out = append(append(append(a.out[:0], "GET "...), a.config.Path...), " HTTP/1.1\r\nHost: "...)
	if a.config.Host != "" {
		a.out = append(a.out, a.config.Host...)
	} else {
		a.out = to.AppendTo(a.out)
	}
	if cookie != "" {
		a.out = append(append(a.out, "\r\nCookie: "...), cookie...)
	}
	a.out = append(a.out, "\r\nConnection: close\r\n\r\n"...)
	if _, err := conn.Write(a.out); err != nil {
		return nil, err
	}
	have := 0
	for {
		if have == len(a.in) {
			if have >= answerLimit {
				return nil, fmt.Errorf("the answer is longer than %d bytes", answerLimit)
			}
			a.in = append(a.in, make([]byte, len(a.in))...)
		}
		n, err := conn.Read(a.in[have:])
		have += n
		if errors.Is(err, io.EOF) {
			return a.in[:have], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// read takes an answer apart.
func (a *asker) read(answer []byte, c *client, side int) (Origin, error) {
	head, body, whole := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !whole || !bytes.HasPrefix(head, []byte("HTTP/1.")) {
		return Origin{}, fmt.Errorf("no HTTP answer but %.60q", answer)
	}
	status, headers, _ := bytes.Cut(head, []byte("\r\n"))
	if _, code, _ := bytes.Cut(status, []byte(" ")); len(code) == 0 || code[0] == '5' {
		return Origin{}, fmt.Errorf("answer %q", status)
	}
	if a.config.Method == ByCookie {
		keepCookies(headers, &c.cookies[side])
	}
	if a.config.Identity != nil {
		return a.config.Identity(Answer{Head: head, Body: body, Certificate: a.shown})
	}
	if o, ok := a.origins[string(body)]; ok {
		return o, nil
	}
	o, err := a.config.Identify(body)
	if err != nil {
		return Origin{}, err
	}
	if len(a.origins) < originLimit {
		a.origins[string(body)] = o
	}
	return o, nil
}

// keepCookies takes over every Set-Cookie header, name and value only. HAProxy sets one cookie a rule.
func keepCookies(headers []byte, jar *string) {
	for line := range bytes.Lines(headers) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(name, []byte("set-cookie")) {
			continue
		}
		pair, _, _ := strings.Cut(strings.TrimSpace(string(value)), ";")
		*jar = replaceCookie(*jar, pair)
	}
}

func replaceCookie(jar, pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	kept := []string{pair}
	for _, p := range strings.Split(jar, "; ") {
		if n, _, _ := strings.Cut(p, "="); p != "" && n != name {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "; ")
}
