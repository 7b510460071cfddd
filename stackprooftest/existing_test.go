package stackprooftest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/ledger"
	"github.com/stackproof/stackproof/harness/standing"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone"
)

// zoneSpeed makes a usage window of a minute last a second.
const zoneSpeed = 60

// TestExistingFromOutside: a test of another module runs scenarios on a zone that somebody else started, fails on what
// the zone's release does wrong, and leaves nothing behind. A target that it may not use ends it with what to do.
func TestExistingFromOutside(t *testing.T) {
	harnesstest.NeedLab(t)
	knobs, err := release.ProfileKnobs("4.20.0.0")
	require.NoError(t, err)
	stands, err := standing.Open(t.Context(), standing.Options{Zone: zone.Options{Release: "4.20.0.0", Seed: 1,
		Knobs: knobs, Listen: "127.0.0.1:0", Clock: zone.NewScaled(zoneSpeed)}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, stands.Close(context.WithoutCancel(t.Context()))) })

	o := newOutside(t)
	o.dir = filepath.Join(o.dir, "zone")
	require.NoError(t, os.Mkdir(o.dir, 0o700))
	program, err := os.ReadFile(filepath.Join("testdata", "existing_test.go.txt"))
	require.NoError(t, err)
	o.write(t, "existing_test.go", string(program))
	at := fmt.Sprintf("{api: {url: %q, key: %q, secret: %q}, dsn: %q, log: {file: %q}, router: shadow, clock: api",
		stands.Access.API, stands.Access.APIKey, stands.Access.SecretKey, stands.Access.SelectDSN, stands.Access.Log)
	o.write(t, "targets.yaml", fmt.Sprintf("targets:\n  zone: %s, disposable: true}\n  customers: %s}\n"+
		"  keyless: {api: {url: %q}, disposable: true}\n", at, at, stands.Access.API))
	before := accounts(t, stands)
	e := o.test(t, ".")

	for name, want := range map[string]string{
		"TestZone": "pass", "TestZone/zone-4.20.0.0": "pass", "TestZone/zone-4.20.0.0/U-01": "skip",
		"TestZone/zone-4.20.0.0/L-01": "pass", "TestAsking": "fail", "TestUnknown": "fail", "TestKeyless": "fail",
	} {
		assert.Equal(t, want, e.action[name], "%s\n%s", name, e.output[name])
	}
	for name, want := range map[string]string{
		"TestZone/zone-4.20.0.0/U-01": "U-01 fail (known): LB rule B was deleted at ",
		"TestAsking":                  "set disposable: true",
		"TestUnknown":                 `targets.yaml has no target "zon"; did you mean "zone"?`,
		"TestKeyless":                 "target keyless: ",
	} {
		assert.Contains(t, e.output[name], want, name)
	}
	assert.Equal(t, before, accounts(t, stands), "accounts")
	folder, err := ledger.Folder()
	require.NoError(t, err)
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	assert.Empty(t, left, "ledgers of runs that left something")
}

// accounts are the accounts and domains that a zone has.
func accounts(t *testing.T, of *standing.Lab) (all []string) {
	t.Helper()
	db, err := of.Database.Open(t.Context())
	require.NoError(t, err)
	defer func() { assert.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), "SELECT account_name FROM cloud.account WHERE removed IS NULL UNION ALL "+
		"SELECT name FROM cloud.domain WHERE removed IS NULL ORDER BY 1")
	require.NoError(t, err)
	defer func() { assert.NoError(t, rows.Close()) }()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		all = append(all, name)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, all, "nobody is there: the tables are not those of a zone")
	return all
}
