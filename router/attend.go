//go:build linux

package router

import (
	"context"
	"errors"
	"fmt"
)

// maxVersions bounds the files that wait for the first look.
const maxVersions = 64

// Attend makes sure that HAProxy runs as it would if it had run all along (Options.OnDemand): from the newest file that
// it accepts. From then on every push acts on it at once. Without that option, and after the first call, it does
// nothing. It is no error that no file is good: HAProxy would not be running then.
func (r *Router) Attend(ctx context.Context) error {
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	if r.attended || !r.up {
		return nil
	}
	if err := r.catchUp(ctx); err != nil {
		return fmt.Errorf("router %s: starting HAProxy for the first look: %w", r.name, err)
	}
	r.attended, r.versions = true, nil
	return nil
}

// catchUp starts HAProxy from the newest version that it takes. The live file holds each candidate in turn, since that
// is the path HAProxy is told, and in the end what it held before.
func (r *Router) catchUp(ctx context.Context) error {
	refusal := ""
	for i := len(r.versions) - 1; i >= 0; i-- {
		var refused string
		err := r.withLive(r.versions[i], func() error {
			var err error
			_, refused, err = r.start(ctx, r.versions[i])
			return err
		})
		if err != nil {
			return err
		}
		if refusal == "" {
			refusal = refused
		}
		if refused == "" {
			break
		}
	}
	r.refusal = refusal
	return nil
}

// withLive runs f while the live file holds the given content.
func (r *Router) withLive(content []byte, f func() error) (err error) {
	live, err := r.readFile(livePath)
	if err != nil {
		return err
	}
	if string(live) == string(content) {
		return f()
	}
	defer func() { err = errors.Join(err, r.writeFile(livePath, live)) }()
	if err := r.writeFile(livePath, content); err != nil {
		return err
	}
	return f()
}

// remember keeps a live file for the first look. Beyond maxVersions only the newest file that passes HAProxy's check is
// kept: a refused one is never started, and no older one is reached.
func (r *Router) remember(ctx context.Context, file []byte) error {
	r.versions = append(r.versions, file)
	if len(r.versions) <= maxVersions {
		return nil
	}
	for len(r.versions) > 0 {
		newest := len(r.versions) - 1
		var refused string
		err := r.withLive(r.versions[newest], func() (err error) {
			refused, err = r.check(ctx, livePath)
			return err
		})
		if err != nil {
			return err
		}
		if refused == "" {
			r.versions = [][]byte{r.versions[newest]}
			return nil
		}
		r.versions = r.versions[:newest]
	}
	return nil
}
