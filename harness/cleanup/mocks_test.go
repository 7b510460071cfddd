package cleanup_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/ledger"
)

// Rules of the simulator that a killed run set are taken back, also when it did not see the answer; rules that it took
// back itself, or that were refused, are no concern.
func TestMocksOfADeadRun(t *testing.T) {
	s := standing(t, "4.20.1.0")
	admin := s.client(t, s.zone.APIURL())
	zones, err := admin.ListZones(t.Context(), nil)
	require.NoError(t, err)
	zone := zones[0].Id
	dir := t.TempDir()
	l, err := ledger.Create(dir, "existing", admin.URL())
	require.NoError(t, err)

	set := func(command string) *cloud.SimulatorMock {
		mock, err := harness.SetMock(t.Context(), admin, l, zone, command, "result:fail", 5)
		require.NoError(t, err)
		return mock
	}
	known := set("LoadBalancerConfigCommand")
	ended := set("StopCommand")
	require.NoError(t, harness.DropMock(t.Context(), admin, l, ended.ID))
	_, err = harness.SetMock(t.Context(), admin, l, "no-such-zone", "StartCommand", "result:fail", 1)
	require.True(t, cloud.IsRefused(err), err)
	_, err = l.Intend(ledger.SimulatorMock, zone+" StartCommand", "") // and then the run was killed
	require.NoError(t, err)
	unseen, err := admin.ConfigureSimulator(t.Context(), zone, "StartCommand", "result:fail", 5)
	require.NoError(t, err)
	require.ErrorContains(t, l.Close(), "2 objects may be left")

	files, err := ledger.List(dir)
	require.NoError(t, err)
	record, err := ledger.Dead(files[0])
	require.NoError(t, err)
	want := []string{"simulator mock " + zone + " LoadBalancerConfigCommand", "simulator mock " + zone +
		" StartCommand"}
	seen, err := cleanup.Mocks(t.Context(), admin, record.Open(), true)
	require.NoError(t, err)
	assert.Equal(t, want, seen)
	for _, mock := range []*cloud.SimulatorMock{known, unseen} {
		now, err := admin.QuerySimulatorMock(t.Context(), mock.ID)
		require.NoError(t, err, "looking takes nothing back")
		assert.Equal(t, 5, now.Count)
	}
	taken, err := cleanup.Mocks(t.Context(), admin, record.Open(), false)
	require.NoError(t, err)
	assert.Equal(t, want, taken)
	for _, mock := range []*cloud.SimulatorMock{known, unseen} {
		_, err := admin.QuerySimulatorMock(t.Context(), mock.ID)
		assert.True(t, cloud.IsRefused(err), err)
	}
	_, err = cleanup.Mocks(t.Context(), admin, record.Open(), false)
	require.NoError(t, err, "a second time there is nothing to take back")
	require.NoError(t, record.Release(true))
}
