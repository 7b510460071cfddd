// Package routers is what a story expects of routers: that the pushes carry what the API lists, that file and process
// follow the newest push, and that clients of rules see what they should. Pushes are held against the API after each
// step by itself; when the story ends nothing may be left of what was deleted.
//
// Before changing it know that a client's view decides only beside a control: what no control shows to be seen is
// inconclusive. Where the router is known not to be at its newest push that is the failure, and no probe's verdict.
package routers

import (
	"context"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/harness/witness"
)

// RouterLooks are expectations of pushes and of routers' files and processes.
type RouterLooks struct {
	looks
	*past
}

// ClientLooks are expectations of what clients of rules see.
type ClientLooks struct{ RouterLooks }

// Of are the groups of this room that work on a cast.
func Of(t *objects.Cast) (RouterLooks, ClientLooks) {
	r := RouterLooks{looks{t.Attempt, t, t.Site, t.Ctx}, &past{}}
	return r, ClientLooks{r}
}

// looks is what the groups share; what a scenario must not reach is unexported.
type looks struct {
	*harness.Attempt
	on   *objects.Cast
	site *harness.Site
	ctx  context.Context
}

// past is what the story's looks leave for the next one.
type past struct {
	pushed    *witness.Witness // nil until somebody looks
	ownPushes bool             // see JudgesPushesItself
	probes    uint64           // so far, for the seed of the next one
}
