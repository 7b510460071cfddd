package witness

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestStrangers: a push may take away what a creation that failed left, and nothing that no call can have made.
func TestStrangers(t *testing.T) {
	revoked := func(ids ...string) content {
		l := Leaves{}
		for _, id := range ids {
			l[rulePath(id)+"/revoked"] = "true"
			l[memberPath(rulePath(id), "10.1.1.2")+"/revoked"] = "true"
		}
		return content{leaves: l}
	}
	w := New(Options{Calls: &Calls{}})
	j := &judging{w: w}
	w.creations, w.names["listed"] = 2, "A"
	assert.Empty(t, j.stranger(revoked("listed")))
	assert.Empty(t, j.stranger(revoked("listed", "failed")), "one of two creations failed")
	assert.Empty(t, j.stranger(revoked("failed")), "the same one again")
	assert.Contains(t, j.stranger(revoked("failed", "stranger")), "rule stranger is taken away")
	w.creations++
	assert.Empty(t, j.stranger(revoked("stranger")), "another creation may have made it")
	unknown := &judging{w: New(Options{})}
	assert.Empty(t, unknown.stranger(revoked("stranger")), "whose calls are not known")
}
