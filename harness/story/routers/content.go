package routers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/harness/witness"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/router"
)

// ExpectContent expects that the newest push to the network's router carries what the API lists: every active rule of
// the VPC or network, its algorithm, source list, members and the one live policy, and no rule that the API does not
// know. Given rules only those are compared.
func (t RouterLooks) ExpectContent(n *objects.Network, only ...*objects.Rule) {
	defer t.Step("newest push against the API")()
	t.Checked(1)
	push, ok := t.newestPush(n.Router())
	if !ok {
		t.Fail(result.PushCount, fmt.Sprintf("no push has reached router %s", n.Router()))
		return
	}
	fileLooks(t).tellContent("the newest push is not what the API lists: ", t.contentFaults(n, push, only), n.Router(),
		push)
}

// tellContent tells in what a push is not what the API says. What was told of an earlier push is not told again: it is
// the same fact, seen once more.
func (t fileLooks) tellContent(says string, wrong []string, routerName string, push router.Push) {
	news := t.on.News("pushes", wrong)
	if len(news) == 0 {
		return
	}
	t.on.FindEach(result.PushContent, SeenContent, says, news,
		result.Evidence{Kind: result.KindNote, Title: "push against the API", Text: strings.Join(wrong, "\n")},
		result.Evidence{Kind: result.KindPush, Title: "push to " + routerName, Text: string(push.Raw)})
}

// SeenContent is what a difference between API and push is seen by: its words.
const SeenContent = "content"

// PushesOnly are the words of a rule whose members the API lists and of which the push carries only these.
func (t RouterLooks) PushesOnly(r *objects.Rule, left ...*objects.VM) string {
	members, err := r.Account.Cloud.ListLoadBalancerRuleMembers(t.ctx, r.ID)
	t.Must(err, "listing the members of rule %s", r.Name)
	var ips []string
	for _, m := range members {
		ips = append(ips, m.IPs...)
	}
	slices.Sort(ips)
	carried := stage.Each(left, func(vm *objects.VM) string { return vm.IP.String() })
	w := t.witness()
	w.Learn(r.ID, r.ListedName())
	return w.Says(witness.Members(r.ID, ips, carried))
}

func (t RouterLooks) newestPush(name string) (router.Push, bool) {
	pushes := t.on.Pushes(name)
	if len(pushes) == 0 {
		return router.Push{}, false
	}
	return pushes[len(pushes)-1], true
}

// contentFaults says in what a push to the network's router is not what the API lists.
func (t RouterLooks) contentFaults(n *objects.Network, push router.Push, only []*objects.Rule) (wrong []string) {
	ids := stage.Each(only, func(r *objects.Rule) string { return r.ID })
	w := t.witness()
	differences, err := w.Against(t.ctx, t.on.Now(), n.Router(), push, ids...)
	t.Must(err, "reading what the API lists")
	for _, d := range differences {
		wrong = append(wrong, w.Says(d))
	}
	for _, r := range only {
		if w.Name(r.ID) == "" && r.Deleted.IsZero() {
			wrong = append(wrong, fmt.Sprintf("%s is not listed by the API", r))
		}
	}
	return wrong
}

// witness holds the site's pushes against the API.
func (t RouterLooks) witness() *witness.Witness {
	if t.pushed != nil {
		return t.pushed
	}
	o := witness.Options{Cloud: t.site.Cloud, Release: t.site.Release}
	if t.site.Journal != nil && t.site.Calls != nil {
		o.Calls = &witness.Calls{}
		t.site.Calls.OnChange(func(e cloud.Exchange) {
			params := map[string]string{}
			for name, value := range e.Params {
				params[name], _ = value.(string)
			}
			o.Calls.Note(witness.Call{Command: e.Command, Params: params})
		})
	}
	if t.site.Journal != nil && t.site.DB != nil {
		o.IDs = func(ctx context.Context, of usageprobe.Object, uuid string) (int64, error) {
			return t.on.Usage().InternalID(ctx, of, uuid)
		}
		o.KeepAlive = func(offering string) bool { return slices.Contains(t.on.KeepAlive(), offering) }
	}
	t.pushed = witness.New(o)
	return t.pushed
}

// Begin has every push of the site held against the API after each step.
func Begin(t RouterLooks) {
	if t.site.Journal == nil {
		return
	}
	t.witness()
	t.AfterStep(fileLooks(t).lookAtPushes)
}

// End looks at the last pushes, and at what the story leaves behind on routers.
func End(t RouterLooks) {
	fileLooks(t).lookAtPushes()
	ending(t).expectGone()
}

// JudgesPushesItself says that the story compares pushes with the API on its own, because its steps are several calls:
// what came and went within one cannot be told from what was lost.
func (t RouterLooks) JudgesPushesItself() { t.ownPushes = true }

// lookAtPushes holds the pushes since the last look against the API. While time goes by beside the story's calls it
// waits: what it read would be old before it is compared.
func (t fileLooks) lookAtPushes() {
	if t.site.Journal == nil || t.on.TimePasses || t.ownPushes || t.ctx.Err() != nil {
		return
	}
	if t.site.Journal.Refused() > 0 {
		return // a push that a router refuses is taken back by the server, which looks like a change that was lost
	}
	if t.UsedPushFaults() {
		t.pushed.PushesFail()
	}
	if routers, ok := t.site.Routers.(harness.Troubled); ok && len(routers.Troubles()) > 0 {
		return // what the API says after a push that no router answered is the server's way back
	}
	for _, name := range t.site.Journal.Receivers() {
		pushes := t.site.Journal.Since(name, t.pushed.Seen(name))
		found, err := t.pushed.Look(t.ctx, t.on.Now(), name, pushes)
		t.Must(err, "looking at the pushes to %s", name)
		for _, f := range found {
			wrong := []string{f.Says}
			for i, d := range f.Differences {
				if i == 0 {
					wrong = nil
				}
				wrong = append(wrong, t.pushed.Says(d))
			}
			t.tellContent("a push to router "+f.Router+" is not what the API says: ", wrong, f.Router, f.Push)
		}
		if n := len(pushes); n > 0 {
			t.lookAtFile(name)
		}
	}
}

// PushCount is how many pushes the network's router has had.
func (t RouterLooks) PushCount(n *objects.Network) int { return t.on.PushCount(n) }

// ExpectPushes expects at least so many pushes since the count before.
func (t RouterLooks) ExpectPushes(n *objects.Network, before, atLeast int) {
	t.Checked(1)
	if got := t.PushCount(n) - before; got < atLeast {
		t.Fail(result.PushCount, fmt.Sprintf("router %s got %d pushes where at least %d are due", n.Router(), got,
			atLeast))
	}
}
