// Package stage is what a story is told on: the attempt and its site, the site's clock, and what all verbs and
// expectations ask of these. It knows no object of a story and no usage row.
//
// Before changing it know that all of it can be reached by rooms below package story and by no scenario: a group of
// verbs that a scenario sees keeps its stage in an unexported field.
package stage

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/router"
)

// Stage is an attempt with its site.
type Stage struct {
	*harness.Attempt
	Site       *harness.Site
	Ctx        context.Context
	Rng        *rand.Rand // repeatable on purpose, nothing secret
	TimePasses bool       // beside the story's calls
	// Stray says why a failure that was set for the whole zone may have met somebody else's command, "" where it
	// cannot. Nil while none is set.
	Stray func() string
	told  map[string][]string
}

// New is the stage of an attempt on a site.
func New(a *harness.Attempt, s *harness.Site) *Stage {
	return &Stage{Attempt: a, Site: s, Ctx: a.Context(), Rng: rand.New(rand.NewPCG(uint64(a.Seed()), 0x5eed)),
		told: map[string][]string{}}
}

// News are those of the words about something that were not told before: told again they are the same fact, seen once
// more.
func (t *Stage) News(about string, words []string) (news []string) {
	for _, one := range words {
		if !slices.Contains(t.told[about], one) {
			news = append(news, one)
		}
	}
	t.told[about] = append(t.told[about], news...)
	return news
}

// Apart keeps create and delete in different seconds: events of one second are unordered (T6).
const Apart = 2 * time.Second

// Now is the database's time.
func (t *Stage) Now() time.Time {
	now, err := t.Site.Clock.Now(t.Ctx)
	t.Must(err, "reading the database's time")
	return now
}

// Until waits, in the target's time, until the condition holds; the last observation is in the reason if it never does.
func (t *Stage) Until(what string, limit, step time.Duration, holds func() (bool, string)) {
	deadline := t.Now().Add(limit)
	for {
		ok, seen := holds()
		if ok {
			return
		}
		if t.Now().After(deadline) {
			t.Inconclusive("waited %s for %s; last seen: %s", limit, what, seen)
		}
		t.Must(t.Site.Clock.Pass(t.Ctx, step), "waiting for %s", what)
	}
}

// Refusal is the server's refusal of a call or job; nil when it was carried out. Any other error ends the scenario. One
// by an exception of the server's code is a failure, and the story goes on.
func (t *Stage) Refusal(err error, format string, a ...any) *cloud.Error {
	var refused *cloud.Error
	if errors.As(err, &refused) {
		t.Thrown(err, format, a...)
		return refused
	}
	t.Must(err, format, a...)
	return nil
}

// LastSuccess is the end of the newest successful usage job.
func (t *Stage) LastSuccess() time.Time {
	jobs, err := t.Usage().Jobs(t.Ctx)
	t.Must(err, "reading usage jobs")
	var end time.Time
	for _, j := range jobs {
		if j.Success && j.End.After(end) {
			end = j.End
		}
	}
	return end
}

// SharesRuns says whether usage runs are slow and serve several scenarios.
func (t *Stage) SharesRuns() bool {
	s, ok := t.Site.Usage.(harness.SharedRuns)
	return ok && s.Shared()
}

// Alone does something that others must not mix with, such as setting ids apart: on a shared site they wait meanwhile.
func (t *Stage) Alone(do func()) {
	if t.Site.Gate == nil {
		do()
		return
	}
	t.Must(t.Site.Gate.Alone(t.Ctx), "waiting until no other scenario works")
	defer func() {
		t.Must(t.Site.Gate.Together(context.WithoutCancel(t.Ctx)), "letting other scenarios work again")
	}()
	do()
}

// LastID is the last id that a table has given out.
func (t *Stage) LastID(schema, table string) int64 {
	id, err := usageprobe.LastID(t.Ctx, t.Site.DB, schema, table)
	t.Must(err, "reading ids")
	return id
}

// Pass lets time go by.
func (t *Stage) Pass(d time.Duration) {
	t.Must(t.Site.Clock.Pass(t.Ctx, d), "letting %s pass", d)
}

// Pushes are those that a router has had, in order.
func (t *Stage) Pushes(routerName string) []router.Push {
	pushes, err := t.Site.Pushes.Of(t.Ctx, routerName)
	t.Must(err, "reading the pushes of router %s", routerName)
	return pushes
}

// Usage is the probe of usage rows.
func (t *Stage) Usage() *usageprobe.Probe { return usageprobe.New(t.Site.DB) }

// FailAs is Fail with what was seen, for a program.
func (t *Stage) FailAs(class result.Class, seen result.Seen, reason string, evidence ...result.Evidence) {
	t.Find(result.Finding{Says: reason, Class: class, Seen: []result.Seen{seen}}, evidence...)
}

// FindEach tells what is wrong in some way as one fact: all of it is what was seen.
func (t *Stage) FindEach(class result.Class, what, says string, wrong []string, evidence ...result.Evidence) {
	f := result.Finding{Says: says + wrong[0], Class: class}
	for _, one := range wrong {
		f.Seen = append(f.Seen, result.Seen{What: what, Text: one})
	}
	t.Find(f, evidence...)
}

// Grace is how many seconds a member that has left its rule lives on. A server that somebody else runs may answer
// seconds late, and the member must be seen meanwhile.
func (t *Stage) Grace() int {
	if t.Site.Disposable {
		return 30
	}
	return 120
}

// UsageLook is how often the jobs are looked at: the heartbeat of a usage server.
const UsageLook = 15 * time.Second
