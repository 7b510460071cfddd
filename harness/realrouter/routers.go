package realrouter

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// Pushes shows the pushes to a router (harness.Pushes).
type Pushes interface {
	Of(ctx context.Context, routerName string) ([]router.Push, error)
}

// Options say how routers are reached.
type Options struct {
	Template Template
	// Place finds a router by its name.
	Place func(ctx context.Context, name string) (Place, error)
	// Pushes is nil without a management log: then what a push renders to is read from haproxy.cfg.new.
	Pushes Pushes
	// Rules are those of the release whose generator renders.
	Rules   router.Rules
	Clients Clients
}

// Routers are the zone's real routers (harness.Routers).
type Routers struct{ o Options }

// New makes it; nothing is looked at yet.
func New(o Options) *Routers { return &Routers{o} }

func (r *Routers) look(ctx context.Context, name string) (look, error) {
	p, err := r.o.Place(ctx, name)
	if err != nil {
		return look{}, err
	}
	out, err := r.o.Template.run(ctx, p, lookScript)
	if err != nil {
		return look{}, err
	}
	l, err := parseLook(out)
	if err != nil {
		return look{}, fmt.Errorf("router %s: %w", name, err)
	}
	return l, nil
}

// Files implements harness.Routers.
func (r *Routers) Files(ctx context.Context, name string) (router.Files, error) {
	l, err := r.look(ctx, name)
	if err != nil {
		return router.Files{}, err
	}
	return l.files(), nil
}

// Rendered implements harness.Routers.
func (r *Routers) Rendered(ctx context.Context, name string) (router.Rendered, error) {
	if r.o.Pushes == nil {
		l, err := r.look(ctx, name)
		if err != nil {
			return router.Rendered{}, err
		}
		if l.fresh == nil {
			return router.Rendered{}, fmt.Errorf("router %s has no haproxy.cfg.new: no push has reached it", name)
		}
		return router.Rendered{Config: []string{string(trimEnd(l.fresh.data))}}, nil
	}
	pushes, err := r.o.Pushes.Of(ctx, name)
	if err != nil || len(pushes) == 0 {
		return router.Rendered{}, errors.Join(err, fmt.Errorf("no push to router %s was seen", name))
	}
	return router.Render(pushes[len(pushes)-1], r.o.Rules)
}

// trimEnd takes the last newline, which Rendered.File adds.
func trimEnd(data []byte) []byte {
	if n := len(data); n > 0 && data[n-1] == '\n' {
		return data[:n-1]
	}
	return data
}

// Clients implements harness.Routers.
func (r *Routers) Clients() []netip.Addr { return r.o.Clients.Addresses }

// Probe implements harness.Routers. The number of distinct sources that the backends, or the rule's table, saw decides
// whether the clients were distinct; our own view of them does not: on the way to a public address anything may hide
// them.
func (r *Routers) Probe(ctx context.Context, name string, c dataplane.Config) (dataplane.Observation, error) {
	p, err := r.o.Place(ctx, name)
	if err != nil {
		return dataplane.Observation{}, err
	}
	watch := &watch{r, p}
	c.Dialer, c.Watch, c.Tables = r.o.Clients, watch, watch
	o, err := dataplane.Probe(ctx, c)
	if err != nil {
		return o, err
	}
	return distinct(o), nil
}

// distinct takes back a verdict whose clients nobody at the other end saw to be distinct.
func distinct(o dataplane.Observation) dataplane.Observation {
	s := o.Sources
	switch {
	case o.Verdict == dataplane.Inconclusive || o.Method == dataplane.ByCookie:
	case s.Told == o.Clients && s.Distinct == o.Clients:
	case s.TableUsed != nil && *s.TableUsed >= o.Clients:
	default:
		o.Verdict = dataplane.Inconclusive
		o.Reason = fmt.Sprintf("the backends were told %d distinct sources of %d clients: whether the clients are "+
			"distinct for the router is not known", s.Distinct, o.Clients)
	}
	return o
}

// watch is one router during a probe.
type watch struct {
	*Routers
	place Place
}

// Mark implements dataplane.Watch.
func (w *watch) Mark(ctx context.Context) (string, error) {
	l, err := w.look(ctx, w.place.Name)
	if err != nil {
		return "", err
	}
	mark := l.mark()
	if w.o.Pushes != nil {
		pushes, err := w.o.Pushes.Of(ctx, w.place.Name)
		if err != nil {
			return "", err
		}
		mark += fmt.Sprintf(", pushes %d", len(pushes))
	}
	return mark, nil
}

// Table implements dataplane.Tables.
func (w *watch) Table(ctx context.Context, rule string) (int, bool, error) {
	t, err := w.admin(w.place).ShowTable(ctx, rule)
	if errors.Is(err, router.ErrNoTable) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return int(t.Used), true, nil
}

func (r *Routers) admin(p Place) router.Ask {
	return func(ctx context.Context, command string) (string, error) { return r.o.Template.ask(ctx, p, command) }
}

// Admin asks a router's HAProxy: show info, show stat and show table.
func (r *Routers) Admin(ctx context.Context, name string) (router.Ask, error) {
	p, err := r.o.Place(ctx, name)
	if err != nil {
		return nil, err
	}
	return r.admin(p), nil
}
