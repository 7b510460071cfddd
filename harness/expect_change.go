package harness

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// ExpectError expects that a call whose push cannot succeed says so: refusal is what the server answered, nil for success.
func (t *T) ExpectError(refusal *cloud.Error, what string) {
	t.watch.checks++
	if refusal == nil {
		t.Fail(what + " was answered with success")
	}
}

// StickTogether gives the rules the common source policy one after the other without waiting for the jobs, spacing apart.
func (t *T) StickTogether(spacing time.Duration, rules ...*Rule) {
	defer t.step("source stickiness on %d rules, %s apart", len(rules), spacing)()
	t.hurried(spacing, rules, func(r *Rule) (*cloud.Pending, error) {
		made, err := r.Cloud.CreateStickinessPolicy(t.ctx, cloud.StickinessSpec{LBRuleID: r.ID, Name: t.unique("sticky"), MethodName: "SourceBased", Params: sourcePolicy()})
		if err != nil {
			return nil, err
		}
		r.Policy = made.ID
		return &made.Pending, nil
	})
}

// UnstickTogether takes the policies away again in the same way.
func (t *T) UnstickTogether(spacing time.Duration, rules ...*Rule) {
	defer t.step("no stickiness on %d rules, %s apart", len(rules), spacing)()
	t.hurried(spacing, rules, func(r *Rule) (*cloud.Pending, error) {
		id := r.Policy
		r.Policy = ""
		return r.Cloud.Start(t.ctx, "deleteLBStickinessPolicy", cloud.Params{"id": id}, nil)
	})
}

// hurried starts a change of each rule, spacing apart, and waits for them when all are under way.
func (t *T) hurried(spacing time.Duration, rules []*Rule, change func(*Rule) (*cloud.Pending, error)) {
	pending := make([]*cloud.Pending, len(rules))
	for i, r := range rules {
		if i > 0 && spacing > 0 {
			select {
			case <-time.After(spacing): // real time: the distance of two reloads is what is tried
			case <-t.ctx.Done():
				t.must(context.Cause(t.ctx), "spacing calls")
			}
		}
		var err error
		pending[i], err = change(r)
		t.must(err, "changing the policy of %s", r)
	}
	for i, p := range pending {
		_, err := p.Wait(t.ctx, nil)
		t.must(err, "changing the policy of %s", rules[i])
	}
}

// Homes are the backends at which the rule's clients are at home.
func (t *T) Homes(control, r *Rule) map[netip.Addr]string {
	defer t.step("homes of the clients of %s", r.Name)()
	s := t.prober.look(control, r)
	if s.verdict == dataplane.Inconclusive {
		t.Inconclusive("%s: %s", r, s.why)
	}
	return s.obs.Homes
}

// NoteMoves reports how many clients have another home than before.
func (t *T) NoteMoves(after string, before, now map[netip.Addr]string) {
	moved := 0
	backends := map[string]bool{}
	for client, home := range now {
		backends[home] = true
		if before[client] != home {
			moved++
		}
	}
	t.Note("clients that moved", "after %s %d of %d clients had another backend; a lost table deals %d clients to %d backends anew, %.1f of them elsewhere",
		after, moved, len(now), len(now), len(backends), dataplane.MoversAfterReload(len(now), len(backends)))
}

// Reloads is how often the network's router has reloaded HAProxy.
func (t *T) Reloads(n *Network) int {
	files, _ := t.filesOf(n.Router())
	return files.Reloads
}

// ExpectReloads expects exactly so many reloads since the count before: each empties the stick tables (LB-9).
func (t *T) ExpectReloads(n *Network, before, want int) {
	t.watch.checks++
	if got := t.Reloads(n) - before; got != want {
		t.Fail(fmt.Sprintf("router %s reloaded HAProxy %d times, want %d: each reload loses every source table", n.Router(), got, want))
	}
}

// ExpectSameFiles expects that two routers have the same listen sections, but for the routers' own addresses.
func (t *T) ExpectSameFiles(one, other string) {
	defer t.step("%s and %s have the same rules", one, other)()
	t.watch.checks++
	a, _ := t.filesOf(one)
	b, _ := t.filesOf(other)
	rules := func(f router.Files) string {
		var text strings.Builder
		for _, s := range router.Sections(f.Live) {
			if s.Kind == "listen" && !strings.HasPrefix(s.Name, statistics) {
				fmt.Fprintf(&text, "%s\n", s.Name)
				for _, line := range s.Lines {
					fmt.Fprintf(&text, "  %s\n", strings.Join(strings.Fields(line), " "))
				}
			}
		}
		return text.String()
	}
	if x, y := rules(a), rules(b); x != y {
		t.Fail(fmt.Sprintf("redundant routers %s and %s have different rules", one, other),
			result.Evidence{Kind: result.KindNote, Title: one, Text: x}, result.Evidence{Kind: result.KindNote, Title: other, Text: y})
	}
}

// ExpectAttempts expects a number within bounds.
func (t *T) ExpectAttempts(what string, got, least, most int) {
	t.watch.checks++
	if got < least || got > most {
		t.Fail(fmt.Sprintf("%s: %d, want %d to %d", what, got, least, most))
	}
	t.Note("counted", "%s: %d", what, got)
}

// shrinkStep is how often a shrinking group is looked at: policies are evaluated once a minute.
const shrinkStep = 30 * time.Second

// ExpectShrink expects that the group goes from its members down to one, with at least the quiet time between two steps.
func (t *T) ExpectShrink(g *Group, from int, quiet time.Duration) {
	defer t.step("group %s shrinks", g.Name)()
	t.watch.checks++
	var times []time.Time
	count := from
	for end := t.now().Add(time.Duration(from+1) * (quiet + 5*time.Minute)); count > 1 && t.now().Before(end); {
		t.must(t.site.Clock.Pass(t.ctx, shrinkStep), "waiting for a group to shrink")
		if n := g.Count(); n < count {
			times, count = append(times, t.now()), n
		}
	}
	if count > 1 {
		t.Fail(fmt.Sprintf("group %s still counts %d members", g.Name, count))
		return
	}
	for i := 1; i < len(times); i++ {
		if gap := times[i].Sub(times[i-1]); gap < quiet-shrinkStep {
			t.Fail(fmt.Sprintf("group %s lost members %s apart, its scale-down policy has a quiet time of %s", g.Name, gap, quiet))
			return
		}
	}
}
