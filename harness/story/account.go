package story

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
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
	project    bool // a project: ID is its own, InternalID that of its account
	ended      bool // it was deleted with all it owned
}

// NewAccount creates an account with keys; it and all it owns are removed at the end.
func (t *T) NewAccount() *Account { return t.newAccountIn(t.site.DomainID, "") }

// NewAccountCalled creates an account whose name ends as given.
func (t *T) NewAccountCalled(end string) *Account { return t.newAccountIn(t.site.DomainID, end) }

func (t *T) newAccountIn(domain, end string) *Account {
	name := t.Unique("acct") + end
	defer t.Step("account %s", name)()
	entry := t.intend("account", name, name)
	t.OnRemove("account "+name, func(ctx context.Context) error { return t.removeAccount(ctx, name) })
	made, err := t.createAccount(cloud.AccountSpec{Name: name, DomainID: domain,
		Password: t.secret(), Email: "stackproof@example.invalid"})
	t.Must(t.refused(entry, err), "creating account %s", name)
	id := made.Id
	t.created(entry, id, 0)
	if len(made.User) == 0 {
		t.Inconclusive("creating account %s: the answer names no user", name)
	}
	keys, err := t.site.Cloud.RegisterUserKeys(t.ctx, made.User[0].Id)
	t.Must(err, "keys for account %s", name)
	if !t.site.KeepLimits {
		t.Must(t.site.Cloud.LiftLimits(t.ctx, made.Domainid, name), "account %s", name)
	}
	a := &Account{t: t, Name: name, ID: id, DomainID: made.Domainid}
	a.Cloud, err = t.site.Cloud.As(keys.APIKey, keys.SecretKey)
	t.OnCleanup("closing the client of account "+name, func(ctx context.Context) error {
		if a.Cloud == nil {
			return nil
		}
		return a.Cloud.Close(ctx)
	})
	t.Must(err, "client of account %s", name)
	a.InternalID = t.internalID(usageprobe.ObjectAccount, a.ID)
	t.watch.accounts = append(t.watch.accounts, a)
	return a
}

// createAccount makes an account while no other scenario makes one.
func (t *T) createAccount(spec cloud.AccountSpec) (*cloud.Account, error) {
	give, err := t.site.Accounts.Take(t.ctx)
	t.Must(err, "waiting for other scenarios' accounts")
	defer give()
	return t.site.Cloud.CreateAccount(t.ctx, spec)
}

// owned is an object of an account.
type owned struct {
	Account *Account
	t       *T
}

func (a *Account) own() owned { return owned{a, a.t} }

// removeAccount removes an account with all that it owns and looks whether it is gone: a delete's answer proves
// nothing.
func (t *core) removeAccount(ctx context.Context, name string) error {
	report, err := cleanup.Remove(ctx, cleanup.Options{Cloud: t.site.Cloud, Scope: cleanup.Account(name)})
	if err := errors.Join(err, report.Err()); err != nil || t.site.Ledger == nil {
		return err
	}
	return t.site.Ledger.Gone(name)
}

// secret is a password that nobody needs again.
func (t *core) secret() string { return fmt.Sprintf("sp-%016x-%016x", t.rng.Uint64(), t.rng.Uint64()) }

// rows is the probe of usage rows.
func (t *core) rows() *usageprobe.Probe { return usageprobe.New(t.site.DB) }

