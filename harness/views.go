package harness

import (
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// Tallying is a Pushes that counts what all routers of the site had so far. To be asked is no look at a router.
type Tallying interface {
	// Tally counts pushes, reloads that they led to, and pushes whose change the router did not see.
	Tally() (pushes, reloads, masked int)
}

// clock is the target's time for the time line; zero when it cannot be told, which harms nothing but the picture.
func (t *Attempt) clock() time.Time {
	if t.brief || t.site == nil || t.site.Clock == nil {
		return time.Time{}
	}
	now, err := t.site.Clock.Now(t.ctx)
	if err != nil {
		return time.Time{}
	}
	return now.UTC().Truncate(time.Second)
}

// countPushes notes what the routers had during a step.
func (t *Attempt) countPushes(step int) {
	counter, ok := t.site.Pushes.(Tallying)
	if !ok {
		return
	}
	pushes, reloads, masked := counter.Tally()
	before := t.tally
	t.tally = [3]int{pushes, reloads, masked}
	if n := pushes - before[0]; n > 0 {
		says := "pushed to the router"
		if unseen := masked - before[2]; unseen > 0 {
			says += fmt.Sprintf(", the router saw no change in %d", unseen)
		}
		t.add(result.Moment{Step: step, Kind: result.MomentPush, Count: n, Says: says})
	}
	if n := reloads - before[1]; n > 0 {
		t.add(result.Moment{Step: step, Kind: result.MomentReload, Count: n, Says: "HAProxy reloaded"})
	}
}

// mostMoments bounds the time line of a story with thousands of steps.
const mostMoments = 1000

func (t *outcome) add(m result.Moment) {
	if len(t.views.Moments) < mostMoments {
		t.views.Moments = append(t.views.Moments, m)
	}
}

// Moment puts something that happened at a time on the time line, beside the step at work. What was before the first
// step is left out.
func (t *outcome) Moment(kind string, at time.Time, says string) {
	if len(t.steps) > 0 && at.Before(t.steps[0].At) {
		return
	}
	t.add(result.Moment{Step: max(0, len(t.steps)-1), Kind: kind, At: at.UTC().Truncate(time.Second), Says: says})
}

// Views are what a report draws of the attempt, for whoever draws more.
func (t *outcome) Views() *result.Views { return &t.views }

// Findings are the facts that were found so far.
func (t *outcome) Findings() []result.Finding { return t.findings }
