package lab

import (
	"context"
	"errors"
	"sync"

	"github.com/stackproof/stackproof/zone/database"
)

// Pool keeps database servers for the next zone: emptying one is ten times faster than starting one.
type Pool struct {
	start Starter

	mu   sync.Mutex
	idle []*database.Server
	all  []*database.Server
}

// Starter starts a database server with the tables of a release.
type Starter func(ctx context.Context, release string) (*database.Server, error)

// NewPool makes a pool without servers. Their folders are made in dir, or in the system's temporary folder if it is
// empty.
func NewPool(dir string) *Pool {
	return &Pool{start: func(ctx context.Context, release string) (*database.Server, error) {
		return database.Start(ctx, database.Options{Schema: release, Dir: dir})
	}}
}

// NewPoolOf makes a pool without servers that starts them in another way.
func NewPoolOf(start Starter) *Pool { return &Pool{start: start} }

// take lends an idle server, or starts one.
func (p *Pool) take(ctx context.Context, release string) (*database.Server, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return s, nil
	}
	p.mu.Unlock()
	s, err := p.start(ctx, release)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, s)
	return s, nil
}

// Ready starts the first server unless there is one, so that what keeps a lab from opening shows before a run.
func (p *Pool) Ready(ctx context.Context, release string) error {
	s, err := p.take(ctx, release)
	if err != nil {
		return err
	}
	p.put(s)
	return nil
}

func (p *Pool) put(s *database.Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, s)
}

// Close ends all servers. Zones on them must be closed before.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, s := range p.all {
		errs = append(errs, s.Close())
	}
	p.all, p.idle = nil, nil
	return errors.Join(errs...)
}
