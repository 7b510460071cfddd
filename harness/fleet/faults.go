package fleet

import (
	"context"
	"net/netip"

	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// Faults are planted between a push and its router, on the router's files and process, and between clients and router.
type Faults interface {
	// Router are the faults of files and process.
	Router() router.Faults
	// Arrives is called before a push is noted; the router is locked (see Last and Hold).
	Arrives(ctx context.Context, v *Router) error
	// Done is called when a push was applied; the router is locked (see Linger).
	Done(ctx context.Context, v *Router, p router.Push) error
	// Members starts and stops the servers behind the router.
	Members(ctx context.Context, b *network.Backends, want []netip.AddrPort) error
	// Ignored says whether the router does not act on its nth push, counted from 1.
	Ignored(n int) bool
	// Changed is what the router makes its file of.
	Changed(p router.Push) router.Push
	// Dialer is how clients reach the router.
	Dialer(v *Router, clients dataplane.Dialer) dataplane.Dialer
}

// Sound plants nothing.
type Sound struct{}

// Router implements Faults.
func (Sound) Router() router.Faults { return router.Faults{} }

// Arrives implements Faults.
func (Sound) Arrives(context.Context, *Router) error { return nil }

// Done implements Faults.
func (Sound) Done(context.Context, *Router, router.Push) error { return nil }

// Members implements Faults.
func (Sound) Members(ctx context.Context, b *network.Backends, want []netip.AddrPort) error {
	return b.SetMembers(ctx, want)
}

// Ignored implements Faults.
func (Sound) Ignored(int) bool { return false }

// Changed implements Faults.
func (Sound) Changed(p router.Push) router.Push { return p }

// Dialer implements Faults.
func (Sound) Dialer(_ *Router, clients dataplane.Dialer) dataplane.Dialer { return clients }

// ClearTable empties a rule's stick table.
func (v *Router) ClearTable(ctx context.Context, rule string) error {
	return router.Ask(v.machine.Admin).ClearTable(ctx, rule)
}

// Last is the newest push for a caller that has the router locked (Faults.Arrives); false before the first, and while
// the router has no clients.
func (v *Router) Last() (router.Push, bool) {
	if v.site == nil || len(v.pushes) == 0 {
		return router.Push{}, false
	}
	return v.pushes[len(v.pushes)-1], true
}

// Hold opens a connection from a client and keeps it for as long as the fleet lives. The caller has the router locked.
func (v *Router) Hold(ctx context.Context, from netip.Addr, to netip.AddrPort) error {
	conn, err := v.site.Clients.Dial(ctx, from, to)
	if err == nil {
		v.held = append(v.held, conn)
	}
	return err
}

// Linger has somebody else than HAProxy answer at an address of the router from now on. The caller has the router
// locked; without clients it does nothing.
func (v *Router) Linger(ctx context.Context, at netip.AddrPort) error {
	if v.site == nil {
		return nil
	}
	if v.ghosts == nil {
		v.ghosts = network.NewBackends(v.site.Router)
	}
	v.lingering = append(v.lingering, at)
	return v.ghosts.SetMembers(ctx, v.lingering)
}
