package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
)

// Fleet are the virtual routers of one zone. A router is files only until somebody looks at its clients; then it gets
// its namespaces, its members as real servers, and a real HAProxy (see router.Options.OnDemand for why that is the
// same).
type Fleet struct {
	dir      string
	rules    router.Rules
	faults   Faults
	renderer *router.Renderer // of the one management server that all routers have
	scripts  *Scripts         // nil: the model
	awaited  bool             // see Answers
	// served are the servers behind a router; nil: what its pushes name.
	served func(routerName string) []netip.AddrPort

	looks atomic.Int64

	pushed, reloaded, masked atomic.Int64 // see Tally
	refused                  atomic.Int64 // see Refused

	mu      sync.Mutex
	routers map[string]*Router
}

// Looks is how often somebody asked for a router's pushes, files or clients.
func (f *Fleet) Looks() int64 { return f.looks.Load() }

// Refused is how many pushes routers answered with an error, because HAProxy refuses the file.
func (f *Fleet) Refused() int { return int(f.refused.Load()) }

// Tally implements harness.Tallying.
func (f *Fleet) Tally() (pushes, reloads, masked int) {
	return int(f.pushed.Load()), int(f.reloaded.Load()), int(f.masked.Load())
}

// Router is one virtual router with its surroundings.
type Router struct {
	mu        sync.Mutex
	name      string
	machine   Machine
	pushes    []router.Push
	delivered []scripts.Delivery // what its scripts were given beside
	site      *network.Site
	backends  *network.Backends
	waiting   []netip.Addr // addresses asked for before there was a namespace
	held      []net.Conn   // connections that a planted fault keeps open
	// ghosts answer where a planted fault has somebody linger.
	ghosts    *network.Backends
	lingering []netip.AddrPort
}

// New makes a fleet without routers whose files are below dir. Faults may be nil.
func New(dir string, rules router.Rules, faults Faults) *Fleet {
	if faults == nil {
		faults = Sound{}
	}
	return &Fleet{dir: dir, rules: rules, faults: faults, renderer: new(router.Renderer), routers: map[string]*Router{}}
}

// Start runs a process in the router's namespace (router.Host).
func (v *Router) Start(cmd *exec.Cmd) error {
	if v.site == nil {
		return fmt.Errorf("router %s has no namespace yet", v.name)
	}
	return v.site.Router.Start(cmd)
}

// EnsureAddress gives the router an address (router.Host).
func (v *Router) EnsureAddress(ctx context.Context, a netip.Addr) error {
	if v.site == nil {
		if !slices.Contains(v.waiting, a) {
			v.waiting = append(v.waiting, a)
		}
		return nil
	}
	return v.site.Router.EnsureAddress(ctx, a)
}

