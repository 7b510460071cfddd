package existing

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/room"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/scenarios"
	"github.com/stackproof/stackproof/zone"
)

// intend opens a target and asks what a run would create.
func intend(t *testing.T, c config.Config, ids ...string) ([]string, error) {
	t.Helper()
	chosen, err := scenarios.Catalogue().Select(ids...)
	require.NoError(t, err)
	target, err := Open(t.Context(), Options{Name: "existing", Config: c, TempDir: t.TempDir()})
	require.NoError(t, err)
	lines, err := target.Intent(t.Context(), chosen)
	require.NoError(t, target.Close(context.WithoutCancel(t.Context())))
	return lines, err
}

// TestLimits gives new accounts and domains little: a run says which limit, how many it takes, and what to do.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := standWith(t, "4.20.1.0", map[string]string{"max.account.public.ips": "1", "max.domain.vpcs": "3",
		"max.account.networks": "-1"}, nil)
	before := s.domains(t)
	c := s.config()
	c.KeepLimits = true
	_, err := intend(t, c, "U-01", "U-02")
	require.Error(t, err)
	said := strings.Split(err.Error(), "\n")
	require.Len(t, said, 2, "a line a limit: %s", err)
	assert.Contains(t, said[0], "public addresses: an account may have 1 (max.account.public.ips), the run takes up "+
		"to 4: raise the setting")
	assert.Contains(t, said[1], "VPCs: a domain may have 3 (max.domain.vpcs), the run takes up to 4: raise the setting")
	assert.Contains(t, said[0], "--keep-limits")
	assert.Equal(t, before, s.domains(t), "nothing was created")

	// Who goes on all the same meets them; without them all is well.
	run, _ := carryOut(t, c, "U-01")
	assert.Equal(t, result.Inconclusive, run.Results[0].Verdict, reasons(run))
	assert.Contains(t, run.Results[0].Reason, "Maximum number of public IP addresses")
	c.KeepLimits = false
	_, err = intend(t, c, "U-01", "U-02")
	require.NoError(t, err)
	run, _ = carryOut(t, c, "U-01", "U-02")
	assert.Equal(t, map[string]result.Verdict{"U-01": result.Pass, "U-02": result.Pass}, verdicts(run), reasons(run))
	assert.Equal(t, before, s.domains(t), "all was removed")

	// The usual limit of twenty instances an account.
	c.KeepLimits, c.Groups = true, []int{50}
	_, err = intend(t, c, room.Populations)
	require.ErrorContains(t, err, "instances: an account may have 20 (max.account.user.vms), the run takes up to 102")
}

// TestTakesEnough counts what scenarios really took, by their usage events: the check must not promise room that is not
// there.
func TestTakesEnough(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	ids := []string{"U-04", "U-05c", "U-05e", "U-09", "L-04", "L-08", "L-81", "A-02"}
	carryOut(t, s.config(), ids...)
	rows, err := s.root(t).QueryContext(t.Context(),
		"SELECT a.account_name, SUM(e.type = 'VM.CREATE'), SUM(e.type = 'NET.IPASSIGN'), "+
			"(SELECT COUNT(*) FROM cloud.networks n WHERE n.account_id = a.id), SUM(e.type = 'VPC.CREATE') "+
			"FROM cloud.account a JOIN cloud.usage_event e ON e.account_id = a.id WHERE a.account_name LIKE 'sp%' "+
			"GROUP "+
			"BY a.id")
	require.NoError(t, err)
	defer func() { assert.NoError(t, rows.Close()) }()
	largest, all, seen := map[string]room.Takes{}, map[string]room.Takes{}, 0
	for rows.Next() {
		var name string
		var took room.Takes
		require.NoError(t, rows.Scan(&name, &took.VMs, &took.Addresses, &took.Networks, &took.VPCs))
		for _, id := range ids {
			if strings.Contains(name, "-"+strings.ToLower(id)+"-") {
				largest[id], all[id] = largest[id].AtLeast(took), all[id].Plus(took)
				seen++
			}
		}
	}
	require.NoError(t, rows.Err())
	require.GreaterOrEqual(t, seen, len(ids))
	for _, id := range ids {
		account, sum := room.LoadOf(id, s.config().Groups)
		assert.Equal(t, account, account.AtLeast(largest[id]), "%s took %+v in one account", id, largest[id])
		assert.Equal(t, sum, sum.AtLeast(all[id]), "%s took %+v in all", id, all[id])
	}
}

// TestRoomOfASimulatorZone opens a zone of four simulated hosts of 8 GiB, as setup/dev/advanced.cfg makes it.
func TestRoomOfASimulatorZone(t *testing.T) {
	t.Parallel()
	s := standAt(t, zone.Wall{})
	conf := s.config()
	conf.Log, conf.Clock, conf.Groups = config.Log{}, "", nil
	target, err := Open(t.Context(), Options{Name: "existing", Config: conf, TempDir: t.TempDir()})
	require.NoError(t, err)
	assert.EqualValues(t, 4*8<<30/(512<<20), target.room.Slots)
	assert.Equal(t, []int{2, 10}, target.room.Groups(1), "50 groups do not fit")
	addresses, err := target.room.Addresses(t.Context(), target.room.ZoneID, make(harness.Catalogue, 1000))
	assert.ErrorContains(t, err, "public addresses left", addresses)
	require.NoError(t, target.Close(t.Context()))
}
