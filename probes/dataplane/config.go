package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

const (
	// DefaultRequests is M: requests of each client, the first of which primes.
	DefaultRequests = 5
	// DefaultClients is N: coprime to every number of backends but its own multiples, and far below any table size.
	DefaultClients = 31
	// DefaultTimeout bounds one request, connect included.
	DefaultTimeout = 5 * time.Second

	maxPasses = 3
)

// Target is a load balancer rule as a client sees it.
type Target struct {
	// Rule names it in messages.
	Rule string `json:"rule"`
	// Address is the public address and port.
	Address netip.AddrPort `json:"address"`
	// TLS says that its clients speak TLS. Certificates are not verified.
	TLS bool `json:"tls,omitempty"`
}

// Dialer opens a connection from a given source address.
type Dialer interface {
	Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error)
}

// Watch tells whether the router changed. Mark is opaque: it must contain the start of the router's process and the
// number of pushes, so that two equal marks mean that nothing happened in between.
type Watch interface {
	Mark(ctx context.Context) (string, error)
}

// Tables reads how many entries a rule's stick table has. known is false where the rule has none or the view is
// missing.
type Tables interface {
	Table(ctx context.Context, rule string) (used int, known bool, err error)
}

// Method is how a client is recognised by the rule under test.
type Method string

// The two methods: by source address (SourceBased), or by a cookie that the client was given (LbCookie).
const (
	BySource Method = "source"
	ByCookie Method = "cookie"
)

// Config says what to probe. Target, Control, Clients and Dialer are required.
type Config struct {
	// Target is the rule in question, Control a rule without policy on the same router in front of the same backends.
	Target, Control Target
	// Clients are distinct source addresses, at least two.
	Clients []netip.Addr
	Dialer  Dialer
	// Watch is nil where the router cannot be seen; the observation then says so.
	Watch Watch
	// Tables is nil where there is no admin view.
	Tables Tables
	Method Method

	// Requests is M, at least 2; 0 means DefaultRequests.
	Requests int
	// Seed makes the shuffles repeatable.
	Seed uint64
	// Timeout bounds one request; 0 means DefaultTimeout.
	Timeout time.Duration
	// Parallel is how many clients of a shuffled round are under way at once; 0 means one. A client never has two
	// connections to one rule at once, and the first contact is serial whatever is said here.
	Parallel int

	// Backends is the number of live backends behind the control rule where it is known, else 0.
	Backends int
	// TableSize is the size of the rule's stick table where it is known, else 0.
	TableSize int
	// TableExpiry is how long an entry lives unused where it is known, else 0.
	TableExpiry time.Duration

	// Identify reads from an answer's body who sent it; nil means Identify of this package.
	Identify func(body []byte) (Origin, error)
	// Identity reads it from the whole answer instead, where it is not nil.
	Identity Identity
	// Path of the requests; "" means /.
	Path string
	// Host is the requests' Host header; "" means the address.
	Host string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// checked gives the configuration with its defaults, or says what is wrong with it.
func (c Config) checked() (Config, error) {
	if c.Requests == 0 {
		c.Requests = DefaultRequests
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Method == "" {
		c.Method = BySource
	}
	if c.Identify == nil {
		c.Identify = Identify
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Path == "" {
		c.Path = "/"
	}
	c.Parallel = max(1, min(c.Parallel, len(c.Clients)))
	if err := c.refuse(); err != nil {
		return c, fmt.Errorf("stickiness probe of %s: %w", c.Target.Rule, err)
	}
	return c, nil
}

// Check says what is wrong with a configuration, without probing.
func (c Config) Check() error {
	_, err := c.checked()
	return err
}

func (c Config) refuse() error {
	switch {
	case c.Dialer == nil:
		return errors.New("no dialer")
	case !c.Target.Address.IsValid() || !c.Control.Address.IsValid():
		return errors.New("target and control rule need an address and port each")
	case c.Target.Address == c.Control.Address:
		return fmt.Errorf("target and control are the same address %s: name a rule without policy as control",
			c.Control.Address)
	case c.Requests < 2:
		return fmt.Errorf("%d requests for each client: at least 2 are needed to see a move", c.Requests)
	case len(c.Clients) < 2:
		return fmt.Errorf("%d clients: at least 2 are needed, %d are usual", len(c.Clients), DefaultClients)
	case c.Method != BySource && c.Method != ByCookie:
		return fmt.Errorf("method %q: want %s or %s", c.Method, BySource, ByCookie)
	}
	seen := map[netip.Addr]bool{}
	for _, a := range c.Clients {
		if seen[a] {
			return fmt.Errorf("client address %s is given twice", a)
		}
		seen[a] = true
	}
	return nil
}
