package scripts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/stackproof/stackproof/router"
)

// Apply delivers one push in the given form, runs the scripts on it and reports what they did. The push is rendered as
// the management server of 4.19.2.0 to 4.21 does; ApplyRendered takes another rendering. An error means that there is
// no report: the push cannot be rendered, or the sandbox is gone. It is gone also when the context ended meanwhile.
// Scripts that crash, hang or change nothing are no error.
func (v *VR) Apply(ctx context.Context, p router.Push, form Form) (Report, error) {
	return v.ApplyRendered(ctx, p, form, func(p router.Push) (router.Rendered, error) {
		return router.Render(p,
			router.Rules{})
	})
}

// ApplyRendered is Apply with the caller's own renderer, such as a router.Renderer that lives as long as a server.
func (v *VR) ApplyRendered(ctx context.Context, p router.Push, form Form, render func(router.Push) (router.Rendered,
	error)) (Report, error) {
	rendered, err := render(p)
	if err != nil {
		return Report{}, fmt.Errorf("applying a push: %w", err)
	}
	name, content, err := itemFile(p, rendered, time.Now())
	if err != nil {
		return Report{}, fmt.Errorf("applying a push: %w", err)
	}
	if err := v.ensureAddresses(ctx, rendered); err != nil {
		return Report{}, fmt.Errorf("applying a push: %w", err)
	}
	order := v.request(name, content, form)
	v.mu.Lock()
	defer v.mu.Unlock()
	before, err := v.look()
	if err != nil {
		return Report{}, fmt.Errorf("applying a push: before it: %w", err)
	}
	begin := time.Now()
	a, err := v.exchange(ctx, order)
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		return Report{}, fmt.Errorf("applying a push: %w", err)
	}
	took := time.Since(begin)
	after, err := v.look()
	if err != nil {
		return Report{}, fmt.Errorf("applying a push: after it: %w", err)
	}
	v.state.note(a.Calls, a.Before, a.After, after.live.content)
	v.state.seq++
	r := report(p, form, name, took, a, before, after)
	r.Seq = v.state.seq
	return r, nil
}

// ensureAddresses gives the Host every address that the file will listen on. In a network namespace of our own none is
// needed.
func (v *VR) ensureAddresses(ctx context.Context, r router.Rendered) error {
	if v.options.Host == nil {
		return nil
	}
	for _, s := range router.Sections(r.File()) {
		bind, err := netip.ParseAddrPort(s.Bind())
		if err != nil || bind.Addr().IsUnspecified() {
			continue // HAProxy judges what is no address
		}
		if err := v.options.Host.EnsureAddress(ctx, bind.Addr()); err != nil {
			return fmt.Errorf("giving the router address %s: %w", bind.Addr(), err)
		}
	}
	return nil
}

func (v *VR) request(name string, content []byte, form Form) request {
	r := request{
		Op: "run", File: cachePath + "/" + name, Content: content, Limit: v.options.Limit,
		Args: []string{v.interpreter.Executable, cloudPath + "/" + entryPoint, name},
		Env:  pythonEnvironment(v.interpreter.pythonPath),
	}
	if form == Aggregated {
		r.File, r.Content = cachePath+"/VR-"+uuid.NewString()+".cfg", aggregate(name, content)
		r.Args = []string{"/bin/bash", cloudPath + "/bin/vr_cfg.sh", "-c", r.File}
	}
	return r
}

func report(p router.Push, form Form, name string, took time.Duration, a answer, before, after files) Report {
	r := Report{
		Router: p.Router(), PushSeq: p.Log.Seq, At: time.Now(), Form: form, Item: name, Exit: a.Exit, Signal: a.Signal,
		TimedOut: a.TimedOut,
		Stdout:   a.Stdout, Stderr: a.Stderr, Log: a.Log, Took: took, Calls: a.Calls,
		WorkerBefore: a.Before, WorkerAfter: a.After, Action: actionOf(a.Calls, a.Before, a.After),
		New: after.rendered.state(before.rendered), Live: after.live.state(before.live),
		Changed: router.DiffSections(after.live.content, before.live.content),
	}
	if r.rejected() {
		r.Action = router.ActionRejected
	}
	if r.New.Exists {
		r.Pending = router.DiffSections(after.rendered.content, after.live.content)
	}
	return r
}

// file is a file of the sandbox as seen from outside.
type file struct {
	exists  bool
	content []byte
	inode   uint64
	changed syscall.Timespec // of the inode: a copy that keeps the modification time still shows
}

func (f file) state(before file) FileState {
	s := FileState{Exists: f.exists}
	if f.exists {
		s.Hash = hash(f.content)
		s.Rewritten = !before.exists || f.inode != before.inode || f.changed != before.changed
	}
	return s
}

type files struct{ rendered, live file }

func (v *VR) look() (files, error) {
	rendered, err := v.read(newPath)
	if err != nil {
		return files{}, err
	}
	live, err := v.read(livePath)
	return files{rendered: rendered, live: live}, err
}

// read never leaves the sandbox, whatever links the scripts made.
func (v *VR) read(path string) (file, error) {
	name := strings.TrimPrefix(path, "/")
	info, err := v.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return file{}, v.living()
	}
	if err != nil {
		return file{}, errors.Join(err, v.living())
	}
	content, err := v.root.ReadFile(name)
	if err != nil {
		return file{}, errors.Join(err, v.living())
	}
	f := file{exists: true, content: content}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		f.inode, f.changed = st.Ino, st.Ctim
	}
	return f, nil
}

func (v *VR) living() error {
	select {
	case <-v.gone:
		return errors.New("the sandbox has ended")
	default:
		return nil
	}
}
