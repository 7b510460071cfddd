// Package story is the language in which scenarios are told: verbs that act through the API (NewAccount, VPC, Tier,
// LoadBalancer, Stick, ...), and expectations that look through probes. It is not the runner: how a story ends, and
// what that means, is for package harness to say.
//
// The verbs of what a story makes are in objects. What it expects is in billing (usage rows and records), answers (what
// the API says), routers (pushes, files, processes and clients) and scaling (groups). T embeds the groups of all these
// rooms, so that a scenario sees one language.
//
// Before changing it know that imports go down only: story, the rooms of expectations, objects, and below internal what
// all of them work on (stage, watch). No scenario may reach that: a group keeps it in unexported fields.
package story

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/story/answers"
	"github.com/stackproof/stackproof/harness/story/billing"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/harness/story/routers"
	"github.com/stackproof/stackproof/harness/story/scaling"
	"github.com/stackproof/stackproof/release"
)

// T is what a scenario is told in. A verb that cannot be carried out ends the scenario as inconclusive: a run that
// could not get that far shows nothing. An expectation that does not hold makes the verdict fail and lets the story go
// on, so that one run shows all that is wrong.
type T struct {
	*harness.Attempt
	objects.Clock
	objects.Making
	objects.PushFaults
	billing.Billing
	answers.Answers
	answers.Listings
	routers.RouterLooks
	routers.ClientLooks
	scaling.Scaling
	Foresight

	cast       *objects.Cast
	siteClosed bool // see Afresh
}

// Of is the story as the runner takes it.
func Of(tell func(*T)) harness.Tell {
	return func(a *harness.Attempt, s *harness.Site) {
		t := newT(a, s)
		defer t.cast.Watch.DrawLives()
		routers.Begin(t.RouterLooks)
		tell(t)
		routers.End(t.RouterLooks)
		if !t.siteClosed {
			answers.End(t.Answers)
		}
	}
}

func newT(a *harness.Attempt, s *harness.Site) *T {
	c := objects.NewCast(stage.New(a, s))
	t := &T{Attempt: a, Billing: billing.Of(c), Foresight: Foresight{a, c.Watch}, cast: c}
	t.Clock, t.Making, t.PushFaults = c.Verbs()
	t.Scaling = scaling.Of(c, t.Clock)
	t.Answers, t.Listings = answers.Of(c, t.UsageRuns)
	t.RouterLooks, t.ClientLooks = routers.Of(c)
	return t
}

// Afresh tells a story on a fresh site of the same target (Attempt.Afresh): afterwards this T has nothing to act on.
func (t *T) Afresh(tell func(*T)) harness.Outcome {
	t.siteClosed = true
	return t.Attempt.Afresh(Of(tell))
}

// RequireNotIn ends a story about what releases cannot do on one that can.
func (t *T) RequireNotIn(able release.Range, what string) {
	if able.Contains(t.Release()) {
		t.Unsupported("release %s %s: that is another story", t.Release(), what)
	}
}

// In says whether the release under test is one of these: for stories whose outcome differs between sound releases.
func (t *T) In(these release.Range) bool { return these.Contains(t.Release()) }
