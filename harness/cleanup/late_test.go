package cleanup_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/ledger"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// busy is a zone on which every account is committed late.
func busy(t *testing.T, late time.Duration) (*zone.Zone, *cloud.Client) {
	t.Helper()
	server, err := database.Start(t.Context(), database.Options{Schema: "4.20.1.0"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	z, err := zone.Open(t.Context(), zone.Options{Release: "4.20.1.0", DB: server,
		Load: zone.Load{LateEvery: 1, Late: late}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, z.Close(context.Background())) })
	c, err := cloud.New(cloud.Options{URL: z.APIURL(), APIKey: z.APIKey(), SecretKey: z.SecretKey(), Eager: true,
		Timeout: 200 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close(context.Background())) })
	return z, c
}

// An account that the server commits after the run gave up on it stays open in the ledger, and cleanup waits for it and
// removes it.
func TestALateAccountIsFoundByCleanup(t *testing.T) {
	const late = 2 * time.Second
	z, c := busy(t, late)
	l, err := ledger.Create(t.TempDir(), "standing", z.APIURL())
	require.NoError(t, err)
	name := l.Prefix() + "-acct"
	_, err = l.Intend(ledger.Account, name, name)
	require.NoError(t, err)
	err = c.Call(t.Context(), "createAccount", cloud.Params{"account": name, "username": name, "firstname": "f",
		"lastname": "l",
		"password": "p", "email": "e@example.invalid", "accounttype": 0}, nil)
	var unknown *cloud.OutcomeUnknown
	require.ErrorAs(t, err, &unknown)
	report, err := cleanup.Remove(t.Context(), cleanup.Options{Cloud: c, Scope: cleanup.Account(name)})
	require.NoError(t, err)
	require.Empty(t, report.Removed, "it is not there yet")
	require.NoError(t, l.Gone(name))
	require.ErrorContains(t, l.Close(), "the server may commit account "+name)

	record, err := ledger.Dead(l.Path())
	require.NoError(t, err)
	defer func() { require.NoError(t, record.Release(true)) }()
	record.Late = 2 * late
	open, until := record.Unsettled(time.Now())
	require.Len(t, open, 1)
	report, err = cleanup.Remove(t.Context(), cleanup.Options{Cloud: c, Scope: cleanup.OfRun(record.Run, record.Open()),
		Quiet: until})
	require.NoError(t, errors.Join(err, report.Err()))
	require.Len(t, report.Removed, 1)
	assert.Equal(t, name, report.Removed[0].Name)
}

// A domain can go when its account has gone: an account that takes all of the time must not leave the domain behind.
func TestTheLastMomentLeavesNoDomain(t *testing.T) {
	s := standing(t, "4.20.1.0")
	admin := s.client(t, s.zone.APIURL())
	const run = "sp89abcdef"
	domain, err := admin.CreateDomain(t.Context(), run+"-domain", "")
	require.NoError(t, err)
	_, err = admin.CreateAccount(t.Context(), cloud.AccountSpec{Name: run + "-acct", DomainID: domain.Id, Password: "p",
		Email: "e@example.invalid"})
	require.NoError(t, err)
	report, err := cleanup.Remove(t.Context(), cleanup.Options{Cloud: admin, Scope: cleanup.OfRun(run, nil),
		Wait: time.Nanosecond})
	require.NoError(t, errors.Join(err, report.Err()))
	assert.Len(t, report.Removed, 2)
}

// What keeps a domain from going is named, nothing is tried every moment, and other people's accounts stay.
func TestWhatBlocksADomainIsNamed(t *testing.T) {
	s := standing(t, "4.20.1.0")
	admin := s.client(t, s.zone.APIURL())
	const run = "sp01234567"
	domain, err := admin.CreateDomain(t.Context(), run+"-domain", "")
	require.NoError(t, err)
	_, err = admin.CreateAccount(t.Context(), cloud.AccountSpec{Name: run + "-late", DomainID: domain.Id, Password: "p",
		Email: "e@example.invalid"})
	require.NoError(t, err)
	_, err = admin.CreateAccount(t.Context(), cloud.AccountSpec{Name: "guest", DomainID: domain.Id, Password: "p",
		Email: "e@example.invalid"})
	require.NoError(t, err)
	tries := 0
	report, err := cleanup.Remove(t.Context(), cleanup.Options{Cloud: admin, Wait: time.Second,
		Scope: cleanup.OfRun(run, []ledger.Entry{{Kind: ledger.Domain, Name: run + "-domain"}}),
		Show: func(format string, a ...any) {
			if o, is := append(a, nil)[0].(inventory.Object); is && format == "removing %s" &&
				o.Kind == inventory.Domain {
				tries++
			}
		}})
	require.NoError(t, err)
	require.Len(t, report.Removed, 1)
	assert.Equal(t, run+"-late", report.Removed[0].Name, "committed late: the ledger does not name it")
	require.Len(t, report.Left, 1)
	assert.Contains(t, report.Left[0].Why, "Please make sure all users and sub domains have been removed")
	assert.Contains(t, report.Left[0].Why, "it holds account guest")
	assert.Contains(t, report.Left[0].Why, "of somebody else")
	assert.Greater(t, tries, 1, "it is tried again")
	assert.Less(t, tries, 8, "it backs off")
}
