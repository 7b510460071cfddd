package damage

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/zone/database"
	"github.com/stackproof/stackproof/zone/usage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

type clock struct{ at time.Time }

func (c *clock) Now() time.Time { return c.at }

// TestHandlersAreThoseOfTheZone: the usage server of the lab, which is tested against recordings, opens and closes
// the same rows when it is given the same events.
func TestHandlersAreThoseOfTheZone(t *testing.T) {
	server, err := database.Start(t.Context(), database.Options{Schema: "4.20.0.0"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for handler, rules := range map[Handler]usage.Rules{Sound: {}, ByHelperID: {CloseByHelperPK: true}} {
		t.Run(string(handler), func(t *testing.T) {
			require.NoError(t, server.Reset(t.Context()))
			h := Play(
				Options{
					Handler:  handler,
					Actions:  1200,
					Seed:     3,
					Accounts: []int64{2, 5},
					Start:    time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
				},
			)
			require.Greater(t, len(h.jobs), 0)
			_, err := db.ExecContext(
				t.Context(),
				"INSERT INTO cloud.account (id, account_name, uuid, type, domain_id, cleanup_needed) VALUES (2, "+
					"'a', 'a', 0, 1, 0), (5, 'b', 'b', 0, 1, 0)",
			)
			require.NoError(t, err)
			c := &clock{at: h.Start}
			s, err := usage.New(db, usage.Options{Rules: rules, Clock: c})
			require.NoError(t, err)
			require.NoError(t, s.Start(t.Context()))
			from := 0
			for _, j := range h.jobs {
				w := &writer{ctx: t.Context(), db: db}
				w.table("cloud.usage_event", eventColumns()...)
				for ; from < len(h.events) && h.events[from].at*1000 <= j.end; from++ {
					w.row(h.events[from].row(false)...)
				}
				w.flush()
				require.NoError(t, w.err)
				c.at = time.UnixMilli(j.end + 1).UTC().Add(15 * time.Minute)
				done, err := s.Run(t.Context())
				require.NoError(t, err)
				require.True(t, done.Success, "%v", done.Err)
			}
			for kind, query := range map[string]string{
				LB: "SELECT id, account_id, lb_id, CAST(created AS CHAR), COALESCE(CAST(deleted AS CHAR), '') " +
					"FROM cloud_usage.usage_load_balancer_policy ORDER BY id",
				PF: "SELECT id, account_id, pf_id, CAST(created AS CHAR), COALESCE(CAST(deleted AS CHAR), '') " +
					"FROM cloud_usage.usage_port_forwarding ORDER BY id",
				Address: "SELECT id, account_id, ip_id, CAST(assigned AS CHAR), COALESCE(CAST(released AS CHAR), " +
					"'') FROM cloud_usage.usage_ip_address ORDER BY id",
				Volume: "SELECT id, account_id, volume_id, CAST(created AS CHAR), COALESCE(CAST(deleted AS CHAR), " +
					"'') FROM cloud_usage.usage_volume ORDER BY id",
				NIC: "SELECT id, account_id, vm_instance_id, CAST(created AS CHAR), COALESCE(CAST(deleted AS " +
					"CHAR), '') FROM cloud_usage.usage_network_offering ORDER BY id",
			} {
				var want []string
				for _, r := range h.tables[kind] {
					want = append(
						want,
						fmt.Sprintf("%d %d %d %s %s", r.id, r.account, r.resource, stamp(r.opened), stamp(r.closed)),
					)
				}
				have := helperRows(t, db, query)
				require.NotEmpty(t, want, kind)
				require.Equal(t, want, have, kind)
			}
		})
	}
}

// helperRows are the rows of a query as text.
func helperRows(t *testing.T, db *sql.DB, query string) (have []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id, account, resource int64
		var opened, closed string
		require.NoError(t, rows.Scan(&id, &account, &resource, &opened, &closed))
		have = append(have, fmt.Sprintf("%d %d %d %s %s", id, account, resource, opened, closed))
	}
	require.NoError(t, rows.Err())
	return have
}

// TestPlayIsRepeatable: a seed makes the same site again, and another seed another one.
func TestPlayIsRepeatable(t *testing.T) {
	o := Options{Handler: Stalled, Actions: 300, Seed: 7, Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	require.Equal(t, Play(o).Truth(), Play(o).Truth())
	require.NotZero(t, Play(o).Stuck())
	other := o
	other.Seed = 8
	require.NotEqual(t, Play(o).Truth(), Play(other).Truth())
}
