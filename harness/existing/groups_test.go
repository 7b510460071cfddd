package existing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/zone"
)

func TestGroupsThatFit(t *testing.T) {
	for _, c := range []struct {
		slots     int64
		scenarios int
		want      []int
	}{
		{-1, 24, nil}, {60, 24, []int{2}}, {90, 24, []int{2, 10}}, {60, 1, []int{2, 10}}, {137, 1, []int{2, 10}},
		{138, 1, []int{2, 10, 50}}, {0, 1, []int{2}},
		{400, 24, []int{2, 10, 50}},
	} {
		target := &Target{slots: c.slots}
		assert.Equal(t, c.want, target.groups(c.scenarios), c)
	}
	ran := result.Run{Results: []result.Case{{ID: "L-04"}}}
	assert.Len(t, (&Target{slots: 60, chosen: 24}).groupsNote(ran), 1)
	assert.Empty(t, (&Target{slots: 60, chosen: 24}).groupsNote(result.Run{}))
	assert.Empty(t, (&Target{slots: 400, chosen: 24}).groupsNote(ran))
	assert.Equal(t, []int{7}, (&Target{slots: 1000, config: config.Config{Groups: []int{7}}}).groups(1),
		"what is given counts")
}

// TestRoomOfASimulatorZone opens a zone of four simulated hosts of 8 GiB, as setup/dev/advanced.cfg makes it.
func TestRoomOfASimulatorZone(t *testing.T) {
	t.Parallel()
	s := standAt(t, zone.Wall{})
	conf := s.config()
	conf.Log, conf.Clock, conf.Groups = config.Log{}, "", nil
	target, err := Open(t.Context(), Options{Name: "existing", Config: conf, TempDir: t.TempDir()})
	require.NoError(t, err)
	assert.EqualValues(t, 4*8<<30/(512<<20), target.slots)
	assert.Equal(t, []int{2, 10}, target.groups(1), "50 groups do not fit")
	addresses, err := target.room(t.Context(), target.zoneID, 1000)
	assert.ErrorContains(t, err, "public addresses left", addresses)
	require.NoError(t, target.Close(t.Context()))
}
