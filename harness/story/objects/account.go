package objects

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Account is an account of a scenario's own, with its own keys: totals per account mean something (T11), and the calls
// are a customer's, not the administrator's.
type Account struct {
	t          *Cast
	Name       string
	ID         string
	InternalID int64
	DomainID   string
	Cloud      *cloud.Client
	vpcs       int
	project    bool // a project: ID is its own, InternalID that of its account
	ended      bool // it was deleted with all it owned
}

// NewAccount creates an account with keys; it and all it owns are removed at the end.
func (m Making) NewAccount() *Account { return m.t.newAccountIn(m.t.Site.DomainID, "") }

// NewAccountCalled creates an account whose name ends as given.
func (m Making) NewAccountCalled(end string) *Account {
	return m.t.newAccountIn(m.t.Site.DomainID, end)
}

func (t *Cast) newAccountIn(domain, end string) *Account {
	name := t.Unique("acct") + end
	defer t.Step("account %s", name)()
	spec, entry := t.intendAccount(name, domain)
	made, err := t.createAccount(spec)
	t.Must(t.refused(entry, err), "creating account %s", name)
	id := made.Id
	t.created(entry, id, 0)
	if len(made.User) == 0 {
		t.Inconclusive("creating account %s: the answer names no user", name)
	}
	keys, err := t.Site.Cloud.RegisterUserKeys(t.Ctx, made.User[0].Id)
	t.Must(err, "keys for account %s", name)
	if !t.Site.KeepLimits {
		t.Must(t.Site.Cloud.LiftLimits(t.Ctx, made.Domainid, name), "account %s", name)
	}
	a := &Account{t: t, Name: name, ID: id, DomainID: made.Domainid}
	a.Cloud, err = t.Site.Cloud.As(keys.APIKey, keys.SecretKey)
	t.OnCleanup("closing the client of account "+name, func(ctx context.Context) error {
		if a.Cloud == nil {
			return nil
		}
		return a.Cloud.Close(ctx)
	})
	t.Must(err, "client of account %s", name)
	a.InternalID = t.InternalID(usageprobe.ObjectAccount, a.ID)
	t.Take(a)
	return a
}

// intendAccount is an account that is not made yet, and its entry in the ledger.
func (t *Cast) intendAccount(name, domain string) (spec cloud.AccountSpec, entry int) {
	entry = t.intend("account", name, name)
	t.onRemove("account", name, cleanup.Account(name))
	return cloud.AccountSpec{Name: name, DomainID: domain, Password: t.secret(), Email: "stackproof@example.invalid"},
		entry
}

// createAccount makes an account while no other scenario makes one.
func (t *Cast) createAccount(spec cloud.AccountSpec) (*cloud.Account, error) {
	give, err := t.Site.Accounts.Take(t.Ctx)
	t.Must(err, "waiting for other scenarios' accounts")
	defer give()
	return t.Site.Cloud.CreateAccount(t.Ctx, spec)
}

// owned is an object of an account.
type owned struct {
	Account *Account
	t       *Cast
}

// Ended says whether the account was deleted with all that it owned.
func (a *Account) Ended() bool { return a.ended }

// IsProject says whether it is a project.
func (a *Account) IsProject() bool { return a.project }

func (a *Account) own() owned { return owned{a, a.t} }

// onRemove has what a scope holds removed when the story is over, and looks whether it is gone: a delete's answer
// proves nothing.
func (t *Cast) onRemove(kind, name string, scope cleanup.Scope) {
	t.OnRemove(kind+" "+name, func(ctx context.Context) error {
		report, err := cleanup.Remove(ctx, cleanup.Options{Cloud: t.Site.Cloud, Scope: scope})
		if err := errors.Join(err, report.Err()); err != nil || t.Site.Ledger == nil {
			return err
		}
		return t.Site.Ledger.Gone(name)
	})
}

// secret is a password that nobody needs again.
func (t *Cast) secret() string { return fmt.Sprintf("sp-%016x-%016x", t.Rng.Uint64(), t.Rng.Uint64()) }

// doApart is do in a second of its own: events of one second are unordered.
func (o owned) doApart(command string, p cloud.Params) {
	o.t.Pass(stage.Apart)
	o.do(command, p)
	o.t.Pass(stage.Apart)
}

// do carries out an asynchronous command that the client has no call for.
func (o owned) do(command string, p cloud.Params) {
	_, err := o.Account.Cloud.Job(o.t.Ctx, command, p, nil)
	o.t.Must(err, "%s", command)
}

// Delete removes the account with all it owns. What cannot be removed at once is by the server's cleanup thread.
func (a *Account) Delete() {
	t := a.t
	a.ended = true
	if a.project {
		a.deleteProject()
	} else {
		t.with(func(r *Rule) bool { return r.Account == a }, "delete account "+a.Name,
			func() error { return t.Site.Cloud.DeleteAccount(t.Ctx, a.ID) })
	}
	t.Until("the cleanup of account "+a.Name, accountCleanup, stage.UsageLook, func() (bool, string) {
		left, err := t.Usage().Left(t.Ctx, a.InternalID)
		t.Must(err, "waiting for the cleanup of account %s", a.Name)
		return left == 0, fmt.Sprintf("%d rules and VPCs are left", left)
	})
	t.Must(t.removed(a.ID, nil), "noting the removal of account %s", a.Name)
}

