package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
)

// Scripts are a release's own router scripts that run on this machine.
type Scripts struct {
	options scripts.Options
	release string
	haproxy string
}

// OpenScripts tries the scripts of a tree: it opens one sandbox and closes it. What the machine or the tree lacks is a
// *scripts.Unsupported. The release is the tree's; when it is empty, what the tree says of itself.
func OpenScripts(ctx context.Context, o scripts.Options, release string) (*Scripts, error) {
	o, err := scripts.Prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	v, err := scripts.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Scripts{options: o, release: release, haproxy: v.HAProxyVersion()}
	if s.release == "" {
		s.release = scripts.Release(o.Tree)
	}
	return s, v.Close()
}

// Release is the tree's; empty when it cannot be told.
func (s *Scripts) Release() string { return s.release }

// String says whose scripts they are, and which HAProxy they drive.
func (s *Scripts) String() string {
	name := s.release
	if name == "" { // a folder may be called like a release that it is not
		name = fmt.Sprintf("the folder %s (release unknown)", scripts.Name(s.options.Tree))
	}
	return fmt.Sprintf("real scripts of %s, HAProxy %s", name, s.haproxy)
}

// Answers say who waits for what the scripts of a push answer.
type Answers bool

const (
	// Awaited: the management server is told what the scripts answered, and may refuse a change because of it. They run
	// as each push arrives.
	Awaited Answers = true
	// Ignored: the pushes of a log were answered long ago. The scripts run from the first look at a router on, and then
	// for all its pushes in order, since what they leave depends on what was there before.
	Ignored Answers = false
)

// Run has the fleet's routers run real scripts in place of the model, which nil leaves. It must be called before the
// first push. Faults of the model's files and process cannot be planted in them.
func (f *Fleet) Run(s *Scripts, answers Answers) error {
	if s != nil && f.faults.Router() != (router.Faults{}) {
		return errors.New("faults of a router's files and process are planted in the model: with real scripts there " +
			"is none")
	}
	f.scripts, f.awaited = s, s != nil && answers == Awaited
	return nil
}

// scripted is a router that runs real scripts.
type scripted struct {
	scripts *Scripts
	router  *Router
	render  func(router.Push) (router.Rendered, error)

	mu      sync.Mutex
	vr      *scripts.VR // nil before the first push
	waiting bool        // until somebody looks (Ignored)
	queue   []arrival
	down    bool
	applied int
	broken  error // the scripts crashed or hung once: what was seen since shows nothing
}

// arrival is a push, rendered when it was sent: a management server's renderings depend on what it rendered before.
type arrival struct {
	push     router.Push
	rendered router.Rendered
}

// Apply implements Machine.
func (m *scripted) Apply(ctx context.Context, p router.Push) (router.Applied, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return router.Applied{}, router.ErrStopped
	}
	rendered, err := m.render(p)
	if err != nil {
		return router.Applied{}, err
	}
	if m.waiting {
		m.queue = append(m.queue, arrival{p, rendered})
		return router.Applied{PushSeq: p.Log.Seq, Action: router.ActionDeferred}, nil
	}
	return m.apply(ctx, p, rendered)
}

func (m *scripted) apply(ctx context.Context, p router.Push, rendered router.Rendered) (router.Applied, error) {
	if err := m.open(ctx, p.VPCID == ""); err != nil {
		return router.Applied{}, err
	}
	report, err := m.vr.ApplyRendered(ctx, p, scripts.FormOf(p), func(router.Push) (router.Rendered,
		error) {
		return rendered, nil
	})
	if err != nil {
		return router.Applied{}, err
	}
	m.applied++
	if err := failure(report, m.applied); err != nil {
		m.broken = cmp.Or(m.broken, err)
		return report.Applied(), err
	}
	if a := report.Applied(); a.Action == router.ActionRejected {
		return a, &router.RejectedError{Output: a.CheckOutput}
	}
	return report.Applied(), nil
}

// failure says how the scripts broke.
func failure(r scripts.Report, push int) error {
	said := lastLine(r.Stderr)
	if said == "" {
		said = lastLine(r.Stdout)
	}
	switch {
	case r.TimedOut:
		return fmt.Errorf("the router's scripts hung on push %d and were ended after %.1f s; their last words: %q",
			push, r.Took.Seconds(), said)
	case r.Crashed():
		how := fmt.Sprintf("exit status %d", r.Exit)
		if r.Signal != "" {
			how = r.Signal
		}
		if !r.New.Rewritten {
			how += ", no new file"
		}
		return fmt.Errorf("the router's scripts crashed on push %d (%s): %s", push, how, said)
	}
	return nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func (m *scripted) open(ctx context.Context, isolated bool) error {
	if m.vr != nil {
		return nil
	}
	o := m.scripts.options
	o.Host, o.Name, o.Isolated = m.router, m.router.name, isolated
	var err error
	m.vr, err = scripts.Open(ctx, o)
	return err
}

// sound gives the sandbox, if what it shows can be believed.
func (m *scripted) sound() (*scripts.VR, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.broken != nil:
		return nil, m.broken
	case m.vr == nil:
		return nil, errors.New("no push has reached the router's scripts")
	}
	return m.vr, nil
}

// Attend implements Machine.
func (m *scripted) Attend(ctx context.Context) error {
	if err := m.catchUp(ctx); err != nil {
		return err
	}
	_, err := m.sound()
	return err
}

// catchUp applies what arrived before the first look. What the scripts answered is nobody's concern; that they broke is
// kept.
func (m *scripted) catchUp(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.queue) > 0 && m.broken == nil {
		next := m.queue[0]
		var rejected *router.RejectedError
		if _, err := m.apply(ctx, next.push, next.rendered); err != nil && !errors.As(err, &rejected) {
			return err
		}
		m.queue = m.queue[1:]
	}
	m.waiting = false
	return nil
}

// Files implements Machine.
func (m *scripted) Files(ctx context.Context) (router.Files, error) {
	vr, err := m.sound()
	if err != nil {
		return router.Files{}, err
	}
	return vr.Files(ctx)
}

// Admin implements Machine.
func (m *scripted) Admin(ctx context.Context, command string) (string, error) {
	vr, err := m.sound()
	if err != nil {
		return "", err
	}
	return vr.Admin(ctx, command)
}

// Start implements Machine: HAProxy starts from the file that is there, as at a router's boot. The sandbox stays as it
// is.
func (m *scripted) Start(ctx context.Context) (router.Action, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.down {
		return router.ActionNone, nil
	}
	m.down = false
	if m.vr == nil {
		return router.ActionNone, nil
	}
	call, err := m.vr.Systemctl(ctx, "start", "haproxy")
	switch {
	case err != nil:
		return router.ActionNone, err
	case call.Exit != 0 || call.Note != "":
		return router.ActionStartRefused, nil
	}
	return router.ActionStart, nil
}

// Stop implements Machine.
func (m *scripted) Stop(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down || m.vr == nil {
		m.down = true
		return nil
	}
	m.down = true
	_, err := m.vr.Systemctl(ctx, "stop", "haproxy")
	return err
}

// Close implements Machine.
func (m *scripted) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vr == nil {
		return nil
	}
	return m.vr.Close()
}

// trouble is how the scripts broke, nil when they did not.
func (m *scripted) trouble() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.broken
}

// Troubles implements harness.Troubled: how scripts crashed or hung, by router.
func (f *Fleet) Troubles() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.routers)) {
		if m, is := f.routers[name].machine.(*scripted); is {
			if err := m.trouble(); err != nil {
				errs = append(errs, fmt.Errorf("router %s: %w", name, err))
			}
		}
	}
	return errs
}
