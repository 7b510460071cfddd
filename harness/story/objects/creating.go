package objects

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// create carries out a create: noted in the ledger before the call, its ids right after, while the object surely lives.
// Of is the table that its internal id is read from; "" for objects that nobody asks the id of. It touches nothing of
// the story's own, so several may be under way at once.
func create[T any](a *Account, kind, name string, of usageprobe.Object, call func(context.Context) (*cloud.Creating[T],
	error)) (uuid string, internal int64, object *T, err error) {
	t := a.t
	entry, err := t.noteIntent(kind, name, a.Name)
	if err != nil {
		return "", 0, nil, err
	}
	accepted, err := call(t.Ctx)
	if err != nil {
		return "", 0, nil, t.refused(entry, err)
	}
	if internal, err = t.readInternalID(of, accepted.ID); err != nil {
		return "", 0, nil, err
	}
	if err := t.noteCreated(entry, accepted.ID, internal); err != nil {
		return "", 0, nil, err
	}
	object, err = accepted.Wait(t.Ctx)
	return accepted.ID, internal, object, err
}

// made is create for what must be made before the story goes on.
func made[T any](a *Account, kind, name string, of usageprobe.Object, call func(context.Context) (*cloud.Creating[T],
	error)) (uuid string, internal int64, object *T) {
	uuid, internal, object, err := create(a, kind, name, of, call)
	a.t.Must(err, "creating %s %s", kind, name)
	return uuid, internal, object
}

// setUp is made for what a story stands on and does not test: what a busy server refuses is tried again, each time as a
// new object with a name of its own, and the refusals are in the report.
func setUp[T any](a *Account, kind string, name func() string, of usageprobe.Object,
	call func(ctx context.Context, name string) (*cloud.Creating[T], error)) (uuid string, internal int64,
	object *T) {
	t := a.t
	err := cloud.SetUp(t.Ctx, func(try int, refusal error) {
		t.Note("set up again", "the server refused %s at try %d, a new one is made: %v", kind, try, refusal)
	}, func(int) (err error) {
		called := name()
		uuid, internal, object, err = create(a, kind, called, of,
			func(ctx context.Context) (*cloud.Creating[T], error) { return call(ctx, called) })
		if err != nil {
			return fmt.Errorf("creating %s %s: %w", kind, called, err)
		}
		return nil
	})
	t.Must(err, "setting up")
	return uuid, internal, object
}

// firstThen gives one name the first time and new ones after that.
func firstThen(name string, next func() string) func() string {
	used := false
	return func() string {
		if used {
			return next()
		}
		used = true
		return name
	}
}

// intend, created, refused and removed keep the ledger; without one they do nothing.
func (t *Cast) intend(kind, name, account string) int {
	entry, err := t.noteIntent(kind, name, account)
	t.Must(err, "before the call")
	return entry
}

func (t *Cast) noteIntent(kind, name, account string) (entry int, err error) {
	if t.Site.Ledger == nil {
		return 0, nil
	}
	if entry, err = t.Site.Ledger.Intend(kind, name, account); err != nil {
		return 0, fmt.Errorf("noting %s %s in the ledger: %w", kind, name, err)
	}
	return entry, nil
}

func (t *Cast) created(entry int, uuid string, internal int64) {
	t.Must(t.noteCreated(entry, uuid, internal), "after the call")
}

func (t *Cast) noteCreated(entry int, uuid string, internal int64) error {
	if t.Site.Ledger == nil {
		return nil
	}
	if err := t.Site.Ledger.Created(entry, uuid, internal); err != nil {
		return fmt.Errorf("noting %s in the ledger: %w", uuid, err)
	}
	return nil
}

// refused notes a create that surely made nothing, and returns its error.
func (t *Cast) refused(entry int, err error) error {
	if err != nil && t.Site.Ledger != nil && cloud.NothingMade(err) {
		return errors.Join(err, t.Site.Ledger.Refused(entry))
	}
	return err
}

func (t *Cast) removed(uuid string, err error) error {
	if err == nil && t.Site.Ledger != nil {
		return t.Site.Ledger.Removed(uuid)
	}
	return err
}

// InternalID reads an object's internal id by its uuid, which must be done while the object lives; 0 without a
// database.
func (t *Cast) InternalID(of usageprobe.Object, uuid string) int64 {
	id, err := t.readInternalID(of, uuid)
	t.Must(err, "after a create")
	return id
}

func (t *Cast) readInternalID(of usageprobe.Object, uuid string) (int64, error) {
	if t.Site.DB == nil || of == "" {
		return 0, nil
	}
	id, err := t.Usage().InternalID(t.Ctx, of, uuid)
	if err != nil {
		return 0, fmt.Errorf("reading an internal id: %w", err)
	}
	return id, nil
}

// mostTogether is how many things of one story are under way at once at most; how many the server takes is the pacer's
// business.
const mostTogether = 8

// together does count things that do not depend on one another. On a server that others use too they are under way at
// once: one that answers late would have each of them wait for the one before. Elsewhere they are done in turn, so that
// a seed reproduces the run. What is done must touch nothing of the story's own. After a failure none is begun.
func (t *Cast) together(count int, do func(i int) error) error {
	group, ctx := errgroup.WithContext(t.Ctx)
	group.SetLimit(1)
	if t.Site.Gate != nil {
		group.SetLimit(mostTogether)
	}
	for i := range count {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return do(i) // what is under way is carried through, so that its outcome is known
		})
	}
	return group.Wait()
}

// Numbered creates count rules that do not depend on one another, named R and a number, from one on.
func Numbered(n *Network, from, count int) []*Rule {
	rules := make([]*Rule, max(0, count))
	specs := make([]cloud.LoadBalancerRuleSpec, len(rules))
	for i := range rules {
		rules[i], specs[i] = ruleOn(n, fmt.Sprintf("R%d", from+i), Form{})
	}
	n.t.Must(n.t.together(len(rules), func(i int) error {
		return createRule(rules[i], specs[i])
	}), "creating %d LB rules", len(rules))
	for _, r := range rules {
		n.t.born(r)
	}
	return rules
}

// named reads a resource's internal id from the newest usage event of its family that names it: for objects whose own
// tables are not read.
func (t *Cast) named(family, name string) int64 {
	id, err := t.Usage().Named(t.Ctx, family, name)
	t.Must(err, "reading an internal id")
	if id == 0 {
		t.Inconclusive("no %s usage event names %s", family, name)
	}
	return id
}