// named gives the router of that name, making it if it is new.
func (f *Fleet) named(name string) (*Router, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v := f.routers[name]; v != nil {
		return v, nil
	}
	v := &Router{name: name}
	dir := filepath.Join(f.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil { // HAProxy drops its rights and must still read its files
		return nil, fmt.Errorf("folder of router %s: %w", name, err)
	}
	m, err := f.machineOf(v, dir)
	if err != nil {
		return nil, err
	}
	v.machine = m
	f.routers[name] = v
	return v, nil
}

// Serve has servers answer where somebody who knows the instances says, in place of where pushes say. It is called
// before anything is pushed. A push that names another port then reaches nobody.
func (f *Fleet) Serve(where func(routerName string) []netip.AddrPort) { f.served = where }

// servers are those behind a router. Who says where they are may hold a lock while it waits for a router, so this is
// asked before the router is locked.
func (f *Fleet) servers(name string) func(router.Push) []netip.AddrPort {
	if f.served == nil {
		return members
	}
	all := f.served(name)
	return func(router.Push) []netip.AddrPort { return all }
}

// Push notes a push and applies it as the release's router does. What is shown as pushed is what was sent, whatever a
// fault did to it afterwards.
func (f *Fleet) Push(ctx context.Context, name string, push router.Push) error {
	v, err := f.named(name)
	if err != nil {
		return err
	}
	servers := f.servers(name)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := f.faults.Arrives(ctx, v); err != nil {
		return err
	}
	v.pushes = append(v.pushes, push)
	f.pushed.Add(1)
	if f.awaited {
		if err := v.place(ctx); err != nil {
			return err
		}
	}
	if v.backends != nil {
		if err := f.faults.Members(ctx, v.backends, servers(push)); err != nil {
			return err
		}
	}
	if f.faults.Ignored(len(v.pushes)) {
		return nil
	}
	applied, err := v.machine.Apply(ctx, f.faults.Changed(push))
	if applied.Action == router.ActionReload {
		f.reloaded.Add(1)
	}
	if applied.Masked {
		f.masked.Add(1)
	}
	if err != nil {
		if rejected := (*router.RejectedError)(nil); errors.As(err, &rejected) {
			f.refused.Add(1)
		}
		return err
	}
	return f.faults.Done(ctx, v, push)
}

// RouterState tells that a router was started (Running), stopped or destroyed.
func (f *Fleet) RouterState(ctx context.Context, name, state string) error {
	v, err := f.named(name)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.site == nil {
		return nil
	}
	if state == "Running" {
		_, err := v.machine.Start(ctx)
		return err
	}
	return v.machine.Stop(ctx)
}

// members are the live destinations of all live rules, but for those with port 0, on which nobody can listen.
func members(p router.Push) []netip.AddrPort {
	var all []netip.AddrPort
	for _, lb := range p.LoadBalancers {
		if lb.Revoked {
			continue
		}
		for _, d := range lb.Destinations {
			ip, err := netip.ParseAddr(d.IP)
			if err != nil || d.Revoked || d.Port == 0 {
				continue
			}
			if at := netip.AddrPortFrom(ip, uint16(d.Port)); !slices.Contains(all, at) { // the parser bounds ports
				all = append(all, at)
			}
		}
	}
	return all
}

// place gives a router its namespaces.
func (v *Router) place(ctx context.Context) error {
	if v.site != nil {
		return nil
	}
	site, err := network.NewSite(ctx, network.SiteOptions{Name: v.name})
	if err != nil {
		return err
	}
	v.site, v.backends = site, site.Backends()
	for _, a := range v.waiting {
		if err := site.Router.EnsureAddress(ctx, a); err != nil {
			return err
		}
	}
	v.waiting = nil
	return nil
}

// attend brings a router to life.
func (v *Router) attend(ctx context.Context, faults Faults, servers func(router.Push) []netip.AddrPort) error {
	if err := v.place(ctx); err != nil {
		return err
	}
	if len(v.pushes) == 0 {
		return errors.New("no push has reached the router")
	}
	if err := faults.Members(ctx, v.backends, servers(v.pushes[len(v.pushes)-1])); err != nil {
		return err
	}
	return v.machine.Attend(ctx)
}

// looked is a router that is there and attended, locked.
func (f *Fleet) looked(ctx context.Context, name string) (*Router, error) {
	f.looks.Add(1)
	v := f.find(name)
	if v == nil {
		return nil, fmt.Errorf("no push has reached router %s", name)
	}
	servers := f.servers(name)
	v.mu.Lock()
	if err := v.attend(ctx, f.faults, servers); err != nil {
		v.mu.Unlock()
		return nil, fmt.Errorf("router %s: %w", name, err)
	}
	return v, nil
}

// Newest is the newest push; the zero value before the first.
func (v *Router) Newest() router.Push {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pushes) == 0 {
		return router.Push{}
	}
	return v.pushes[len(v.pushes)-1]
}

// Of implements harness.Pushes.
func (f *Fleet) Of(_ context.Context, name string) ([]router.Push, error) {
	f.looks.Add(1)
	v := f.find(name)
	if v == nil {
		return nil, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.pushes), nil
}

// find is a router that is there by now, or nil.
func (f *Fleet) find(name string) *Router {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.routers[name]
}

