package audit

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/audit/damage"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// truthSize is how many actions each history has and how many seeds are tried: small, or what STACKPROOF_TRUTH asks for
// ("10000x20", task audit:truth).
func truthSize(t *testing.T) (actions, seeds int) {
	t.Helper()
	text := os.Getenv("STACKPROOF_TRUTH")
	if text == "" {
		return 1500, 2
	}
	_, err := fmt.Sscanf(text, "%dx%d", &actions, &seeds)
	require.NoError(t, err, "STACKPROOF_TRUTH is ACTIONSxSEEDS, not %q", text)
	return actions, seeds
}

// volumes makes the table and the columns of 4.22 that the recorded schema of 4.20 does not have.
func (s *testSite) volumes() {
	s.exec(
		"CREATE TABLE IF NOT EXISTS cloud.volumes (id BIGINT UNSIGNED PRIMARY KEY, uuid VARCHAR(40), account_id " +
			"BIGINT UNSIGNED, state VARCHAR(32), instance_id BIGINT UNSIGNED, removed DATETIME)",
	)
	for _, name := range []string{"cloud.usage_event", "cloud_usage.usage_event", "cloud_usage.usage_volume"} {
		schema, table, _ := strings.Cut(name, ".")
		var there int
		require.NoError(s.t, s.db.QueryRowContext(s.t.Context(), "SELECT COUNT(*) FROM information_schema.columns "+
			"WHERE table_schema = ? AND table_name = ? AND column_name = 'vm_id'", schema, table).Scan(&there))
		if there == 0 {
			s.exec("ALTER TABLE " + name + " ADD COLUMN vm_id BIGINT UNSIGNED NULL")
		}
	}
}

func (s *testSite) play(o damage.Options) *damage.History {
	s.t.Helper()
	h := damage.Play(o)
	require.NoError(s.t, h.Write(s.t.Context(), s.db))
	return h
}

// lines are the findings as the truth writes them.
func lines(r *Result) []string {
	var all []string
	for _, f := range r.Findings {
		all = append(
			all,
			damage.Truth{
				Class:     f.Class,
				Kind:      string(f.Kind),
				Account:   f.AccountID,
				ID:        f.ID,
				HelperID:  f.HelperID,
				CrossedBy: f.CrossedBy,
				Stalled:   f.Stalled,
			}.String(),
		)
	}
	slices.Sort(all)
	return all
}

// requireSame compares long lists, and shows only where they differ.
func requireSame(t *testing.T, want, have []string) {
	t.Helper()
	minus := func(a, b []string) (only []string) {
		for _, x := range a {
			if _, found := slices.BinarySearch(b, x); !found && len(only) < 10 {
				only = append(only, x)
			}
		}
		return only
	}
	require.Empty(t, minus(want, have), "true, and not found")
	require.Empty(t, minus(have, want), "found, and not true")
	require.Len(t, have, len(want))
}

func truths(h *damage.History) []string {
	var all []string
	for _, t := range h.Truth() {
		all = append(all, t.String())
	}
	slices.Sort(all)
	return all
}

// TestClassesEqualTheTruth: on random histories the audit finds exactly what the server did wrong, and what that cost.
func TestClassesEqualTheTruth(t *testing.T) {
	actions, seeds := truthSize(t)
	seen := map[string]int{}
	s := site4(t)
	for _, handler := range damage.Handlers() {
		for seed := range seeds {
			t.Run(string(handler)+" "+strconv.Itoa(seed), func(t *testing.T) {
				s := &testSite{t: t, server: s.server, db: s.db, needs: s.needs}
				require.NoError(t, s.server.Reset(t.Context()))
				s.volumes()
				s.exec("TRUNCATE TABLE cloud.volumes")
				accounts := []int64{2, 5, 6}[:1+seed%3]
				h := s.play(
					damage.Options{
						Handler:  handler,
						Actions:  actions,
						Seed:     uint64(seed),
						Accounts: accounts,
						Tail:     seed%2 == 1,
						Window:   12 * time.Hour,
						Start:    time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC),
					},
				)
				r := s.audit()
				requireSame(t, truths(h), lines(r))
				require.EqualValues(t, h.Repeated(), r.Check("U9").Count)
				require.Equal(t, h.Stuck(), r.Check("U7").Count)
				for class, n := range r.Classes() {
					seen[class] += n
				}
				if handler != damage.Stalled { // whose windows overlap
					hoursEqual(t, h, r)
				}
			})
		}
	}
	for _, class := range []string{"OPEN_BUT_DEAD", "CLOSED_BUT_LIVE", "WRONG_DATE", "MISSING",
		"LIVE_WITH_DELETE_EVENT"} {
		require.NotZero(t, seen[class], "the histories never had a %s", class)
	}
}

// TestPlantedClasses: what no handler leaves behind is found as well, once each.
func TestPlantedClasses(t *testing.T) {
	s := site4(t)
	s.volumes()
	h := damage.Play(
		damage.Options{
			Handler: damage.Sound,
			Actions: 400,
			Seed:    9,
			Start:   time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC),
		},
	)
	require.Equal(t, 3, h.Plant())
	require.NoError(t, h.Write(t.Context(), s.db))
	r := s.audit()
	requireSame(t, truths(h), lines(r))
	for _, class := range []string{"MISSING", "DUPLICATE_OPEN", "OPEN_NO_DELETE_EVENT"} {
		require.Equal(t, 1, r.Classes()[class], class)
	}
}

func hoursEqual(t *testing.T, h *damage.History, r *Result) {
	t.Helper()
	type thing struct {
		kind    usageprobe.Kind
		account int64
		id      int64
	}
	sums := map[thing][2]float64{}
	for _, f := range r.Findings {
		k := thing{f.Kind, f.AccountID, f.ID}
		sums[k] = [2]float64{sums[k][0] + f.SurplusHours, sums[k][1] + f.DeficitHours}
	}
	checked := 0
	for k, sum := range sums {
		if checked++; checked > 200 {
			break
		}
		surplus, deficit := h.Money(string(k.kind), k.account, k.id)
		require.InDelta(t, surplus, sum[0], 0.01, "surplus of %v", k)
		require.InDelta(t, deficit, sum[1], 0.01, "deficit of %v", k)
	}
}
