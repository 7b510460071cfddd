package cleanup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
)

// Options say what to remove and how long to try.
type Options struct {
	Cloud *cloud.Client // of a root administrator
	Scope Scope
	// Wait is how long removal is tried; default 5 minutes. What had no try until then, because what it waits for went
	// at the last moment, has one after that.
	Wait time.Duration
	// Quiet is until when objects may still appear, because creates were sent whose answers nobody saw; zero is now.
	Quiet time.Time
	// Survey lists everything before it removes anything, so that the report names it and not only the accounts that
	// held it.
	Survey bool
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
	// Pauses between two looks, and between two tries of one object that was refused. The server's own clean-up comes
	// every 20 s on a simulator zone and once a day by default (account.cleanup.interval).
	firstPause = 50 * time.Millisecond
	mostPause  = 15 * time.Second
	// together bounds how many accounts are asked to go at once; the client sends fewer (cloud.Pacer).
	together = 4
	// saidAgain is after how long the same wait is told again.
	saidAgain = 30 * time.Second
)

// removal is one removal under way.
type removal struct {
	Options
	until time.Time
	mu    sync.Mutex
	why   map[string]string           // last reason by object
	next  map[string]retry            // when an object that was refused is tried again
	tried map[string]bool             // what a removal was sent for at least once
	saw   map[string]inventory.Object // everything that was ever found
	// domains are those in which the scope's objects lie, by id, while nothing of it was found elsewhere.
	domains map[string]bool
	told    string
	toldAt  time.Time
}

// retry is the back-off of one object.
type retry struct {
	at    time.Time
	pause time.Duration
}

// Remove removes what the scope owns: accounts as a whole first, a few at a time; then what the server has not cleaned
// up of them, one by one in the order of inventory's kinds; then domains. It goes on until a look finds nothing or the
// time is up. The error says that no look succeeded; what could not be removed is in the report.
func Remove(ctx context.Context, o Options) (Report, error) {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if o.Show == nil {
		o.Show = func(string, ...any) {}
	}
	r := &removal{Options: o, until: time.Now().Add(o.Wait), why: map[string]string{}, next: map[string]retry{},
		tried: map[string]bool{}, saw: map[string]inventory.Object{}, domains: map[string]bool{}}
	if o.Survey {
		if err := r.survey(ctx); err != nil {
			return r.report(nil), err
		}
	}
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		mine, err := r.look(ctx)
		switch {
		case err == nil && len(mine) == 0 && !time.Now().Before(o.Quiet):
			return r.report(nil), nil
		case ctx.Err() != nil || cloud.IsUnauthorized(err) || time.Now().After(r.until) && !r.firstTries(ctx, mine):
			r.blocked(context.WithoutCancel(ctx), mine)
			return r.report(mine), errors.Join(err, context.Cause(ctx))
		case err == nil && len(mine) > 0 && !time.Now().After(r.until):
			r.tell(mine)
			if r.pass(ctx, mine) {
				pause = firstPause
			}
		}
		if err := sleep(ctx, pause); err != nil {
			return r.report(mine), err
		}
	}
}

// firstTries tries what has not been tried yet, and says whether there was such a thing: an account that went at the
// last moment must not leave its domain behind, which could not go before.
func (r *removal) firstTries(ctx context.Context, mine []inventory.Object) bool {
	isAccount := func(o inventory.Object) bool { return o.Kind == inventory.AccountObj }
	untried := slices.DeleteFunc(slices.Clone(mine), func(o inventory.Object) bool { return r.tried[o.ID] })
	if slices.ContainsFunc(mine, isAccount) && !slices.ContainsFunc(untried, isAccount) {
		return false // what is left waits for an account that does not go
	}
	before := len(r.tried)
	r.pass(ctx, untried)
	return len(r.tried) > before
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
