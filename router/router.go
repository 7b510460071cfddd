//go:build linux

package router

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/stackproof/stackproof/router/supervise"
)

// Options say what a Router is. Name, Dir and Host are required.
type Options struct {
	Name  string // as CloudStack names it, r-3-VM; for messages only
	Dir   string // its private folder, made when missing and removed by Close
	Rules Rules
	Host  Host
	// Binary is HAProxy's path, or its name in PATH; empty is haproxy. It is looked up when it is first needed.
	Binary string
	// OnDemand keeps files only until somebody looks (Attend, or any call to the admin socket).
	//
	// This is equivalent to running HAProxy all along. A reload replaces the whole state of the process: the new worker
	// starts with nothing but its file, stick tables empty (no peers section), health checks anew. So the state after a
	// row of pushes is that of the newest file that HAProxy accepted, whatever came before; Attend starts exactly that
	// one, while the live file stays what it is. What cannot be seen is what would have passed through HAProxy in
	// between, and there is no such traffic: whoever sends any attends first.
	OnDemand bool
	// Renderer is shared by the routers of one management server, for Rules.KeepAliveLeaks; nil is an own one.
	Renderer *Renderer
	Now      func() time.Time // nil is time.Now
	Faults   Faults
}

// Router is one virtual router. All methods may be called from several goroutines.
type Router struct {
	name, dir string
	rules     Rules
	host      Host
	binary    string
	onDemand  bool
	renderer  *Renderer
	now       func() time.Time
	ids       identity
	faults    Faults
	dead      bool // Faults.StartsEmpty has struck

	turn chan struct{} // holds a token while somebody uses what follows

	up       bool     // the router machine itself
	attended bool     // HAProxy runs, or would run if it were not for a bad file
	versions [][]byte // live files since the machine started that HAProxy has not seen yet, oldest first
	proc     *process
	serving  []byte // the file that the worker was started from
	since    time.Time
	reloads  int
	refusal  string
	seq      int

	historyMu sync.Mutex
	history   []Applied
}

// ErrStopped says that the router machine is stopped; a management server does not send to it then.
var ErrStopped = errors.New("the router is stopped")

// RejectedError is the router's error answer to a push whose file HAProxy refuses (Rules.CheckBeforeUse).
type RejectedError struct{ Output string }

func (e *RejectedError) Error() string { return "haproxy config is invalid: " + e.Output }

// New makes a router that is up and has no configuration yet. It starts nothing.
func New(o Options) (*Router, error) {
	if o.Name == "" || o.Dir == "" || o.Host == nil {
		return nil, errors.New("making a router: Name, Dir and Host are required")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("making router %s: %w", o.Name, err)
	}
	if o.Renderer == nil {
		o.Renderer = new(Renderer)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Router{name: o.Name, dir: dir, rules: o.Rules, host: o.Host, binary: o.Binary, onDemand: o.OnDemand,
		renderer: o.Renderer,
		now:      o.Now, ids: haproxyIdentity(), faults: o.Faults, turn: make(chan struct{}, 1), up: true,
		attended: !o.OnDemand}
	for _, folder := range []string{"etc/haproxy", CertificateFolder, "run/haproxy", "var/lib/haproxy"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return nil, fmt.Errorf("making router %s: %w", o.Name, err)
		}
	}
	return r, nil
}

// Name is the router's name.
func (r *Router) Name() string { return r.name }

func (r *Router) lock(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for router %s: %w", r.name, ctx.Err())
	}
}

func (r *Router) unlock() { <-r.turn }

// Apply does what the router does with a push: it always writes haproxy.cfg.new, and where it sees a difference from
// the live file copies it and reloads HAProxy, or starts it when it is dead. As on a real router the answer is success
// whatever HAProxy thinks of the file, except for a *RejectedError (Rules.CheckBeforeUse): read Applied. Other errors
// mean that the push could not be rendered or HAProxy could not be run at all.
func (r *Router) Apply(ctx context.Context, p Push) (Applied, error) {
	if err := r.lock(ctx); err != nil {
		return Applied{}, err
	}
	defer r.unlock()
	a, err := r.apply(ctx, p)
	if err != nil {
		return a, fmt.Errorf("router %s: %w", r.name, err)
	}
	return a, nil
}

func (r *Router) apply(ctx context.Context, p Push) (Applied, error) {
	if !r.up {
		return Applied{}, ErrStopped
	}
	rendered, err := renderFor(p, r.renderer, r.rules)
	if err != nil {
		return Applied{}, err
	}
	if err := r.writeCertificates(rendered.Certificates); err != nil {
		return Applied{}, err
	}
	next := rendered.File()
	next = r.faults.Lines.Plant(next, r.seq)
	live, err := r.readFile(livePath)
	if err != nil {
		return Applied{}, err
	}
	if err := r.writeFile(newPath, next); err != nil {
		return Applied{}, err
	}
	r.seq++
	a := judge(live, next, r.rules, r.seq, p, r.now())
	if a.Different && !(r.faults.NeverCopies && r.proc != nil) {
		err = r.adopt(ctx, &a, next)
	}
	r.historyMu.Lock()
	r.history = append(r.history, a)
	r.historyMu.Unlock()
	return a, err
}

