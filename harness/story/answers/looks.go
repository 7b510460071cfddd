// Package answers is what a story expects of what the API answers: lists, refusals and forms; usage records as
// listUsageRecords lists them, beside those that are stored; and, when the story ends, of what is stored of rules and
// groups.
//
// Before changing it know that a refusal is a value here and no error: the verbs that may be refused answer it, and an
// expectation judges it. A refusal by an exception of the server's code has been told by then.
package answers

import (
	"context"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/story/billing"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// Answers are expectations of what the API answers and lists.
type Answers struct{ looks }

// Listings are expectations of listUsageRecords.
type Listings struct {
	looks
	runs billing.UsageRuns
}

// Of are the groups of this room that work on a cast. Usage runs are waited for with those of billing.
func Of(t *objects.Cast, runs billing.UsageRuns) (Answers, Listings) {
	l := looks{t.Attempt, t, t.Site, t.Ctx, t.Watch}
	return Answers{l}, Listings{l, runs}
}

// looks is what the groups share; what a scenario must not reach is unexported.
type looks struct {
	*harness.Attempt
	on    *objects.Cast
	site  *harness.Site
	ctx   context.Context
	watch *watch.Watch
}
