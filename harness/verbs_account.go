package harness

import (
	"context"
	"fmt"

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
	var made struct {
		Account struct {
			ID, DomainID string
			User         []struct{ ID string }
		}
	}
	entry := t.intend("account", name)
	t.onRemove("account "+name, func(ctx context.Context) error {
		if made.Account.ID == "" {
			return nil
		}
		_, err := t.site.Cloud.Job(ctx, "deleteAccount", cloud.Params{"id": made.Account.ID}, nil)
		return t.removed(made.Account.ID, err)
	})
	err := t.site.Cloud.Call(t.ctx, "createAccount", cloud.Params{"accounttype": "0", "account": name, "username": name,
		"password": t.secret(), "firstname": "stackproof", "lastname": "scenario", "email": "stackproof@example.invalid"}, &made)
	t.must(err, "creating account %s", name)
	if len(made.Account.User) == 0 {
		t.Inconclusive("creating account %s: the answer names no user", name)
	}
	t.created(entry, made.Account.ID)
	var keys struct {
		UserKeys struct{ APIKey, SecretKey string }
	}
	t.must(t.site.Cloud.Call(t.ctx, "registerUserKeys", cloud.Params{"id": made.Account.User[0].ID}, &keys), "keys for account %s", name)
	a := &Account{t: t, Name: name, ID: made.Account.ID, DomainID: made.Account.DomainID}
	var clientErr error
	a.Cloud, clientErr = t.site.Cloud.As(keys.UserKeys.APIKey, keys.UserKeys.SecretKey)
	t.onCleanup("closing the client of account "+name, func(ctx context.Context) error {
		if a.Cloud == nil {
			return nil
		}
		return a.Cloud.Close(ctx)
	})
	t.must(clientErr, "client of account %s", name)
	a.InternalID = t.internalID("cloud.account", a.ID)
	t.watch.accounts = append(t.watch.accounts, a)
	return a
}

// secret is a password that nobody needs again.
func (t *T) secret() string { return fmt.Sprintf("sp-%016x-%016x", t.rng.Uint64(), t.rng.Uint64()) }

// call, job and create carry out one API command as the account; a failure ends the scenario.
func (a *Account) call(command string, p cloud.Params, into any) {
	a.t.must(a.Cloud.Call(a.t.ctx, command, p, into), "%s", command)
}

func (a *Account) job(command string, p cloud.Params, into any) {
	_, err := a.Cloud.Job(a.t.ctx, command, p, into)
	a.t.must(err, "%s", command)
}

// make carries out a creating command: noted in the ledger before the call, its ids right after.
func (a *Account) make(kind, name, table, command string, p cloud.Params) (uuid string, internal int64) {
	t := a.t
	entry := t.intend(kind, name)
	made, err := a.Cloud.Create(t.ctx, command, p, nil)
	t.must(err, "%s %s", command, name)
	t.created(entry, made.ID)
	internal = t.internalID(table, made.ID)
	_, err = made.Wait(t.ctx, nil)
	t.must(err, "%s %s", command, name)
	return made.ID, internal
}

// intend, created and removed keep the ledger; without one they do nothing.
func (t *T) intend(kind, name string) int {
	if t.site.Ledger == nil {
		return 0
	}
	entry, err := t.site.Ledger.Intend(kind, name)
	t.must(err, "noting %s %s in the ledger", kind, name)
	return entry
}

func (t *T) created(entry int, uuid string) {
	if t.site.Ledger != nil {
		t.must(t.site.Ledger.Created(entry, uuid, 0), "noting %s in the ledger", uuid)
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
