// Package billing is what a story does with usage servers and expects of usage rows and records, those of LB rules and
// of whatever else is billed; with audits and repairs of them, and with ids that are crossed, since no wrong lookup can
// be seen where they are not.
//
// Before changing it know that all groups look at the rows which the last look of UsageRuns read (watch.Last): an
// expectation reads nothing itself. A failure over rows names what it is about (failOf), so that it is told together
// with what the invariants find over the same fact.
package billing

import (
	"context"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// The groups of this room.
type (
	// UsageRuns are verbs and expectations of usage servers and their jobs.
	UsageRuns struct{ looks }
	// RuleRows are expectations of the usage rows and records of LB rules.
	RuleRows struct{ looks }
	// BilledRows are expectations of the usage rows and records of any billed resource.
	BilledRows struct{ looks }
	// Audits are verbs and expectations of audits and repairs of usage rows.
	Audits struct{ looks }
	// Crossings are verbs that make things until the id of one is the helper id of another.
	Crossings struct{ looks }
)

// Billing are all groups of the room.
type Billing struct {
	UsageRuns
	RuleRows
	BilledRows
	Audits
	Crossings
}

// Of are the groups that work on a cast.
func Of(t *objects.Cast) Billing {
	l := looks{t.Attempt, t, t.Site, t.Ctx, t.Watch}
	return Billing{UsageRuns{l}, RuleRows{l}, BilledRows{l}, Audits{l}, Crossings{l}}
}

// looks is what the groups share; what a scenario must not reach is unexported.
type looks struct {
	*harness.Attempt
	on    *objects.Cast
	site  *harness.Site
	ctx   context.Context
	watch *watch.Watch
}

// failOf is Fail with what the failure is about, so that it is told together with other failures over the same fact.
func (t looks) failOf(b watch.Billed, class result.Class, reason string, evidence ...result.Evidence) {
	t.Find(result.Finding{Says: reason, Subject: watch.Subject(b.Ref), Class: class, Numbers: t.watch.Numbers(b.Ref)},
		evidence...)
}

// failSeen is failOf over usage rows, with what was seen of them, for a program.
func (t looks) failSeen(b watch.Billed, class result.Class, seen result.Seen, reason string) {
	t.Find(result.Finding{Says: reason, Subject: watch.Subject(b.Ref), Class: class, Numbers: t.watch.Numbers(b.Ref),
		Seen: []result.Seen{seen}}, t.watch.Evidence()...)
}
