package witness

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestOrder: members that stay keep their places, and new ones come last. A member that was being taken away before may
// be back where it was, or come last.
func TestOrder(t *testing.T) {
	push := func(revoked string, ips ...string) content {
		c := content{leaves: Leaves{}, order: map[string][]string{"r": ips}}
		c.leaves[memberPath(rulePath("r"), revoked)+"/revoked"] = "true"
		return c
	}
	for what, one := range map[string]struct {
		before, now content
		turned      bool
	}{
		"the same":                {push("", "a", "b"), push("", "a", "b"), false},
		"a new one last":          {push("", "a", "b"), push("", "a", "b", "c"), false},
		"a new one first":         {push("", "a", "b"), push("", "c", "a", "b"), true},
		"turned":                  {push("", "a", "b"), push("", "b", "a"), true},
		"taken away and back":     {push("a", "a", "b"), push("", "b", "a"), false},
		"not taken away at last":  {push("a", "a", "b"), push("", "a", "b"), false},
		"being taken away, moved": {push("a", "a", "b"), push("a", "b", "a"), true},
		"others turned beside it": {push("a", "a", "b", "c"), push("", "c", "b", "a"), true},
	} {
		j := &judging{w: &Witness{names: map[string]string{}}, previous: one.before}
		assert.Equal(t, one.turned, j.order(one.now) != "", what)
	}
}
