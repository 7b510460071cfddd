package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sort"
	"sync"
	"sync/atomic"
)

// Backends are the members behind a router: real TCP servers at guest addresses that speak enough HTTP/1.x for a probe,
// a health check and a person with curl. See serve for what they answer.
type Backends struct {
	guests *Namespace

	mu      sync.Mutex
	closed  bool
	members map[netip.AddrPort]*member
}

// member is one address:port. It outlives its listener: a stopped member keeps its counts and its address.
type member struct {
	id       string
	listener net.Listener
	running  sync.WaitGroup

	requests atomic.Int64
	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	sources  map[string]*atomic.Int64
}

// NewBackends gives the backends of a guests namespace, without members.
func NewBackends(guests *Namespace) *Backends {
	return &Backends{guests: guests, members: map[netip.AddrPort]*member{}}
}

// Backends gives backends in the site's guests namespace.
func (s *Site) Backends() *Backends { return NewBackends(s.Guests) }

// SetMembers makes the running members exactly those given: new ones are started (their address added), missing ones
// are stopped and forgotten (their address taken away when no other member has it), the others are left alone, stopped
// ones too.
func (b *Backends) SetMembers(ctx context.Context, members []netip.AddrPort) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errors.New("backends are closed")
	}
	wanted := make(map[netip.AddrPort]bool, len(members))
	hosts := map[netip.Addr]bool{}
	for _, m := range members {
		if !m.IsValid() || m.Port() == 0 {
			return fmt.Errorf("backend %q: want address:port", m)
		}
		wanted[m], hosts[m.Addr()] = true, true
	}
	var errs []error
	for at, m := range b.members {
		if wanted[at] {
			continue
		}
		errs = append(errs, m.stop())
		delete(b.members, at)
		if !hosts[at.Addr()] {
			errs = append(errs, b.guests.RemoveAddress(ctx, at.Addr()))
		}
	}
	for at := range wanted {
		if b.members[at] == nil {
			errs = append(errs, b.add(ctx, at))
		}
	}
	return errors.Join(errs...)
}

func (b *Backends) add(ctx context.Context, at netip.AddrPort) error {
	if err := b.guests.EnsureAddress(ctx, at.Addr()); err != nil {
		return err
	}
	m := &member{id: at.String(), sources: map[string]*atomic.Int64{}}
	if err := b.start(ctx, at, m); err != nil {
		return err
	}
	b.members[at] = m
	return nil
}

func (b *Backends) start(ctx context.Context, at netip.AddrPort, m *member) error {
	l, err := b.guests.Listen(ctx, at)
	if err != nil {
		return fmt.Errorf("backend %s: %w", at, err)
	}
	m.listener = l
	m.mu.Lock()
	m.conns = map[net.Conn]struct{}{}
	m.mu.Unlock()
	m.running.Go(func() { m.accept(l) })
	return nil
}

// StopMember makes a member refuse connections and cuts those it has. Its address stays.
func (b *Backends) StopMember(at netip.AddrPort) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.members[at]
	if m == nil {
		return fmt.Errorf("backend %s: no such member", at)
	}
	return m.stop()
}

// StartMember starts a stopped member again. A running one is left alone.
func (b *Backends) StartMember(ctx context.Context, at netip.AddrPort) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.members[at]
	if m == nil {
		return fmt.Errorf("backend %s: no such member", at)
	}
	if m.listener != nil {
		return nil
	}
	return b.start(ctx, at, m)
}

// Member is what one backend has seen so far.
type Member struct {
	Address  netip.AddrPort   `json:"address"`
	Running  bool             `json:"running"`
	Requests int64            `json:"requests"`
	Sources  map[string]int64 `json:"sources"`
}

// Members lists the backends in the order of their addresses. Sources are those that a backend was told by PROXY or
// X-Forwarded-For, else the connection's own.
func (b *Backends) Members() []Member {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Member, 0, len(b.members))
	for at, m := range b.members {
		list = append(list, Member{Address: at, Running: m.listener != nil, Requests: m.requests.Load(),
			Sources: m.seen()})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Address.Compare(list[j].Address) < 0 })
	return list
}

// Sources gives how many requests each source sent to all members together.
func (b *Backends) Sources() map[string]int64 {
	all := map[string]int64{}
	for _, m := range b.Members() {
		for s, n := range m.Sources {
			all[s] += n
		}
	}
	return all
}

// Close stops every member and waits for their connections to end.
func (b *Backends) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	var errs []error
	for _, m := range b.members {
		errs = append(errs, m.stop())
	}
	b.members = map[netip.AddrPort]*member{}
	return errors.Join(errs...)
}
