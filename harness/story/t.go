// Package story is the language in which scenarios are told: verbs that act through the API (NewAccount, VPC, Tier,
// LoadBalancer, Stick, ...), and expectations that look through probes. It is not the runner: how a story ends, and
// what that means, is for package harness to say.
//
// Before changing it know that the verbs and expectations of T are grouped by subject. Each group is a small type over
// one shared core, and T embeds them all, so that a scenario sees one language. A group that builds on another embeds
// it.
package story

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/witness"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// T is what a scenario is told in. A verb that cannot be carried out ends the scenario as inconclusive: a run that
// could not get that far shows nothing. An expectation that does not hold makes the verdict fail and lets the story go
// on, so that one run shows all that is wrong.
type T struct {
	*core
	Clock
	UsageRuns
	RuleRows
	BilledRows
	Audits
	Listings
	Answers
	RouterLooks
	ClientLooks
	Scaling
	Foresight
	PushFaults
}

// core is what all verbs and expectations work on.
type core struct {
	*harness.Attempt
	site   *harness.Site
	ctx    context.Context
	rng    *rand.Rand
	chosen *choices // nil until something is built
	watch  *watch
	probes uint64 // so far, for the seed of the next one

	pushed      *witness.Witness // nil until somebody looks
	toldContent []string         // differences between pushes and the API
	toldFile    []string         // differences between files and pushes
	timePasses  bool             // beside the story's calls
	ownPushes   bool             // see JudgesPushesItself
	siteClosed  bool             // see Afresh
	keepAlive   []string         // ids of the offerings with keep-alive that the story made
}

// The groups of T, by subject.
type (
	// Clock are verbs that let the target's time go by.
	Clock struct{ *core }
	// UsageRuns are verbs and expectations of usage servers and their jobs.
	UsageRuns struct{ *core }
	// RuleRows are expectations of the usage rows and records of LB rules.
	RuleRows struct{ *core }
	// BilledRows are expectations of the usage rows and records of any billed resource.
	BilledRows struct{ *core }
	// Audits are verbs and expectations of audits and repairs of usage rows.
	Audits struct{ *core }
	// Listings are expectations of listUsageRecords.
	Listings struct {
		*core
		UsageRuns
	}
	// Answers are expectations of what the API answers and lists.
	Answers struct{ *core }
	// RouterLooks are expectations of pushes and of routers' files and processes.
	RouterLooks struct{ *core }
	// ClientLooks are expectations of what clients of rules see.
	ClientLooks struct {
		*core
		RouterLooks
	}
	// Foresight says how known defects will show.
	Foresight struct{ *core }
	// PushFaults are verbs that make the simulator fail commands to routers.
	PushFaults struct{ *core }
	// Scaling are verbs and expectations of autoscale groups.
	Scaling struct {
		*core
		Clock
	}
)

// Of is the story as the runner takes it.
func Of(tell func(*T)) harness.Tell {
	return func(a *harness.Attempt, s *harness.Site) {
		t := newT(a, s)
		defer t.watch.drawLives()
		t.watchPushes()
		tell(t)
		t.lookAtPushes()
		ending{t.core}.expectGone()
		ending{t.core}.expectStored()
	}
}

func newT(a *harness.Attempt, s *harness.Site) *T {
	c := &core{Attempt: a, site: s, ctx: a.Context(),
		rng: rand.New(rand.NewPCG(uint64(a.Seed()), 0x5eed))} // repeatable on purpose, nothing secret
	c.watch = &watch{t: c}
	runs, routers, clock := UsageRuns{c}, RouterLooks{c}, Clock{c}
	return &T{core: c, Clock: clock, UsageRuns: runs, RuleRows: RuleRows{c}, BilledRows: BilledRows{c},
		Audits:   Audits{c},
		Listings: Listings{c, runs}, Answers: Answers{c}, RouterLooks: routers, ClientLooks: ClientLooks{c, routers},
		Scaling: Scaling{c, clock}, Foresight: Foresight{c}, PushFaults: PushFaults{c}}
}

// Afresh tells a story on a fresh site of the same target (Attempt.Afresh): afterwards this T has nothing to act on.
func (t *T) Afresh(tell func(*T)) harness.Outcome {
	t.siteClosed = true
	return t.Attempt.Afresh(Of(tell))
}