// Receivers implements harness.Journal.
func (f *Fleet) Receivers() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.routers))
}

// Since implements harness.Journal. It is no look of a story (Looks): every story's pushes are looked at.
func (f *Fleet) Since(name string, n int) []router.Push {
	v := f.find(name)
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.pushes[min(n, len(v.pushes)):])
}

// Files implements harness.Routers.
func (f *Fleet) Files(ctx context.Context, name string) (router.Files, error) {
	v, err := f.looked(ctx, name)
	if err != nil {
		return router.Files{}, err
	}
	defer v.mu.Unlock()
	return v.machine.Files(ctx)
}

// Peek reads a router's files and starts nothing.
func (f *Fleet) Peek(ctx context.Context, name string) (router.Files, error) {
	f.looks.Add(1)
	v := f.find(name)
	if v == nil {
		return router.Files{}, fmt.Errorf("no push has reached router %s", name)
	}
	return v.machine.Files(ctx)
}

// Rendered implements harness.Routers.
func (f *Fleet) Rendered(ctx context.Context, name string) (router.Rendered, error) {
	pushes, err := f.Of(ctx, name)
	if err != nil || len(pushes) == 0 {
		return router.Rendered{}, errors.Join(err, fmt.Errorf("no push has reached router %s", name))
	}
	return router.Render(pushes[len(pushes)-1], f.rules)
}

// Made is what was made of the newest push to a router: the file that the router wrote, and the doors of its firewall.
// It is no look of a story (Looks). No file is nil.
func (f *Fleet) Made(ctx context.Context, name string) (p router.Push, file []byte, rendered router.Rendered,
	err error) {
	v := f.find(name)
	if v == nil {
		return p, nil, rendered, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pushes) == 0 {
		return p, nil, rendered, nil
	}
	p = v.pushes[len(v.pushes)-1]
	files, err := v.machine.Files(ctx)
	if err == nil {
		rendered, err = router.Render(p, f.rules)
	}
	return p, files.New, rendered, err
}

// Clients implements harness.Routers.
func (f *Fleet) Clients() []netip.Addr {
	return network.DefaultClientAddresses(dataplane.DefaultClients)
}

// Probe implements harness.Routers.
func (f *Fleet) Probe(ctx context.Context, name string, c dataplane.Config) (dataplane.Observation, error) {
	v, err := f.looked(ctx, name)
	if err != nil {
		return dataplane.Observation{}, err
	}
	site := v.site
	v.mu.Unlock()
	c.Dialer, c.Watch, c.Tables = f.faults.Dialer(v, site.Clients), v, v
	return dataplane.Probe(ctx, c)
}

// Mark implements dataplane.Watch: the process and the pushes so far.
func (v *Router) Mark(ctx context.Context) (string, error) {
	v.mu.Lock()
	pushes := len(v.pushes)
	v.mu.Unlock()
	info, err := router.Ask(v.machine.Admin).ShowInfo(ctx)
	if err != nil {
		return "", err
	}
	return "pid " + strconv.Itoa(info.PID) + ", pushes " + strconv.Itoa(pushes), nil
}

// Table implements dataplane.Tables.
func (v *Router) Table(ctx context.Context, rule string) (int, bool, error) {
	t, err := router.Ask(v.machine.Admin).ShowTable(ctx, rule)
	if errors.Is(err, router.ErrNoTable) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return int(t.Used), true, nil
}

// Close ends all routers and what surrounds them.
func (f *Fleet) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, v := range f.routers {
		v.mu.Lock()
		for _, c := range v.held {
			errs = append(errs, c.Close())
		}
		if v.machine != nil {
			errs = append(errs, v.machine.Close())
		}
		if v.ghosts != nil {
			errs = append(errs, v.ghosts.Close())
		}
		if v.backends != nil {
			errs = append(errs, v.backends.Close())
		}
		if v.site != nil {
			errs = append(errs, v.site.Close())
		}
		v.mu.Unlock()
	}
	f.routers = nil
	return errors.Join(errs...)
}
