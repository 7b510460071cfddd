package routers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/probes/dataplane"
)

// Connector is a Routers that also lends single connections from a client's address to a rule of the router.
type Connector interface {
	Connect(ctx context.Context, routerName string, from netip.Addr, to netip.AddrPort) (net.Conn, error)
}

// requestTime bounds one request of a client.
const requestTime = 5 * time.Second

// client is one connection that stays open.
type client struct {
	from netip.Addr
	conn net.Conn
	in   *bufio.Reader
	home string // backend of the last answer
}

func (t ClientLooks) connect(r *objects.Rule, from netip.Addr) (*client, error) {
	lender, ok := t.site.Routers.(Connector)
	if !ok {
		t.Unsupported("the target lends no single connections from clients' addresses")
	}
	ctx, cancel := context.WithTimeout(t.ctx, requestTime)
	defer cancel()
	conn, err := lender.Connect(ctx, r.Network.Router(), from, r.Endpoint())
	if err != nil {
		return nil, err
	}
	return &client{from: from, conn: conn, in: bufio.NewReader(conn)}, nil
}

// ask sends a request and notes which backend answered.
func (c *client) ask(r *objects.Rule) error {
	_, err := c.get(r, "")
	return err
}

// get is ask with header lines of the client's own, each with its end. It gives what the backend answered.
func (c *client) get(r *objects.Rule, headers string) ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(requestTime)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(c.conn, "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n", r.Endpoint(), headers); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	origin, err := dataplane.Identify(body)
	c.home = origin.Backend
	return body, err
}

// Lines are connections that stay open across changes.
type Lines struct {
	t       ClientLooks
	rule    *objects.Rule
	clients []*client
	homes   map[netip.Addr]string
}

// OpenLines opens count connections to the rule, each from an address of its own, and has each answered once.
func (t ClientLooks) OpenLines(r *objects.Rule, count int) *Lines {
	defer t.Step("%d long connections to %s", count, r.Name)()
	l := &Lines{t: t, rule: r, homes: map[netip.Addr]string{}}
	t.OnCleanup("closing long connections", func(context.Context) error { l.hangUp(); return nil })
	for _, from := range t.site.Routers.Clients()[:count] {
		c, err := t.connect(r, from)
		t.Must(err, "connecting to %s from %s", r, from)
		l.clients = append(l.clients, c)
		t.Must(c.ask(r), "the first request of %s to %s", from, r)
		l.homes[from] = c.home
	}
	return l
}

// ExpectStay expects that every connection is still answered, by the backend that answered first.
func (l *Lines) ExpectStay() {
	t := l.t
	defer t.Step("long connections to %s stay", l.rule.Name)()
	t.Checked(1)
	var lost []string
	for _, c := range l.clients {
		if err := c.ask(l.rule); err != nil {
			lost = append(lost, fmt.Sprintf("%s: %v", c.from, err))
		} else if c.home != l.homes[c.from] {
			lost = append(lost, fmt.Sprintf("%s moved from %s to %s", c.from, l.homes[c.from], c.home))
		}
	}
	if len(lost) > 0 {
		t.Fail(result.LostConnections, fmt.Sprintf("%d of %d long connections to %s did not outlive the change: %s",
			len(lost), len(l.clients), l.rule, lost[0]),
			result.Evidence{Kind: result.KindNote, Title: "long connections", Text: strings.Join(lost, "\n")})
	}
}

// Close ends the connections.
func (l *Lines) Close() {
	defer l.t.Step("long connections end")()
	l.hangUp()
}

func (l *Lines) hangUp() {
	for _, c := range l.clients {
		_ = c.conn.Close() // the other side may have closed it
	}
	l.clients = nil
}

// ExpectWorkers expects that the router has that many HAProxy workers, within some seconds: a former one ends when its
// last connection does.
func (t RouterLooks) ExpectWorkers(n *objects.Network, want int) {
	defer t.Step("%d HAProxy workers", want)()
	t.Checked(1)
	deadline := time.Now().Add(workersTime)
	for {
		files, _ := t.filesOf(n.Router())
		switch {
		case files.Workers == want:
			return
		case time.Now().After(deadline):
			t.Fail(result.OldWorkers, fmt.Sprintf("router %s has %d HAProxy workers, want %d: those that should "+
				"have ended hold the configuration of before", n.Router(), files.Workers, want))
			return
		}
		select {
		case <-time.After(workersStep):
		case <-t.ctx.Done():
			t.Must(context.Cause(t.ctx), "waiting for workers to end")
		}
	}
}

// workersTime is real time: processes do not follow a target's clock.
const (
	workersTime = 5 * time.Second
	workersStep = 5 * time.Millisecond
)

// ExpectAdmitted expects that the rule serves exactly the clients of the list, and refuses the others.
func (t ClientLooks) ExpectAdmitted(r *objects.Rule, clients ...netip.Addr) {
	defer t.Step("whom %s serves", r.Name)()
	t.Checked(1)
	var wrong []string
	for _, from := range t.site.Routers.Clients() {
		c, err := t.connect(r, from)
		if err == nil {
			err = c.ask(r)
			_ = c.conn.Close() // refused connections are closed already
		}
		if admitted := err == nil; admitted != slices.Contains(clients, from) {
			wrong = append(wrong, fmt.Sprintf("%s: served %t, want %t", from, admitted, !admitted))
		}
	}
	if len(wrong) > 0 {
		t.Fail(result.WrongClients, fmt.Sprintf("%s has source list %v, but serves others: %s", r, clients, wrong[0]),
			result.Evidence{Kind: result.KindNote, Title: "clients served against the list",
				Text: strings.Join(wrong, "\n")})
	}
}

// Clients are source addresses that requests can come from.
func (t ClientLooks) Clients(count int) []netip.Addr {
	all := t.site.Routers.Clients()
	if len(all) < count {
		t.Unsupported("the target has %d client addresses, the scenario needs %d", len(all), count)
	}
	return all[:count]
}