func (t *core) routerBy(key, id string) string {
	routers, err := t.site.Cloud.ListRouters(t.ctx, cloud.Params{key: id})
	t.Must(err, "listing the router")
	for _, r := range routers {
		if r.State == "Running" {
			return r.Name
		}
	}
	t.Inconclusive("no running router for %s %s: a push to it would count as success and show nothing (T25)", key, id)
	return ""
}

// apart keeps create and delete in different seconds: events of one second are unordered (T6).
const apart = 2 * time.Second

// now is the database's time.
func (t *core) now() time.Time {
	now, err := t.site.Clock.Now(t.ctx)
	t.Must(err, "reading the database's time")
	return now
}

// until waits, in the target's time, until the condition holds; the last observation is in the reason if it never does.
func (t *core) until(what string, limit, step time.Duration, holds func() (bool, string)) {
	deadline := t.now().Add(limit)
	for {
		ok, seen := holds()
		if ok {
			return
		}
		if t.now().After(deadline) {
			t.Inconclusive("waited %s for %s; last seen: %s", limit, what, seen)
		}
		t.Must(t.site.Clock.Pass(t.ctx, step), "waiting for %s", what)
	}
}

// refusal is the server's refusal of a call or job; nil when it was carried out. Any other error ends the scenario. One
// by an exception of the server's code is a failure, and the story goes on.
func (t *core) refusal(err error, format string, a ...any) *cloud.Error {
	var refused *cloud.Error
	if errors.As(err, &refused) {
		t.Thrown(err, format, a...)
		return refused
	}
	t.Must(err, format, a...)
	return nil
}

// named reads a resource's internal id from the newest usage event of its family that names it: for objects whose own
// tables are not read.
func (t *core) named(family, name string) int64 {
	id, err := t.rows().Named(t.ctx, family, name)
	t.Must(err, "reading an internal id")
	if id == 0 {
		t.Inconclusive("no %s usage event names %s", family, name)
	}
	return id
}

// lastSuccess is the end of the newest successful usage job.
func (t *core) lastSuccess() time.Time {
	jobs, err := t.rows().Jobs(t.ctx)
	t.Must(err, "reading usage jobs")
	var end time.Time
	for _, j := range jobs {
		if j.Success && j.End.After(end) {
			end = j.End
		}
	}
	return end
}

// sharesRuns says whether usage runs are slow and serve several scenarios.
func (t *core) sharesRuns() bool {
	s, ok := t.site.Usage.(harness.SharedRuns)
	return ok && s.Shared()
}

// alone does something that others must not mix with, such as setting ids apart: on a shared site they wait meanwhile.
func (t *core) alone(do func()) {
	if t.site.Gate == nil {
		do()
		return
	}
	t.Must(t.site.Gate.Alone(t.ctx), "waiting until no other scenario works")
	defer func() {
		t.Must(t.site.Gate.Together(context.WithoutCancel(t.ctx)), "letting other scenarios work again")
	}()
	do()
}

// lastID is the last id that a table has given out.
func (t *core) lastID(schema, table string) int64 {
	id, err := usageprobe.LastID(t.ctx, t.site.DB, schema, table)
	t.Must(err, "reading ids")
	return id
}

// pass lets time go by.
func (t *core) pass(d time.Duration) {
	t.Must(t.site.Clock.Pass(t.ctx, d), "letting %s pass", d)
}

// rawFirst is the first object of a list as it was answered.
func (t *core) rawFirst(command, list string, p cloud.Params) map[string]any {
	var answer map[string]any
	t.Must(t.site.Cloud.Call(t.ctx, command, p, &answer), "%s", command)
	all, _ := answer[list].([]any)
	if len(all) == 0 {
		t.Inconclusive("%s lists nothing: its form cannot be told", command)
	}
	one, _ := all[0].(map[string]any)
	return one
}

// RequireNotIn ends a story about what releases cannot do on one that can.
func (t *T) RequireNotIn(able release.Range, what string) {
	if able.Contains(t.site.Release) {
		t.Unsupported("release %s %s: that is another story", t.site.Release, what)
	}
}

// In says whether the release under test is one of these: for stories whose outcome differs between sound releases.
func (t *T) In(these release.Range) bool { return these.Contains(t.site.Release) }

// Now is the database's time.
func (t Clock) Now() time.Time { return t.now() }

// InternalID is the id of an object by its uuid, which must be asked while the object lives.
func (t *T) InternalID(of usageprobe.Object, uuid string) int64 { return t.internalID(of, uuid) }