// adopt makes the new file the live one and has HAProxy use it.
func (r *Router) adopt(ctx context.Context, a *Applied, next []byte) error {
	if r.rules.CheckBeforeUse {
		refused, err := r.check(ctx, newPath)
		if err != nil {
			return err
		}
		if refused != "" {
			a.Action, a.CheckOutput = ActionRejected, refused
			return &RejectedError{refused}
		}
	}
	if err := r.writeFile(livePath, next); err != nil {
		return err
	}
	a.Copied, a.LiveHash = true, a.NewHash
	var err error
	switch {
	case !r.attended:
		a.Action = ActionDeferred
		return r.remember(ctx, next)
	case r.dead || r.proc != nil && (r.faults.SkipsReload || r.faults.ReloadsOverlap && r.now().Sub(r.since) < Hurry):
		a.Action = ActionNone
	case r.proc != nil && r.proc.alive() && r.faults.SecondDoor:
		if err = r.writeFile(livePath, door(next)); err == nil {
			a.Action, a.CheckOutput, err = r.reload(ctx, next)
			err = errors.Join(err, r.writeFile(livePath, next))
		}
	case r.proc != nil && r.proc.alive():
		a.Action, a.CheckOutput, err = r.reload(ctx, next)
		if r.faults.ReloadsTwice && a.Action == ActionReload {
			a.Action, a.CheckOutput, err = r.reload(ctx, next)
		}
	default:
		a.Action, a.CheckOutput, err = r.start(ctx, next)
	}
	return err
}

func (r *Router) check(ctx context.Context, path string) (string, error) {
	binary, err := FindHAProxy(r.binary)
	if err != nil {
		return "", err
	}
	return check(ctx, binary, r.dir, r.ids, path)
}

// ensureAddresses gives the router every address that the file listens on.
func (r *Router) ensureAddresses(ctx context.Context, file []byte) error {
	done := map[netip.Addr]bool{}
	for _, s := range Sections(file) {
		bind, err := netip.ParseAddrPort(s.Bind())
		if err != nil || bind.Addr().IsUnspecified() || done[bind.Addr()] {
			continue // HAProxy judges what is no address
		}
		done[bind.Addr()] = true
		if err := r.host.EnsureAddress(ctx, bind.Addr()); err != nil {
			return fmt.Errorf("giving the router address %s: %w", bind.Addr(), err)
		}
	}
	return nil
}

// reload is what systemctl reload does with the live file: check, and only then signal.
func (r *Router) reload(ctx context.Context, file []byte) (Action, string, error) {
	refused, err := r.check(ctx, livePath)
	if err != nil || refused != "" {
		r.refusal = refused
		return ActionReloadRefused, refused, err
	}
	if err := r.ensureAddresses(ctx, file); err != nil {
		return ActionReloadFailed, "", err
	}
	failed, err := r.proc.reload(ctx)
	if errors.Is(err, supervise.ErrExited) {
		return r.start(ctx, file) // it died unnoticed: the router's script would not have found it either
	}
	if err != nil || failed != "" {
		r.refusal = failed
		return ActionReloadFailed, failed, err
	}
	r.reloads++
	r.serve(file)
	return ActionReload, "", nil
}

func (r *Router) serve(file []byte) { r.serving, r.since, r.refusal = file, r.now(), "" }

// start starts HAProxy on the live file, which holds the given content.
func (r *Router) start(ctx context.Context, file []byte) (Action, string, error) {
	if r.proc != nil {
		dead := r.proc
		r.proc = nil
		if err := dead.stop(); err != nil {
			return ActionStartRefused, "", err
		}
	}
	r.serving, r.since = nil, time.Time{}
	binary, err := FindHAProxy(r.binary)
	if err != nil {
		return ActionStartRefused, "", err
	}
	if err := r.ensureAddresses(ctx, file); err != nil {
		return ActionStartRefused, "", err
	}
	p, refused, err := launch(ctx, r.host, binary, r.dir, r.ids)
	if err != nil || refused != "" {
		r.refusal = refused
		return ActionStartRefused, refused, err
	}
	r.proc = p
	r.serve(file)
	return ActionStart, "", nil
}

// Stop stops the router machine: HAProxy ends, the files stay. Stopping twice is no error.
func (r *Router) Stop(ctx context.Context) error {
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	if err := r.halt(); err != nil {
		return fmt.Errorf("router %s: %w", r.name, err)
	}
	return nil
}

func (r *Router) halt() error {
	r.up = false
	r.serving, r.since = nil, time.Time{}
	if r.proc == nil {
		return nil
	}
	p := r.proc
	r.proc = nil
	return p.stop()
}

// Start starts the router machine again: HAProxy starts from the live file, or does not when the file is bad
// (ActionStartRefused) or missing (ActionNone). The full configuration that a management server sends then is a push
// like others; when it is part of an aggregated command (Push.Aggregated) its blanks collapse, so the next direct push
// differs in any case.
func (r *Router) Start(ctx context.Context) (Action, error) {
	if err := r.lock(ctx); err != nil {
		return ActionNone, err
	}
	defer r.unlock()
	if r.up {
		return ActionNone, nil
	}
	live, err := r.readFile(livePath)
	if err != nil {
		return ActionNone, fmt.Errorf("router %s: %w", r.name, err)
	}
	r.up = true
	switch {
	case r.faults.StartsEmpty:
		r.dead = true
		return ActionNone, nil
	case live == nil:
		return ActionNone, nil
	case !r.attended:
		r.versions = [][]byte{live}
		return ActionDeferred, nil
	}
	action, _, err := r.start(ctx, live)
	if err != nil {
		return action, fmt.Errorf("router %s: %w", r.name, err)
	}
	return action, nil
}

// Close ends HAProxy and removes the router's folder. It may be called more than once.
func (r *Router) Close() error {
	if err := r.lock(context.Background()); err != nil {
		return err
	}
	defer r.unlock()
	if err := errors.Join(r.halt(), os.RemoveAll(r.dir)); err != nil {
		return fmt.Errorf("closing router %s: %w", r.name, err)
	}
	return nil
}

// History gives what became of every push so far, oldest first.
func (r *Router) History() []Applied {
	r.historyMu.Lock()
	defer r.historyMu.Unlock()
	return slices.Clone(r.history)
}
