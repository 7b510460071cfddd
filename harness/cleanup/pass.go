package cleanup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
)

// owns keeps what the scope owns, and notes it.
func (r *removal) owns(all []inventory.Object) []inventory.Object {
	mine := slices.DeleteFunc(all, func(o inventory.Object) bool { return !r.Scope.Owns(o) })
	for _, o := range mine {
		r.saw[o.ID] = o
		switch {
		case o.Kind == inventory.Domain:
			r.domains[o.ID] = true
		case o.DomainID != "":
			r.domains[o.DomainID] = true
		}
	}
	return mine
}

// survey lists everything once.
func (r *removal) survey(ctx context.Context) error {
	all, err := inventory.ListOf(ctx, r.Cloud, nil, r.Scope.lists()...)
	if mine := r.owns(all); len(mine) > 0 {
		r.Show("to be removed, within %s: %s", r.Wait.Round(time.Second), summary(mine))
	}
	return err
}

// look lists only what it needs: accounts and domains; when no account is left, whatever else there is in the domains
// that they were in.
func (r *removal) look(ctx context.Context) ([]inventory.Object, error) {
	if r.Scope.kinds != nil {
		all, err := inventory.ListOf(ctx, r.Cloud, nil, r.Scope.kinds...)
		return r.owns(all), err
	}
	heads, err := inventory.ListOf(ctx, r.Cloud, nil, inventory.AccountObj, inventory.Domain)
	if err != nil {
		return nil, err
	}
	heads = r.owns(heads)
	if slices.ContainsFunc(heads, func(o inventory.Object) bool { return o.Kind == inventory.AccountObj }) {
		return heads, nil
	}
	rest, err := r.rest(ctx)
	return append(rest, heads...), err
}

// rest lists what is neither account nor domain.
func (r *removal) rest(ctx context.Context) ([]inventory.Object, error) {
	kinds := slices.DeleteFunc(inventory.Kinds(), func(k inventory.Kind) bool {
		return k == inventory.AccountObj ||
			k == inventory.Domain
	})
	var filter cloud.Params
	if len(r.domains) == 1 {
		for id := range r.domains {
			filter = cloud.Params{"domainid": id, "isrecursive": true}
		}
	}
	rest, err := inventory.ListOf(ctx, r.Cloud, filter, kinds...)
	if filter != nil && cloud.IsInvalid(err) { // the domain has gone meanwhile
		rest, err = inventory.ListOf(ctx, r.Cloud, nil, kinds...)
	}
	return r.owns(rest), err
}

// pass tries everything once: accounts as a whole; what is left when they are gone; domains when nothing else is. It
// says whether something was taken.
func (r *removal) pass(ctx context.Context, mine []inventory.Object) bool {
	of := map[bool][]inventory.Object{}
	var accounts []inventory.Object
	for _, o := range mine {
		if o.Kind == inventory.AccountObj {
			accounts = append(accounts, o)
			continue
		}
		of[o.Kind == inventory.Domain] = append(of[o.Kind == inventory.Domain], o)
	}
	if len(accounts) > 0 {
		taken, refused := r.wholes(ctx, accounts)
		if refused == 0 {
			return taken > 0
		}
		rest, err := r.rest(ctx) // what keeps an account from going
		if err != nil {
			return taken > 0
		}
		of[false] = rest
	}
	taken := 0
	for _, o := range of[false] {
		if r.one(ctx, o) == removed {
			taken++
		}
	}
	if len(accounts) > 0 || len(of[false]) > 0 {
		return taken > 0
	}
	for _, o := range of[true] {
		if r.one(ctx, o) == removed {
			taken++
		}
	}
	return taken > 0
}

// wholes removes accounts with all that they own.
func (r *removal) wholes(ctx context.Context, accounts []inventory.Object) (taken, refused int) {
	group := errgroup.Group{}
	group.SetLimit(together)
	ended := make([]outcome, len(accounts))
	for i, a := range accounts {
		group.Go(func() error { ended[i] = r.one(ctx, a); return nil })
	}
	_ = group.Wait() // answers no error: what could not be removed is in the report
	for _, e := range ended {
		switch e {
		case removed:
			taken++
		case turnedDown:
			refused++
		}
	}
	return taken, refused
}

