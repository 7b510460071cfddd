package billing

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A crossing of port forwarding rules must leave that of LB rules possible, on a server that is used again and again.
func TestCrossingLeavesRoom(t *testing.T) {
	const budget = 200
	assert.True(t, leavesRoom(20, 140, budget))
	assert.True(t, leavesRoom(31, 159, budget))
	assert.False(t, leavesRoom(32, 159, budget))
	assert.False(t, leavesRoom(166, 190, budget), "what a second run would have done")
	ahead := 20
	for range 10 {
		if more := ahead + 60; leavesRoom(ahead, more, budget) {
			ahead += more
		}
	}
	assert.Less(t, ahead+1, budget)
}
