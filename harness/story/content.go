package story

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	_ "time/tzdata"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/router"
)

// ExpectContent expects that the newest push to the network's router carries what the API lists: every active rule of
// the VPC or network, its algorithm, source list, members and the one live policy, and no rule that the API does not
// know. Given rules only those are compared.
func (t RouterLooks) ExpectContent(n *Network, only ...*Rule) {
	defer t.Step("newest push against the API")()
	t.Checked(1)
	push, ok := t.newestPush(n.Router())
	if !ok {
		t.Fail(result.PushCount, fmt.Sprintf("no push has reached router %s", n.Router()))
		return
	}
	wrong := t.contentFaults(n, push, only)
	if len(wrong) > 0 {
		f := result.Finding{Says: "the newest push is not what the API lists: " + wrong[0], Class: result.PushContent}
		for _, one := range wrong {
			f.Seen = append(f.Seen, result.Seen{What: SeenContent, Text: one})
		}
		t.Find(f, result.Evidence{Kind: result.KindNote, Title: "newest push against the API",
			Text: strings.Join(wrong, "\n")},
			result.Evidence{Kind: result.KindPush, Title: "newest push to " + n.Router(), Text: string(push.Raw)})
	}
}

// SeenContent is what a difference between API and push is seen by: its words.
const SeenContent = "content"

// PushesOnly are the words of a rule whose members the API lists and of which the push carries only these.
func (t RouterLooks) PushesOnly(r *Rule, left ...*VM) string {
	members, err := r.Account.Cloud.ListLoadBalancerRuleMembers(t.ctx, r.ID)
	t.Must(err, "listing the members of rule %s", r.Name)
	var ips []string
	for _, m := range members {
		ips = append(ips, m.IPs...)
	}
	slices.Sort(ips)
	carried := make([]string, len(left))
	for i, vm := range left {
		carried[i] = vm.IP.String()
	}
	return differs(r.listedName, "members", strings.Join(ips, " "), strings.Join(carried, " "))
}

func differs(rule, what, api, push string) string {
	return fmt.Sprintf("rule %s: the API says %s %q, the push %q", rule, what, api, push)
}

func (t RouterLooks) newestPush(name string) (router.Push, bool) {
	pushes, err := t.site.Pushes.Of(t.ctx, name)
	t.Must(err, "reading the pushes of router %s", name)
	if len(pushes) == 0 {
		return router.Push{}, false
	}
	return pushes[len(pushes)-1], true
}

// tierIDs are the networks whose rules share a router.
func (n *Network) tierIDs() []string {
	if n.VPC == nil {
		return []string{n.ID}
	}
	networks, err := n.Account.Cloud.ListNetworks(n.t.ctx, cloud.Params{"vpcid": n.VPC.ID})
	n.t.Must(err, "listing the tiers of %s", n.VPC.Name)
	ids := make([]string, len(networks))
	for i, one := range networks {
		ids[i] = one.Id
	}
	return ids
}

func (t RouterLooks) contentFaults(n *Network, push router.Push, only []*Rule) (wrong []string) {
	listed := n.listedRules()
	tiers := n.tierIDs()
	pushed := map[string]router.LoadBalancer{}
	for _, lb := range push.LoadBalancers {
		if !lb.Revoked {
			pushed[lb.UUID] = lb
		}
	}
	known := map[string]bool{}
	for _, r := range listed {
		known[r.Id] = true
		if !slices.Contains(tiers, r.Networkid) || len(only) > 0 &&
			!slices.ContainsFunc(only, func(o *Rule) bool { return o.ID == r.Id }) {
			continue
		}
		lb, there := pushed[r.Id]
		switch {
		case there:
			wrong = append(wrong, t.ruleFaults(n.Account, r, lb)...)
		case r.State == "Active":
			wrong = append(wrong, fmt.Sprintf("rule %s (%s) is active and not in it", r.Name, r.Id))
		}
	}
	for _, r := range only {
		if !known[r.ID] && r.Deleted.IsZero() {
			wrong = append(wrong, fmt.Sprintf("%s is not listed by the API", r))
		}
	}
	for _, lb := range push.LoadBalancers {
		if !lb.Revoked && !known[lb.UUID] && len(only) == 0 {
			wrong = append(wrong, fmt.Sprintf("it carries rule %s at %s:%d, which the API does not list", lb.UUID,
				lb.SrcIP, lb.SrcPort))
		}
	}
	return wrong
}

// ruleFaults compares one rule of the API with the same one in a push.
func (t RouterLooks) ruleFaults(a *Account, r *cloud.LoadBalancerRule, lb router.LoadBalancer) (wrong []string) {
	differ := func(what, api, push string) {
		if api != push {
			wrong = append(wrong, differs(r.Name, what, api, push))
		}
	}
	differ("algorithm", strings.ToLower(r.Algorithm), strings.ToLower(lb.Algorithm))
	differ("protocol", strings.ToLower(r.Protocol), strings.ToLower(lb.LBProtocol))
	differ("source list", strings.Join(strings.FieldsFunc(r.Cidrlist, isBlankOrComma), " "), lb.CIDRList)
	members, err := a.Cloud.ListLoadBalancerRuleMembers(t.ctx, r.Id)
	t.Must(err, "listing the members of rule %s", r.Name)
	var api, push []string
	for _, m := range members {
		api = append(api, m.IPs...)
	}
	for _, d := range lb.Destinations {
		if !d.Revoked {
			push = append(push, d.IP)
		}
	}
	slices.Sort(api)
	slices.Sort(push)
	differ("members", strings.Join(api, " "), strings.Join(push, " "))
	policies, err := a.Cloud.ListStickinessPolicies(t.ctx, r.Id)
	t.Must(err, "listing the policies of rule %s", r.Name)
	var listed, sent []string
	for _, p := range policies {
		if p.State != "Revoked" {
			listed = append(listed, policyText(p.MethodName, p.Params))
		}
	}
	for _, s := range lb.Stickiness {
		params := map[string]string{}
		for _, one := range s.Params {
			params[one.Name] = one.Value
		}
		sent = append(sent, policyText(s.Method, params))
	}
	differ("stickiness", strings.Join(listed, "; "), strings.Join(sent, "; "))
	return wrong
}

func isBlankOrComma(r rune) bool { return r == ' ' || r == ',' }

// policyText writes a policy in one form, whoever tells it.
func policyText(method string, params map[string]string) string {
	words := []string{strings.ToLower(method)}
	for _, k := range slices.Sorted(maps.Keys(params)) {
		words = append(words, strings.ToLower(k)+"="+params[k])
	}
	return strings.Join(words, " ")
}

// PushCount is how many pushes the network's router has had.
func (t RouterLooks) PushCount(n *Network) int {
	pushes, err := t.site.Pushes.Of(t.ctx, n.Router())
	t.Must(err, "reading the pushes of router %s", n.Router())
	return len(pushes)
}

// ExpectPushes expects at least so many pushes since the count before.
func (t RouterLooks) ExpectPushes(n *Network, before, atLeast int) {
	t.Checked(1)
	if got := t.PushCount(n) - before; got < atLeast {
		t.Fail(result.PushCount, fmt.Sprintf("router %s got %d pushes where at least %d are due", n.Router(), got,
			atLeast))
	}
}
