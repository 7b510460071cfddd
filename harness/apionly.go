package harness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// onlyAPI says whether the story is told without a database.
func (t *T) onlyAPI() bool {
	return t.scenario.APIOnly != nil && t.site.DB == nil && t.site.Missing[UsageDB] != ""
}

// apiOnly marks a verdict as the weaker one that listUsageRecords alone allows: rows and helper ids were not seen.
func (t *T) apiOnly() {
	const weaker = "API only, without a database"
	t.Note(weaker, "judged by listUsageRecords oldformat=true; helper rows, events and close dates were not seen")
	if t.reason == "" {
		t.reason = "no wrong record was listed"
	}
	t.reason = weaker + ": " + t.reason
}

// SkewBlind creates count harmless rules without looking: where helper ids cannot be read, rule ids are at least so far
// ahead of them on a database that was born at 4.16.1 or later.
func (a *Account) SkewBlind(count int) {
	t := a.t
	defer t.step("%d harmless rules", count)()
	if count > t.site.SkewBudget {
		t.Inconclusive("setting ids apart takes %d harmless rules, the budget is %d (--skew-budget)", count, t.site.SkewBudget)
	}
	ip := a.Isolated().Address()
	for i := range count {
		ip.Firewall(20000 + i)
	}
}

// PassRuns lets count whole usage windows pass, with a run that covers them.
func (t *T) PassRuns(count int) {
	defer t.step("usage run over %d windows", count)()
	until := t.now().Add(time.Duration(count) * t.site.Usage.Window())
	t.must(t.site.Usage.Cover(t.ctx, until), "waiting for a usage run that covers %s", stamp(until))
}

// listedRecord is an LB record as the API lists it in the old format.
type listedRecord struct {
	rule       string // internal id
	start, end time.Time
	hours      float64
}

// listedRecords are the account's LB records, oldest first. The old format is the only one that names deleted rules.
func (t *T) listedRecords(a *Account, format cloud.Params) []*cloud.UsageRecord {
	p := cloud.Params{"accountid": a.ID, "domainid": a.DomainID, "type": usageprobe.UsageLoadBalancer, "pagesize": 500, "page": 1}
	for k, v := range format {
		p[k] = v
	}
	now := t.now()
	records, err := t.site.Cloud.ListUsageRecords(t.ctx, now.AddDate(0, 0, -1), now.AddDate(0, 0, 1), p)
	t.must(err, "listing usage records")
	all := make([]*cloud.UsageRecord, len(records))
	for i := range records {
		all[i] = &records[i]
	}
	return all
}

func (t *T) listed(a *Account) []listedRecord {
	var all []listedRecord
	for _, r := range t.listedRecords(a, cloud.Params{"oldformat": "true"}) {
		id, found := strings.CutPrefix(r.Description, "Load Balancing Policy: ")
		id, _, _ = strings.Cut(id, " ")
		if !found {
			t.Inconclusive("a usage record in the old format is described as %q: no rule can be told from it", r.Description)
		}
		all = append(all, listedRecord{id, r.Start, r.End, r.Raw})
	}
	slices.SortStableFunc(all, func(x, y listedRecord) int { return x.start.Compare(y.start) })
	return all
}

// ExpectListedBilling deletes one of the rules and expects, from listUsageRecords alone, that the records of exactly that
// rule stop, with a part of the window of its delete, and that those of the others go on in full. Who is who is told by the rules' number of records: the deleted
// one's id is that which the account's records had before and the new format names no more.
func (t *T) ExpectListedBilling(dies *Rule, live ...*Rule) {
	a := dies.Account
	before := map[string]bool{}
	for _, r := range t.listed(a) {
		before[r.rule] = true
	}
	if len(before) != len(live)+1 {
		t.Inconclusive("%d rules have usage records before anything is deleted, want %d", len(before), len(live)+1)
	}
	dies.Delete()
	t.PassRuns(2)
	t.watch.checks++
	records := t.listed(a)
	newest := records[len(records)-1].start
	got := map[string]listedRecord{}
	for _, r := range records {
		if r.start.Equal(newest) {
			got[r.rule] = r
		}
	}
	if newest.Before(dies.Deleted) {
		t.Inconclusive("the newest usage records begin at %s, before %s was deleted", stamp(newest), dies)
	}
	shown := result.Evidence{Kind: result.KindRows, Title: "listUsageRecords oldformat=true, type 11", Text: table("rule id\tstart\tend\thours", func(row func(...any)) {
		for _, r := range records {
			row(r.rule, stamp(r.start), stamp(r.end), fmt.Sprintf("%.6f", r.hours))
		}
	})}
	if len(got) != len(live) {
		t.Fail(fmt.Sprintf("%d rules live, but the window from %s bills %d, after %s was deleted at %s", len(live), stamp(newest), len(got), dies, stamp(dies.Deleted)), shown)
	}
	t.expectNamed(a, newest, shown, live)
	t.expectPart(dies, records, shown)
	for _, r := range got {
		if full := r.end.Add(time.Second).Sub(r.start).Hours(); !usageprobe.LifeMatches(r.hours, 1, full) {
			t.Fail(fmt.Sprintf("rule id %s lives, but the window from %s bills %.6f h instead of %.6f", r.rule, stamp(newest), r.hours, full), shown)
		}
	}
}

// expectNamed expects that the newest window names each live rule by its uuid, and nothing that has none: the new format
// leaves the uuid of a dead rule out.
func (t *T) expectNamed(a *Account, newest time.Time, shown result.Evidence, live []*Rule) {
	named, nameless := map[string]bool{}, 0
	for _, r := range t.listedRecords(a, nil) {
		switch {
		case !r.Start.Equal(newest):
		case r.Usageid == "":
			nameless++
		default:
			named[r.Usageid] = true
		}
	}
	if nameless > 0 {
		t.Fail(fmt.Sprintf("the window from %s bills %d rules that do not exist any more", stamp(newest), nameless), shown)
	}
	for _, r := range live {
		if !named[r.ID] {
			t.Fail(fmt.Sprintf("%s is alive, but the window from %s does not bill it", r, stamp(newest)), shown)
		}
	}
}
