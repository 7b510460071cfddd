package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
)

// Account is an account of a scenario's own, with its own keys: totals per account mean something (T11), and the calls
// are a customer's, not the administrator's.
type Account struct {
	t          *T
	Name       string
	ID         string
	InternalID int64
	DomainID   string
	Cloud      *cloud.Client
	vpcs       int
}

// NewAccount creates an account with keys; it and all it owns are removed at the end.
func (t *T) NewAccount() *Account {
	name := t.unique("acct")
	defer t.step("account %s", name)()
	entry := t.intend("account", name, name)
	t.onRemove("account "+name, func(ctx context.Context) error { return t.removeAccount(ctx, name) })
	made, err := t.site.Cloud.CreateAccount(t.ctx, cloud.AccountSpec{Name: name, DomainID: t.site.DomainID, Password: t.secret(), Email: "stackproof@example.invalid"})
	t.must(err, "creating account %s", name)
	id := made.Id
	t.created(entry, id, 0)
	if len(made.User) == 0 {
		t.Inconclusive("creating account %s: the answer names no user", name)
	}
	keys, err := t.site.Cloud.RegisterUserKeys(t.ctx, made.User[0].Id)
	t.must(err, "keys for account %s", name)
	if !t.site.KeepLimits {
		t.must(t.site.Cloud.LiftLimits(t.ctx, made.Domainid, name), "account %s", name)
	}
	a := &Account{t: t, Name: name, ID: id, DomainID: made.Domainid}
	a.Cloud, err = t.site.Cloud.As(keys.APIKey, keys.SecretKey)
	t.onCleanup("closing the client of account "+name, func(ctx context.Context) error {
		if a.Cloud == nil {
			return nil
		}
		return a.Cloud.Close(ctx)
	})
	t.must(err, "client of account %s", name)
	a.InternalID = t.internalID("cloud.account", a.ID)
	t.watch.accounts = append(t.watch.accounts, a)
	return a
}

// removeAccount removes an account with all that it owns and looks whether it is gone: a delete's answer proves nothing.
func (t *T) removeAccount(ctx context.Context, name string) error {
	report, err := cleanup.Remove(ctx, cleanup.Options{Cloud: t.site.Cloud, Scope: cleanup.Account(name)})
	if err := errors.Join(err, report.Err()); err != nil || t.site.Ledger == nil {
		return err
	}
	return t.site.Ledger.Gone(name)
}

// secret is a password that nobody needs again.
func (t *T) secret() string { return fmt.Sprintf("sp-%016x-%016x", t.rng.Uint64(), t.rng.Uint64()) }

// made carries out a create: noted in the ledger before the call, its ids right after, while the object surely lives.
// The table is where its internal id is; "" for objects that nobody asks the id of.
func made[T any](a *Account, kind, name, table string, create func(context.Context) (*cloud.Creating[T], error)) (uuid string, internal int64, object *T) {
	t := a.t
	entry := t.intend(kind, name, a.Name)
	accepted, err := create(t.ctx)
	t.must(err, "creating %s %s", kind, name)
	internal = t.internalID(table, accepted.ID)
	t.created(entry, accepted.ID, internal)
	object, err = accepted.Wait(t.ctx)
	t.must(err, "creating %s %s", kind, name)
	return accepted.ID, internal, object
}

// intend, created and removed keep the ledger; without one they do nothing.
func (t *T) intend(kind, name, account string) int {
	if t.site.Ledger == nil {
		return 0
	}
	entry, err := t.site.Ledger.Intend(kind, name, account)
	t.must(err, "noting %s %s in the ledger", kind, name)
	return entry
}

func (t *T) created(entry int, uuid string, internal int64) {
	if t.site.Ledger != nil {
		t.must(t.site.Ledger.Created(entry, uuid, internal), "noting %s in the ledger", uuid)
	}
}

func (t *T) removed(uuid string, err error) error {
	if err == nil && t.site.Ledger != nil {
		return t.site.Ledger.Removed(uuid)
	}
	return err
}

// internalID reads an object's internal id by its uuid, which must be done while the object lives; 0 without a database.
func (t *T) internalID(table, uuid string) int64 {
	if t.site.DB == nil || table == "" {
		return 0
	}
	var id int64
	row := t.site.DB.QueryRowContext(t.ctx, "SELECT id FROM "+table+" WHERE uuid = ?", uuid)
	t.must(row.Scan(&id), "internal id of %s in %s", uuid, table)
	return id
}
