package answers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/probes/stored"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// kept looks at what the database keeps when a story ends.
type kept struct{ looks }

// End expects that the database holds of rules and groups what the API lists, and nothing of what is gone. It
// is looked at when a story ends, on a site of its own.
func End(a Answers) {
	t := kept(a)
	if t.site.Journal == nil || t.site.DB == nil || t.ctx.Err() != nil {
		return
	}
	rows, err := stored.Read(t.ctx, t.site.DB, t.site.Has(release.SoftDeleteRules))
	t.Must(err, "looking at the stored rules")
	everybodys := cloud.Params{"projectid": "-1"} // what belongs to projects, too
	listed, err := t.site.Cloud.ListLoadBalancerRules(t.ctx, everybodys)
	t.Must(err, "listing load balancer rules")
	groups, err := t.site.Cloud.ListAutoScaleVMGroups(t.ctx, everybodys)
	t.Must(err, "listing the autoscale groups")
	wrong := slices.Clone(rows.Left)
	wrong = append(wrong, t.rulesStored(rows, listed)...)
	wrong = append(wrong, groupsStored(rows, groups)...)
	wrong = append(wrong, t.statesStored(rows)...)
	if len(wrong) == 0 {
		return
	}
	t.on.FindEach(result.WrongStored, SeenStored, "the database is not what the API says: ", wrong,
		result.Evidence{Kind: result.KindNote, Title: "database against the API",
			Text: strings.Join(wrong, "\n")})
}

// SeenStored is what a row that is not what the API says is seen by: the difference, in words.
const SeenStored = "stored"

// ownerOf is the account that the API says a rule belongs to. Of a project it says the name, which is in the middle of
// that of the project's account.
func ownerOf(l *cloud.LoadBalancerRule, stored string) string {
	if l.Account == "" && usageprobe.OwnedByProject(stored, l.Project) {
		return stored
	}
	return l.Account
}

// differences says which objects only the API lists, in what those that both have differ, and which are only stored.
// Each object goes by its id and its name; left names one that is only stored.
func differences[L, S any](kind string, listed []*L, stored map[string]*S, goesBy func(*L) (id, name string),
	fields func(*L, *S) map[string][2]string, left func(uuid string, s *S) string) (wrong []string) {
	there := map[string]bool{}
	for _, l := range listed {
		id, name := goesBy(l)
		there[id] = true
		if s := stored[id]; s != nil {
			wrong = append(wrong, stage.Unlike(kind+" "+name, fields(l, s))...)
		} else {
			wrong = append(wrong, fmt.Sprintf("%s %s is listed and not stored", kind, name))
		}
	}
	for _, uuid := range slices.Sorted(maps.Keys(stored)) {
		if !there[uuid] {
			wrong = append(wrong, fmt.Sprintf("%s %s is stored and not listed", kind, left(uuid, stored[uuid])))
		}
	}
	return wrong
}

func (t kept) rulesStored(rows stored.Rows, listed []*cloud.LoadBalancerRule) []string {
	wrong := differences("rule", listed, rows.Rules,
		func(l *cloud.LoadBalancerRule) (id, name string) { return l.Id, l.Name }, ruleFields,
		func(uuid string, r *stored.Rule) string { return r.Name + " (" + uuid + ")" })
	for _, r := range t.on.Rules() {
		is := func(l *cloud.LoadBalancerRule) bool { return l.Id == r.ID }
		if row := rows.Rules[r.ID]; row != nil && slices.ContainsFunc(listed, is) {
			wrong = append(wrong, t.partsStored(r, row)...)
		}
	}
	return wrong
}