// accountCleanup is how long the cleanup of an account may take: account.cleanup.interval is a day by default, 20 s on
// a simulator zone; the first try is at once.
const accountCleanup = harness.CleanupTime

// Forge writes a usage event of the account.
func (a *Account) Forge(eventType string, resource int64, columns map[string]any, details map[string]string) {
	defer a.t.Step("forged %s", eventType)()
	a.t.Must(a.t.Site.Tamper.Forge(a.t.Ctx, harness.ForgedEvent{Type: eventType, Account: a.InternalID,
		Resource: resource, Columns: columns, Details: details}), "forging %s", eventType)
	a.t.Pass(stage.Apart)
}

// Backlog gives the usage server count events to work through.
func (a *Account) Backlog(count int) {
	defer a.t.Step("backlog of %d events", count)()
	a.t.Must(a.t.Site.Tamper.Backlog(a.t.Ctx, a.InternalID, count), "writing a backlog")
}

// VPNUser is a user of an account's remote access VPN.
type VPNUser struct {
	owned
	name       string
	internalID int64
}

// VPNUser adds a VPN user.
func (a *Account) VPNUser(name string) *VPNUser {
	u := &VPNUser{owned: a.own(), name: a.t.Unique(name)}
	defer a.t.Step("VPN user %s", u.name)()
	entry := a.t.intend("vpn user", u.name, a.Name)
	pending, err := a.Cloud.Create(a.t.Ctx, "addVpnUser", cloud.Params{"username": u.name, "password": a.t.secret()},
		nil)
	a.t.Must(err, "adding VPN user %s", u.name)
	a.t.created(entry, pending.ID, 0)
	_, err = pending.Wait(a.t.Ctx, nil)
	a.t.Must(err, "adding VPN user %s", u.name)
	a.t.OnRemove("VPN user "+u.name, func(ctx context.Context) error {
		_, err := a.Cloud.Job(ctx, "removeVpnUser", cloud.Params{"username": u.name}, nil)
		if refusal := (*cloud.Error)(nil); errors.As(err, &refusal) {
			return nil // it is gone
		}
		return err
	})
	u.internalID = a.t.named("VPN.USER", u.name)
	return u
}

// Remove removes the user.
func (u *VPNUser) Remove() {
	defer u.t.Step("VPN user %s away", u.name)()
	u.doApart("removeVpnUser", cloud.Params{"username": u.name})
}

// Billed is the user as it is billed.
func (u *VPNUser) Billed() watch.Billed { return billed(usageprobe.KindVPNUser, u.internalID, u.name) }

// Waves of accounts on a site whose usage server runs by itself: it looks for work every 60 s
// (UsageManagerImpl.java@4.20.0.0), so the waves must be spread over a minute to meet a run.
const (
	accountWaves = 4
	betweenWaves = 15 * time.Second
)

// AccountsDuringUsageRun makes accounts, count of them at once, and again until a usage run has come meanwhile. They
// have no keys and own nothing. Account ids are given out when a transaction begins and seen when it commits, so
// accounts that are made side by side may become visible in another order than that of their ids.
func (m Making) AccountsDuringUsageRun(count int) []*Account {
	defer m.t.Step("%d accounts at once while usage runs", count)()
	began := m.t.LastSuccess()
	if asker, ok := m.t.Site.Usage.(harness.RunAsker); ok {
		m.t.Must(asker.Ask(m.t.Ctx), "asking for a usage run")
	}
	var all []*Account
	for range accountWaves {
		all = append(all, m.t.accountsAtOnce(count)...)
		if !m.t.SharesRuns() || m.t.LastSuccess().After(began) {
			break
		}
		m.t.Must(m.t.Site.Clock.Pass(m.t.Ctx, betweenWaves), "waiting for a usage run")
	}
	return all
}

// accountsAtOnce sends the calls side by side, while no other scenario makes an account; all else is done in turn.
func (t *Cast) accountsAtOnce(count int) []*Account {
	specs, entries, made := make([]cloud.AccountSpec, count), make([]int, count), make([]*cloud.Account, count)
	for i := range count {
		specs[i], entries[i] = t.intendAccount(t.Unique("acct"), t.Site.DomainID)
	}
	give, err := t.Site.Accounts.Take(t.Ctx)
	t.Must(err, "waiting for other scenarios' accounts")
	defer give()
	group, ctx := errgroup.WithContext(t.Ctx)
	for i := range count {
		group.Go(func() (err error) {
			made[i], err = t.Site.Cloud.CreateAccount(ctx, specs[i])
			if err != nil {
				return fmt.Errorf("account %s: %w", specs[i].Name, err)
			}
			return nil
		})
	}
	t.Must(group.Wait(), "creating accounts at once")
	all := make([]*Account, count)
	for i := range count {
		t.created(entries[i], made[i].Id, 0)
		all[i] = &Account{t: t, Name: specs[i].Name, ID: made[i].Id, DomainID: made[i].Domainid,
			InternalID: t.InternalID(usageprobe.ObjectAccount, made[i].Id)}
	}
	t.Take(all...)
	return all
}
