// Package scaling is what a story expects of autoscale groups: that they have their members and these run, that they
// shrink and give up as they should, and what is left of members that are gone.
//
// Before changing it know that a group acts when its monitor's interval has passed: time must go by before anything is
// expected, and on a site that others run it takes as long as it takes.
package scaling

import (
	"context"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// Scaling are verbs and expectations of autoscale groups. What a scenario must not reach is unexported.
type Scaling struct {
	*harness.Attempt
	on    *objects.Cast
	site  *harness.Site
	ctx   context.Context
	clock objects.Clock
}

// Of are the verbs and expectations that work on a cast.
func Of(t *objects.Cast, clock objects.Clock) Scaling {
	return Scaling{t.Attempt, t, t.Site, t.Ctx, clock}
}