func ruleFields(l *cloud.LoadBalancerRule, r *stored.Rule) map[string][2]string {
	state := r.State
	if state == "Revoke" {
		state = "Deleting"
	}
	return map[string][2]string{"name": {l.Name, r.Name}, "state": {l.State, state},
		"algorithm": {l.Algorithm, r.Algorithm}, "protocol": {l.Protocol, r.Protocol},
		"public port": {l.Publicport, r.Port}, "private port": {l.Privateport, r.PrivatePort},
		"address": {l.Publicip, r.Address}, "network": {l.Networkid, r.Network},
		"account":     {ownerOf(l, r.Account), r.Account},
		"source list": {stored.Words(l.Cidrlist), stored.Words(r.CIDRs)}}
}

// partsStored are the members and policies of a rule. Destroyed VMs are stored and not listed.
func (t kept) partsStored(r *objects.Rule, row *stored.Rule) []string {
	members, err := t.site.Cloud.ListLoadBalancerRuleMembers(t.ctx, r.ID)
	t.Must(err, "listing the members of %s", r)
	policies, err := t.site.Cloud.ListStickinessPolicies(t.ctx, r.ID)
	t.Must(err, "listing the policies of %s", r)
	var listed, kept, shown, held []string
	for _, m := range members {
		for _, ip := range m.IPs {
			listed = append(listed, m.VM.Id+" "+ip)
		}
	}
	for _, m := range row.Members {
		if !slices.Contains([]string{"Destroyed", "Expunging", "Error", "Unknown"}, m.State) {
			kept = append(kept, m.VM+" "+m.IP)
		}
	}
	for _, p := range policies {
		shown = append(shown, fmt.Sprint(p.ID, " ", p.MethodName, " ", p.State == "Revoked"))
	}
	for _, p := range row.Policies {
		if p.Displayed {
			held = append(held, fmt.Sprint(p.UUID, " ", p.Method, " ", p.Revoked))
		}
	}
	return stage.Unlike(r.Called(), map[string][2]string{"members": {sortedWords(listed), sortedWords(kept)},
		"policies": {sortedWords(shown), sortedWords(held)}})
}

func sortedWords(words []string) string {
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func groupsStored(rows stored.Rows, listed []*cloud.AutoScaleVMGroup) []string {
	return differences("group", listed, rows.Groups,
		func(l *cloud.AutoScaleVMGroup) (id, name string) { return l.Id, l.Name },
		func(l *cloud.AutoScaleVMGroup, g *stored.Group) map[string][2]string {
			return map[string][2]string{"name": {l.Name, g.Name}, "state": {l.State, g.State},
				"rule": {l.Lbruleid, g.Rule}, "minimum": {fmt.Sprint(l.Minmembers), fmt.Sprint(g.Min)},
				"maximum":  {fmt.Sprint(l.Maxmembers), fmt.Sprint(g.Max)},
				"interval": {fmt.Sprint(l.Interval), fmt.Sprint(g.Interval)}}
		}, func(_ string, g *stored.Group) string { return g.Name })
}

// statesStored: a rule with a live member is Active, and one without any mapping is not, but for that of a group. Where
// pushes failed, a rule may be left as it was.
func (t kept) statesStored(rows stored.Rows) (wrong []string) {
	if t.UsedPushFaults() || t.site.Journal.Refused() > 0 {
		return nil
	}
	if routers, ok := t.site.Routers.(harness.Troubled); ok && len(routers.Troubles()) > 0 {
		return nil
	}
	scaled := map[string]bool{}
	for _, g := range rows.Groups {
		scaled[g.Rule] = true
	}
	for _, uuid := range slices.Sorted(maps.Keys(rows.Rules)) {
		r := rows.Rules[uuid]
		live := slices.ContainsFunc(r.Members, func(m stored.Member) bool { return !m.Revoked })
		switch {
		case r.State == "Add" && live:
			wrong = append(wrong, fmt.Sprintf("rule %s has members and is in state Add", r.Name))
		case r.State == "Active" && len(r.Members) == 0 && !scaled[uuid]:
			wrong = append(wrong, fmt.Sprintf("rule %s has no members and is in state Active", r.Name))
		}
	}
	return wrong
}
