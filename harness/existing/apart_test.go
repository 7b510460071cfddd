package existing

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/scenarios"
)

// nextID sets the id that a table gives out next, as rules and failed usage runs of years would.
func (s standing) nextID(t *testing.T, table string, id int) {
	t.Helper()
	db, err := s.server.Open(t.Context())
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", table, id))
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

// judged is the verdict of scenarios about ids on a release with the defect, and on one without.
func judged() map[string]result.Verdict {
	return map[string]result.Verdict{"4.20.0.0": result.Fail, "4.20.1.0": result.Pass}
}

// TestHelperIDsFarAhead comes to a server whose failed usage runs have used up 2,000 helper ids (confirmed.md 47): its
// ids are apart, and only what needs them crossed cannot be told.
func TestHelperIDsFarAhead(t *testing.T) {
	for name, want := range judged() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stand(t, name)
			s.nextID(t, "cloud_usage.usage_load_balancer_policy", 2001)
			c := s.config()
			c.Log = config.Log{}
			run, _ := carryOut(t, c, "U-01", "U-02", "U-07")
			for _, one := range run.Results {
				if one.ID == "U-02" {
					assert.Equal(t, result.Inconclusive, one.Verdict, reasons(run))
					assert.Regexp(
						t, `helper ids are [12]\d\d\d ahead of rule ids, so a crossing takes [12]\d\d\d rules, most of them harmless firewall rules; the budget is 200`, one.Reason)
					continue
				}
				assert.Equal(t, want, one.Verdict, reasons(run))
			}
		})
	}
}

// TestHelperIDsAhead comes to a server whose helper ids are so far ahead that rule ids can catch up.
func TestHelperIDsAhead(t *testing.T) {
	for name, want := range judged() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stand(t, name)
			s.nextID(t, "cloud_usage.usage_load_balancer_policy", 40)
			c := s.config()
			c.Log = config.Log{}
			run, _ := carryOut(t, c, "U-02", "U-04", "U-10")
			for _, one := range run.Results {
				assert.Equal(t, want, one.Verdict, reasons(run))
			}
		})
	}
}

// TestPortForwardsTooFarToCross comes to a server on which a crossing of port forwarding rules takes more rules than
// the budget: that their own rows are closed is shown all the same, and what is not looked at is said, before and
// after.
func TestPortForwardsTooFarToCross(t *testing.T) {
	for name, want := range judged() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stand(t, name)
			s.nextID(t, "cloud.firewall_rules", 214)
			c := s.config()
			c.Log = config.Log{}
			chosen, err := scenarios.Catalogue().Select("U-06")
			require.NoError(t, err)
			before, err := Open(t.Context(), Options{Name: "existing", Config: c, TempDir: t.TempDir()})
			require.NoError(t, err)
			lines, err := before.Intent(t.Context(), chosen)
			require.NoError(t, err)
			require.NoError(t, before.Close(t.Context()))
			assert.Contains(t, strings.Join(lines, "\n"),
				"rule ids are 213 ahead of helper ids of port forwarding rules: a story that crosses them makes "+
					"about 214 rules, and may make 200")

			run, _ := carryOut(t, c, "U-06")
			assert.Equal(t, want, run.Results[0].Verdict, reasons(run))
			notes := ""
			for _, e := range run.Results[0].Evidence {
				notes += e.Text
			}
			assert.Contains(t, notes, "closes another one's row (T2) is not looked at here: rule ids are 2")
		})
	}
}

// TestPortForwardsNearHelperIDs comes to servers whose next port forwarding rule gets the id of its own row, and whose
// helper ids are a few ahead: a rule's id is then another one's helper id, and a wrong lookup finds that one's row,
// which shows as well.
func TestPortForwardsNearHelperIDs(t *testing.T) {
	for where, next := range map[string]int{"equal": 4, "ahead": 6} {
		for name, want := range judged() {
			t.Run(where+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := stand(t, name)
				s.nextID(t, "cloud_usage.usage_port_forwarding", next)
				c := s.config()
				c.Log = config.Log{}
				run, _ := carryOut(t, c, "U-06")
				assert.Equal(t, want, run.Results[0].Verdict, reasons(run))
				crossed := slices.ContainsFunc(run.Results[0].Findings,
					func(f result.Finding) bool { return f.Class == result.CrossedClose })
				assert.Equal(t, want == result.Fail, crossed, reasons(run))
			})
		}
	}
}
