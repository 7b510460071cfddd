package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/audit"
	"github.com/stackproof/stackproof/audit/damage"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
	"github.com/stackproof/stackproof/zone/kernel"
)

// TestDamagedPast: a lab that has a damaged past and then bills by itself shows the planted damage, and no other.
func TestDamagedPast(t *testing.T) {
	for spec, release := range map[string]string{
		"by-helper-id:400": "4.20.0.0", "sound:400:3": "4.20.3.0", "stalled:100:2": "4.22.1.0",
	} {
		t.Run(spec, func(t *testing.T) {
			history, err := damage.ParseSpec(spec)
			require.NoError(t, err)
			server, err := database.Start(t.Context(), database.Options{Schema: release})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, server.Close()) })
			// An audit takes the database's clock, so that the lab's own must come to rest at the present.
			clock := kernel.NewManual(time.Now().UTC().Add(-10 * time.Minute))
			var say bytes.Buffer
			z, err := zone.Open(t.Context(), zone.Options{Release: release, DB: server, Clock: clock, Seed: 1,
				Inherit: damagedPast(&say, clock.Now(), history)})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, z.Close(context.WithoutCancel(t.Context()))) })
			before := auditOf(t, server)
			require.Equal(t, say.String(), planted(before))
			for range 3 {
				require.NoError(t, z.Advance(t.Context(), 3*time.Minute))
				job, err := z.RunUsage(t.Context())
				require.NoError(t, err)
				require.NoError(t, job.Err)
				// A scheduled run may have covered the time: the one that was asked for is empty then.
				require.Equal(t, clock.Now().Truncate(time.Minute), coveredUntil(t, server), "%+v", job)
			}
			after := auditOf(t, server)
			require.Equal(t, say.String(), planted(after))
			require.Greater(t, after.Site.Records, before.Site.Records)
			if history.Handler != damage.Stalled { // whose windows overlap
				require.Equal(t, audit.Clean, after.Check("U8").Outcome, after.Check("U8").Text)
			}
		})
	}
}

// coveredUntil is the end of the newest successful usage job.
func coveredUntil(t *testing.T, server *database.Server) time.Time {
	t.Helper()
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var millis int64
	require.NoError(t, db.QueryRowContext(t.Context(),
		"SELECT MAX(end_millis) FROM cloud_usage.usage_job WHERE success = 1").Scan(&millis))
	return time.UnixMilli(millis + 1).UTC()
}

func auditOf(t *testing.T, server *database.Server) *audit.Result {
	t.Helper()
	r, err := audit.Run(t.Context(), audit.Options{DSN: server.ReadOnlyDSN()})
	require.NoError(t, err)
	return r
}

// planted are the classes of a result as lab up tells those of the truth.
func planted(r *audit.Result) string {
	var b strings.Builder
	for _, class := range slices.Sorted(maps.Keys(r.Classes())) {
		fmt.Fprintf(&b, "damage planted: %d %s\n", r.Classes()[class], class)
	}
	return b.String()
}
