package fleet

import (
	"context"

	"github.com/stackproof/stackproof/router"
)

// Machine is what a virtual router is made of: package router's model (a *router.Router), or a release's own scripts.
type Machine interface {
	// Apply does what the router does with a push. An error is an answer to the management server; a change that does
	// not reach HAProxy is none.
	Apply(ctx context.Context, p router.Push) (router.Applied, error)
	// Attend makes sure that HAProxy runs as it would if it had run all along.
	Attend(ctx context.Context) error
	Files(ctx context.Context) (router.Files, error)
	// Admin sends one command to HAProxy's admin socket (router.Ask reads the answers).
	Admin(ctx context.Context, command string) (string, error)
	// Start and Stop are the router machine's.
	Start(ctx context.Context) (router.Action, error)
	Stop(ctx context.Context) error
	Close() error
}

// machineOf gives a new router its machine.
func (f *Fleet) machineOf(v *Router, dir string) (Machine, error) {
	if f.scripts != nil {
		return &scripted{scripts: f.scripts, router: v, waiting: !f.awaited,
			render: func(p router.Push) (router.Rendered, error) { return f.renderer.Render(p, f.rules) }}, nil
	}
	return router.New(router.Options{Name: v.name, Dir: dir, Rules: f.rules, Host: v, OnDemand: true,
		Renderer: f.renderer,
		Faults:   f.faults.Router()})
}