// outcome is what came of trying to remove one object.
type outcome int

const (
	notTried   outcome = iota // it goes by itself, or was refused just now
	removed                   // the server took it; a look shows whether it is gone
	turnedDown                // the reason is kept
)

// one tries to remove one object, unless it was refused just now, and keeps the reason if that does not work.
func (r *removal) one(ctx context.Context, o inventory.Object) outcome {
	d := deletion(o)
	if d.command == "" || !r.due(o.ID) {
		return notTried
	}
	r.mu.Lock()
	r.tried[o.ID] = true
	r.mu.Unlock()
	r.Show("removing %s", o)
	var err error
	if d.sync {
		err = r.Cloud.Change(ctx, d.command, d.params, nil)
	} else {
		_, err = r.Cloud.Job(ctx, d.command, d.params, nil)
	}
	if cloud.IsNotFound(err) {
		err = nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.why, o.ID)
	if err == nil {
		return removed
	}
	again := r.next[o.ID]
	again.pause = min(max(firstPause, 2*again.pause), mostPause)
	again.at = time.Now().Add(again.pause)
	r.next[o.ID] = again
	r.why[o.ID] = err.Error()
	r.Show("%s: %v", o, err)
	return turnedDown
}

func (r *removal) due(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !time.Now().Before(r.next[id].at)
}

// tell says what is waited for, with the count and until when, when that has changed or was said long ago.
func (r *removal) tell(mine []inventory.Object) {
	text := summary(mine)
	if text == r.told && time.Since(r.toldAt) < saidAgain {
		return
	}
	r.told, r.toldAt = text, time.Now()
	waits := ""
	if !slices.ContainsFunc(mine, func(o inventory.Object) bool { return o.Kind == inventory.AccountObj }) &&
		len(mine) > 1 {
		waits = "; the server cleans up accounts that are gone by itself (account.cleanup.interval)"
	}
	r.Show("left: %s, waited for until %s at most%s", text, r.until.Local().Format(time.TimeOnly), waits)
}

// summary counts objects by kind.
func summary(objects []inventory.Object) string {
	counts := map[inventory.Kind]int{}
	for _, o := range objects {
		counts[o.Kind]++
	}
	var words []string
	for _, k := range slices.Backward(inventory.Kinds()) {
		if n := counts[k]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, plural(string(k), n)))
		}
	}
	return strings.Join(words, ", ")
}

func plural(word string, n int) string {
	switch {
	case n == 1:
		return word
	case strings.HasSuffix(word, "y"):
		return strings.TrimSuffix(word, "y") + "ies"
	case strings.HasSuffix(word, "ss"):
		return word + "es"
	}
	return word + "s"
}

// blocked says what keeps a domain from going: accounts in it that are not of the scope, domains below it, or the
// server's own clean-up.
func (r *removal) blocked(ctx context.Context, left []inventory.Object) {
	ctx, cancel := context.WithTimeout(ctx, mostPause)
	defer cancel()
	for _, o := range left {
		if o.Kind != inventory.Domain || r.why[o.ID] == "" {
			continue
		}
		inside, err := inventory.ListOf(ctx, r.Cloud, cloud.Params{"domainid": o.ID, "isrecursive": true},
			inventory.AccountObj)
		if err != nil {
			continue // the server's reason stands
		}
		var names []string
		for _, a := range inside {
			text := a.String()
			if !r.Scope.Owns(a) {
				text += " of somebody else"
			}
			names = append(names, text)
		}
		switch {
		case len(names) > 0:
			r.why[o.ID] += "; it holds " + strings.Join(names, ", ")
		case strings.Contains(r.why[o.ID], "users and sub domains"):
			r.why[o.ID] += "; its accounts are gone, and the server has not cleaned up after them yet " +
				"(account.cleanup.interval)"
		}
	}
}
