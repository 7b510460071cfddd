package cleanup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
)

// Options say what to remove and how long to try.
type Options struct {
	Cloud *cloud.Client // of a root administrator
	Scope Scope
	// Wait is how long removal is tried; default 5 minutes.
	Wait time.Duration
	// Quiet is until when objects may still appear, because creates were sent whose answers nobody saw; zero is now.
	Quiet time.Time
	// Show is told what happens; nil for nobody.
	Show func(format string, a ...any)
}

// Left is what could not be removed, and why.
type Left struct {
	Object inventory.Object
	Why    string
}

func (l Left) String() string { return l.Object.String() + ": " + l.Why }

// Report is what came of it.
type Report struct {
	Removed []inventory.Object
	Left    []Left
}

// Err is nil when nothing is left.
func (r Report) Err() error {
	if len(r.Left) == 0 {
		return nil
	}
	texts := make([]string, len(r.Left))
	for i, l := range r.Left {
		texts[i] = l.String()
	}
	return fmt.Errorf("could not remove %d objects: %s", len(r.Left), strings.Join(texts, "; "))
}

// Look is what a removal would remove, in its order, without doing so.
func Look(ctx context.Context, c *cloud.Client, s Scope) ([]inventory.Object, error) {
	all, err := inventory.List(ctx, c)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(o inventory.Object) bool { return !s.Owns(o) }), nil
}

const (
	defaultWait = 5 * time.Minute
	firstPause  = 50 * time.Millisecond
	mostPause   = 5 * time.Second
	// together bounds how many accounts are removed at once.
	together = 4
)

// removal is one removal under way.
type removal struct {
	Options
	mu  sync.Mutex
	why map[string]string           // last reason by object
	saw map[string]inventory.Object // everything that was ever found
}

// Remove removes what the scope owns: accounts as a whole first, then what is left one by one in the order of inventory's
// kinds, again and again until a look finds nothing or the time is up. The error says that no look succeeded; what could not
// be removed is in the report.
func Remove(ctx context.Context, o Options) (Report, error) {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if o.Show == nil {
		o.Show = func(string, ...any) {}
	}
	r := &removal{Options: o, why: map[string]string{}, saw: map[string]inventory.Object{}}
	deadline := time.Now().Add(o.Wait)
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		mine, err := r.look(ctx)
		switch {
		case err == nil && len(mine) == 0 && !time.Now().Before(o.Quiet):
			return r.report(nil), nil
		case ctx.Err() != nil || cloud.IsUnauthorized(err) || time.Now().After(deadline):
			return r.report(mine), errors.Join(err, context.Cause(ctx))
		case err == nil && len(mine) > 0:
			r.pass(ctx, mine)
		}
		if err := sleep(ctx, pause); err != nil {
			return r.report(mine), err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *removal) look(ctx context.Context) ([]inventory.Object, error) {
	mine, err := Look(ctx, r.Cloud, r.Scope)
	for _, o := range mine {
		r.saw[o.ID] = o
	}
	return mine, err
}

// report sorts what was ever found into what is left and what is gone.
func (r *removal) report(left []inventory.Object) Report {
	var rep Report
	still := map[string]bool{}
	for _, o := range left {
		still[o.ID] = true
		why := r.why[o.ID]
		if why == "" {
			why = "it is still there"
			if o.State != "" {
				why += ", in state " + o.State
			}
		}
		rep.Left = append(rep.Left, Left{o, why})
	}
	for id, o := range r.saw {
		if !still[id] {
			rep.Removed = append(rep.Removed, o)
		}
	}
	slices.SortFunc(rep.Removed, func(a, b inventory.Object) int { return strings.Compare(a.String(), b.String()) })
	return rep
}

// pass tries everything once: accounts as a whole, then what is left of them, then the domains.
func (r *removal) pass(ctx context.Context, mine []inventory.Object) {
	var accounts, domains []inventory.Object
	for _, o := range mine {
		switch o.Kind {
		case inventory.AccountObj:
			accounts = append(accounts, o)
		case inventory.Domain:
			domains = append(domains, o)
		}
	}
	whole := r.wholes(ctx, accounts)
	if !whole || len(accounts) == 0 {
		rest, err := r.look(ctx)
		if err != nil {
			return
		}
		for _, o := range rest {
			if o.Kind != inventory.Domain {
				_ = r.one(ctx, o) // what could not be removed is in the report
			}
		}
	}
	for _, o := range domains {
		_ = r.one(ctx, o) // likewise
	}
}

// wholes removes accounts with all that they own; it says whether every one was taken.
func (r *removal) wholes(ctx context.Context, accounts []inventory.Object) bool {
	group := errgroup.Group{}
	group.SetLimit(together)
	for _, a := range accounts {
		group.Go(func() error { return r.one(ctx, a) })
	}
	return group.Wait() == nil
}

// one tries to remove one object and keeps the reason if that does not work.
func (r *removal) one(ctx context.Context, o inventory.Object) error {
	d := deletion(o)
	if d.command == "" {
		return nil
	}
	r.Show("removing %s", o)
	var err error
	if d.sync {
		err = r.Cloud.Call(ctx, d.command, d.params, nil)
	} else {
		_, err = r.Cloud.Job(ctx, d.command, d.params, nil)
	}
	if cloud.IsNotFound(err) {
		err = nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.why, o.ID)
	if err != nil {
		r.why[o.ID] = err.Error()
		r.Show("%s: %v", o, err)
	}
	return err
}