// do carries out an asynchronous command that the client has no call for.
func (o owned) do(command string, p cloud.Params) {
	_, err := o.Account.Cloud.Job(o.t.ctx, command, p, nil)
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
			func() error { return t.site.Cloud.DeleteAccount(t.ctx, a.ID) })
	}
	t.until("the cleanup of account "+a.Name, accountCleanup, usageLook, func() (bool, string) {
		left, err := t.rows().Left(t.ctx, a.InternalID)
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
	a.t.Must(a.t.site.Tamper.Forge(a.t.ctx, harness.ForgedEvent{Type: eventType, Account: a.InternalID,
		Resource: resource, Columns: columns, Details: details}),
		"forging %s", eventType)
	a.t.pass(apart)
}

// Backlog gives the usage server count events to work through.
func (a *Account) Backlog(count int) {
	defer a.t.Step("backlog of %d events", count)()
	a.t.Must(a.t.site.Tamper.Backlog(a.t.ctx, a.InternalID, count), "writing a backlog")
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
	pending, err := a.Cloud.Create(a.t.ctx, "addVpnUser", cloud.Params{"username": u.name, "password": a.t.secret()},
		nil)
	a.t.Must(err, "adding VPN user %s", u.name)
	a.t.created(entry, pending.ID, 0)
	_, err = pending.Wait(a.t.ctx, nil)
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
	u.t.pass(apart)
	u.do("removeVpnUser", cloud.Params{"username": u.name})
	u.t.pass(apart)
}

// Billed is the user as it is billed.
func (u *VPNUser) Billed() Billed {
	return Billed{u.name, usageprobe.Ref{Kind: usageprobe.KindVPNUser, ID: u.internalID}}
}

// Waves of accounts on a site whose usage server runs by itself: it looks for work every 60 s
// (UsageManagerImpl.java@4.20.0.0), so the waves must be spread over a minute to meet a run.
const (
	accountWaves = 4
	betweenWaves = 15 * time.Second
)

// AccountsDuringUsageRun makes accounts, count of them at once, and again until a usage run has come meanwhile. They
// have no keys and own nothing. Account ids are given out when a transaction begins and seen when it commits, so
// accounts that are made side by side may become visible in another order than that of their ids.
func (t *T) AccountsDuringUsageRun(count int) []*Account {
	defer t.Step("%d accounts at once while usage runs", count)()
	began := t.lastSuccess()
	if asker, ok := t.site.Usage.(harness.RunAsker); ok {
		t.Must(asker.Ask(t.ctx), "asking for a usage run")
	}
	var all []*Account
	for range accountWaves {
		all = append(all, t.accountsAtOnce(count)...)
		if !t.sharesRuns() || t.lastSuccess().After(began) {
			break
		}
		t.Must(t.site.Clock.Pass(t.ctx, betweenWaves), "waiting for a usage run")
	}
	return all
}

// ExpectKnownToUsage wants accounts in cloud_usage.account, from where the usage server bills. The scenario's first
// account is the control: one that is there is found there.
func (t *T) ExpectKnownToUsage(accounts ...*Account) {
	defer t.Step("accounts known to the usage server")()
	t.Checked(1)
	ids := []int64{t.watch.accounts[0].InternalID}
	for _, a := range accounts {
		ids = append(ids, a.InternalID)
	}
	lost, err := t.rows().LostAccounts(t.ctx, ids...)
	t.Must(err, "looking for the accounts in cloud_usage.account")
	for _, v := range lost {
		if v.AccountID == ids[0] {
			t.Inconclusive("account %d, which a usage run has billed, is not found in cloud_usage.account: the look "+
				"itself is wrong", ids[0])
		}
		t.Find(result.Finding{Says: fmt.Sprintf("account %d is missing in cloud_usage.account after a usage run "+
			"that came after it was made: "+
			"it is not billed, and its first event will end every usage run of the site", v.AccountID),
			Class: ClassOf(v), Codes: []string{v.Invariant}})
	}
}

// accountsAtOnce sends the calls side by side, while no other scenario makes an account; all else is done in turn.
func (t *T) accountsAtOnce(count int) []*Account {
	specs, entries, made := make([]cloud.AccountSpec, count), make([]int, count), make([]*cloud.Account, count)
	for i := range count {
		name := t.Unique("acct")
		specs[i] = cloud.AccountSpec{Name: name, DomainID: t.site.DomainID, Password: t.secret(),
			Email: "stackproof@example.invalid"}
		entries[i] = t.intend("account", name, name)
		t.OnRemove("account "+name, func(ctx context.Context) error { return t.removeAccount(ctx, name) })
	}
	give, err := t.site.Accounts.Take(t.ctx)
	t.Must(err, "waiting for other scenarios' accounts")
	defer give()
	group, ctx := errgroup.WithContext(t.ctx)
	for i := range count {
		group.Go(func() (err error) {
			made[i], err = t.site.Cloud.CreateAccount(ctx, specs[i])
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
			InternalID: t.internalID(usageprobe.ObjectAccount, made[i].Id)}
	}
	t.watch.accounts = append(t.watch.accounts, all...)
	return all
}
