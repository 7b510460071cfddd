package existing

import (
	"testing"
	"time"

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

// TestGroupsOfASlowServer: what a population's calls take is bounded, and the report says what was left out and why.
func TestGroupsOfASlowServer(t *testing.T) {
	for _, c := range []struct {
		slots  int64
		answer time.Duration
		want   []int
	}{
		{-1, 50 * time.Millisecond, nil}, {-1, 3 * time.Second, []int{1, 2, 10}}, {-1, time.Minute, []int{1, 2}},
		{400, time.Second, []int{2, 10, 50}}, {400, 3 * time.Second, []int{2, 10}}, {400, time.Minute, []int{2}},
		{90, 3 * time.Second, []int{2, 10}},
	} {
		target := &Target{slots: c.slots, answer: c.answer}
		assert.Equal(t, c.want, target.groups(24), c)
	}
	ran := result.Run{Results: []result.Case{{ID: "L-04"}}}
	slow := &Target{slots: 400, answer: 3 * time.Second, chosen: 24}
	assert.Equal(t, []string{"L-04 made 10 groups at most: a call takes 3s, and a larger population some 8 calls for " +
		"each of its groups, more than 10m0s in all; --groups makes it"}, slow.groupsNote(ran))
	slow.slots = -1
	assert.Len(t, slow.groupsNote(ran), 1, "also where the zone's room is not known")
	slow.slots = 90
	assert.Len(t, slow.groupsNote(ran), 1, "the room allowed for no more")
	slow.answer = time.Minute
	assert.Len(t, slow.groupsNote(ran), 2)
	slow.config.Groups = []int{50}
	assert.Equal(t, []int{50}, slow.groups(24), "what is given counts")
	assert.Empty(t, slow.groupsNote(ran))
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
