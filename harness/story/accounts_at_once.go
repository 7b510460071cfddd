package story

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

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

// accountsAtOnce sends the calls side by side; all else is done in turn.
func (t *T) accountsAtOnce(count int) []*Account {
	specs, entries, made := make([]cloud.AccountSpec, count), make([]int, count), make([]*cloud.Account, count)
	for i := range count {
		name := t.Unique("acct")
		specs[i] = cloud.AccountSpec{Name: name, DomainID: t.site.DomainID, Password: t.secret(),
			Email: "stackproof@example.invalid"}
		entries[i] = t.intend("account", name, name)
		t.OnRemove("account "+name, func(ctx context.Context) error { return t.removeAccount(ctx, name) })
	}
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
