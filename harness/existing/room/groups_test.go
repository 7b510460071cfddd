package room

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/result"
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
		r := &Room{Slots: c.slots}
		assert.Equal(t, c.want, r.Groups(c.scenarios), c)
	}
	ran := result.Run{Results: []result.Case{{ID: "L-04"}}}
	assert.Len(t, (&Room{Slots: 60}).Note(ran, 24), 1)
	assert.Empty(t, (&Room{Slots: 60}).Note(result.Run{}, 24))
	assert.Empty(t, (&Room{Slots: 400}).Note(ran, 24))
	assert.Equal(t, []int{7}, (&Room{Slots: 1000, Config: config.Config{Groups: []int{7}}}).Groups(1),
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
		r := &Room{Slots: c.slots, answer: c.answer}
		assert.Equal(t, c.want, r.Groups(24), c)
	}
	ran := result.Run{Results: []result.Case{{ID: "L-04"}}}
	slow := &Room{Slots: 400, answer: 3 * time.Second}
	assert.Equal(t, []string{"L-04 made 10 groups at most: a call takes 3s, and a larger population some 8 calls for " +
		"each of its groups, more than 10m0s in all; --groups makes it"}, slow.Note(ran, 24))
	slow.Slots = -1
	assert.Len(t, slow.Note(ran, 24), 1, "also where the zone's room is not known")
	slow.Slots = 90
	assert.Len(t, slow.Note(ran, 24), 1, "the room allowed for no more")
	slow.answer = time.Minute
	assert.Len(t, slow.Note(ran, 24), 2)
	slow.Config.Groups = []int{50}
	assert.Equal(t, []int{50}, slow.Groups(24), "what is given counts")
	assert.Empty(t, slow.Note(ran, 24))
}
