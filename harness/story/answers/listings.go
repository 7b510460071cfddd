package answers

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// listedRecord is an LB record as the API lists it in the old format.
type listedRecord struct {
	rule       string // internal id
	start, end time.Time
	hours      float64
}

// listedRecords are the account's LB records, oldest first. The old format is the only one that names deleted rules.
func (t Listings) listedRecords(a *objects.Account, format cloud.Params) []cloud.UsageRecord {
	p := cloud.Params{"accountid": a.ID, "domainid": a.DomainID, "type": usageprobe.UsageLoadBalancer, "pagesize": 500,
		"page": 1}
	maps.Copy(p, format)
	return t.list(p)
}

// list is what listUsageRecords lists of all times that a story can have.
func (t Listings) list(p cloud.Params) []cloud.UsageRecord {
	now := t.on.Now()
	records, err := t.site.Cloud.ListUsageRecords(t.ctx, now.Add(-wide), now.Add(wide), p)
	t.Must(err, "listing usage records")
	return records
}

func (t Listings) listed(a *objects.Account) []listedRecord {
	var all []listedRecord
	for _, r := range t.listedRecords(a, cloud.Params{"oldformat": "true"}) {
		id, found := strings.CutPrefix(r.Description, "Load Balancing Policy: ")
		id, _, _ = strings.Cut(id, " ")
		if !found {
			t.Inconclusive("a usage record in the old format is described as %q: no rule can be told from it",
				r.Description)
		}
		all = append(all, listedRecord{id, r.Start, r.End, r.Raw})
	}
	slices.SortStableFunc(all, func(x, y listedRecord) int { return x.start.Compare(y.start) })
	return all
}

// ExpectListedBilling deletes one of the rules and expects, from listUsageRecords alone, that the records of exactly
// that rule stop, with a part of the window of its delete, and that those of the others go on in full. Who is who is
// told by the rules' number of records: the deleted one's id is that which the account's records had before and the new
// format names no more.
func (t Listings) ExpectListedBilling(dies *objects.Rule, live ...*objects.Rule) {
	a := dies.Account
	before := map[string]bool{}
	for _, r := range t.listed(a) {
		before[r.rule] = true
	}
	if len(before) != len(live)+1 {
		t.Inconclusive("%d rules have usage records before anything is deleted, want %d", len(before), len(live)+1)
	}
	dies.Delete()
	t.runs.PassRuns(2)
	t.Checked(1)
	records := t.listed(a)
	newest := records[len(records)-1].start
	got := map[string]listedRecord{}
	for _, r := range records {
		if r.start.Equal(newest) {
			got[r.rule] = r
		}
	}
	if newest.Before(dies.Deleted) {
		t.Inconclusive("the newest usage records begin at %s, before %s was deleted", stage.Stamp(newest), dies)
	}
	shown := result.Evidence{Kind: result.KindRows, Title: "listUsageRecords oldformat=true, type 11",
		Text: stage.Table("rule id\tstart\tend\thours", func(row func(...any)) {
			for _, r := range records {
				row(r.rule, stage.Stamp(r.start), stage.Stamp(r.end), fmt.Sprintf("%.6f", r.hours))
			}
		})}
	if len(got) != len(live) {
		t.Fail(listedClass(len(got), len(live)),
			fmt.Sprintf("%d rules live, but the window from %s bills %d, after %s was deleted at %s", len(live),
				stage.Stamp(newest), len(got), dies, stage.Stamp(dies.Deleted)), shown)
	}
	t.expectNamed(a, newest, shown, live)
	t.expectPart(dies, records, shown)
	for _, r := range got {
		if full := r.end.Add(time.Second).Sub(r.start).Hours(); !usageprobe.LifeMatches(r.hours, 1, full) {
			t.Fail(result.WrongHours, fmt.Sprintf("rule id %s lives, but the window from %s bills %s instead of "+
				"%s", r.rule, stage.Stamp(newest), usageprobe.HoursText(r.hours), usageprobe.HoursText(full)), shown)
		}
	}
}

// expectNamed expects that the newest window names each live rule by its uuid, and nothing else: the new format leaves
// the uuid of a dead rule out, or names it where the rows of deleted rules are kept.
func (t Listings) expectNamed(a *objects.Account, newest time.Time, shown result.Evidence, live []*objects.Rule) {
	named, dead := map[string]bool{}, 0
	for _, r := range t.listedRecords(a, nil) {
		switch {
		case !r.Start.Equal(newest):
		case !slices.ContainsFunc(live, func(l *objects.Rule) bool { return l.ID == r.Usageid }):
			dead++
		default:
			named[r.Usageid] = true
		}
	}
	if dead > 0 {
		t.Fail(result.BilledAfterEnd, fmt.Sprintf("the window from %s bills %d rules that do not exist any more",
			stage.Stamp(newest), dead), shown)
	}
	for _, r := range live {
		if !named[r.ID] {
			t.Fail(result.NotBilled, fmt.Sprintf("%s is alive, but the window from %s does not bill it", r,
				stage.Stamp(newest)), shown)
		}
	}
}

// removal is a rule's removal as the API's events tell it: its internal id and, in the server's own time, between which
// seconds its usage event was written.
type removal struct {
	rule       string
	begun, met time.Time
}

// eventForm is how listEvents writes dates.
const eventForm = "2006-01-02T15:04:05-0700"

// listedRemoval reads the only removal of an LB rule in an account; false where the events do not tell it.
func (t Listings) listedRemoval(a *objects.Account) (r removal, told bool) {
	id := regexp.MustCompile(`Load balancer ID: (\S+)$`)
	for _, e := range a.Events("LB.DELETE") {
		at, err := time.Parse(eventForm, e.Created)
		if err != nil {
			t.Inconclusive("an event's date %q cannot be read: %v", e.Created, err)
		}
		switch m := id.FindStringSubmatch(e.Description); {
		case e.State == "Started" && m != nil:
			r.rule, r.begun = t.internalOf(a, m[1]), at.UTC()
		case e.State == "Completed":
			r.met = at.UTC()
		}
	}
	return r, r.rule != "" && !r.begun.IsZero() && !r.met.Before(r.begun)
}

// internalOf is the internal id of what an event names: itself, or where events name rules by their uuid the one under
// which the same record stands in the old format, which lists in the same order; empty where no record tells.
func (t Listings) internalOf(a *objects.Account, named string) string {
	if _, err := strconv.ParseInt(named, 10, 64); err == nil {
		return named
	}
	old, now := t.listed(a), t.listedRecords(a, nil)
	if len(old) != len(now) {
		return ""
	}
	slices.SortStableFunc(now, func(x, y cloud.UsageRecord) int { return x.Start.Compare(y.Start) })
	for i, r := range now {
		if r.Usageid == named {
			return old[i].rule
		}
	}
	return ""
}

// eventRounding is how far a usage event's second may lie from the time at which it was written.
const eventRounding = time.Second

// expectPart expects that the window of a rule's removal bills it for the part in which it lived, and that no later one
// bills it.
func (t Listings) expectPart(dies *objects.Rule, records []listedRecord, shown result.Evidence) {
	gone, told := t.listedRemoval(dies.Account)
	if !told {
		t.Note("not judged", "the server's events do not tell when %s was deleted: the window of its delete was not "+
			"looked at", dies)
		return
	}
	t.Checked(1)
	var last *listedRecord
	for i, r := range records {
		switch {
		case r.rule != gone.rule:
		case r.start.After(gone.met.Add(eventRounding)):
			t.Fail(result.BilledAfterEnd,
				fmt.Sprintf("%s (rule id %s) was deleted at %s, but the window from %s bills it %s", dies,
					gone.rule, stage.Stamp(gone.met), stage.Stamp(r.start), usageprobe.HoursText(r.hours)), shown)
		case !r.start.After(gone.begun):
			last = &records[i]
		}
	}
	if last == nil || !last.end.Add(time.Second).After(gone.met) {
		if last == nil || gone.begun.Sub(last.end) > 2*eventRounding {
			t.Fail(result.WrongHours, fmt.Sprintf("%s (rule id %s) was deleted at %s, and the window of its delete "+
				"does not bill it", dies, gone.rule, stage.Stamp(gone.met)), shown)
			return
		}
		t.Note("not judged", "%s was deleted at the end of a usage window", dies)
		return
	}
	least, most := gone.begun.Add(-eventRounding).Sub(last.start).Hours(),
		gone.met.Add(eventRounding).Sub(last.start).Hours()
	if last.hours < least || last.hours > most {
		class := result.WrongHours
		if last.hours > most {
			class = result.BilledAfterEnd
		}
		t.Fail(class, fmt.Sprintf("%s (rule id %s) was deleted between %s and %s, so the window from %s "+
			"is to bill between %.6f and %.6f h, but bills %.6f",
			dies, gone.rule, stage.Stamp(gone.begun), stage.Stamp(gone.met), stage.Stamp(last.start),
			max(0, least), most, last.hours), shown)
	}
}

// ExpectAPIRecords expects that listUsageRecords shows of the rules' account what the database holds: as many records
// and as many hours, in the old format under the internal ids, in the new one under the uuids of the rules that live
// and under none of those that are gone, whose rows are really deleted.
func (t Listings) ExpectAPIRecords(rules ...*objects.Rule) {
	defer t.Step("listUsageRecords against the database")()
	account := rules[0].Account
	want := t.watch.RecordsOfType(usageprobe.UsageLoadBalancer,
		func(r usageprobe.Record) bool { return r.AccountID == account.InternalID })
	if len(want) == 0 {
		t.Inconclusive("the database has no record of the account's rules: nothing can be compared")
	}
	old, now := t.apiRecords(account, true), t.apiRecords(account, false)
	if t.on.SharesRuns() {
		old, now = upTo(old, t.watch.Last.Cutoff), upTo(now, t.watch.Last.Cutoff)
	}
	t.sameTotals("in the old format", want, old)
	t.sameTotals("in the new format", want, now)
	for _, r := range rules {
		t.Checked(1)
		rows, _ := usageprobe.LifeSum(t.watch.RecordsOf(r.Billed()))
		listed, named := 0.0, false
		for _, rec := range old {
			if strings.HasPrefix(rec.Description, fmt.Sprintf("Load Balancing Policy: %d ", r.InternalID)) {
				listed += rec.Raw
			}
		}
		for _, rec := range now {
			named = named || rec.Usageid == r.ID
		}
		if !sameHours(listed, rows) {
			t.Fail(result.WrongListing, fmt.Sprintf("%s has %.6f hours in the database, listUsageRecords shows %.6f "+
				"under its internal id", r, rows, listed))
		}
		keeps := release.Where(release.SoftDeleteRules).Contains(t.site.Release)
		if named != (r.Deleted.IsZero() || keeps) {
			t.Fail(result.WrongListing, fmt.Sprintf("%s is deleted: %t, listUsageRecords names it: %t", r,
				!r.Deleted.IsZero(), named))
		}
	}
}

// upTo leaves out records that end after a time: where others' usage runs come at any time, one may have written more
// between the reading of the database and an answer that takes seconds.
func upTo(all []cloud.UsageRecord, cutoff time.Time) []cloud.UsageRecord {
	return slices.DeleteFunc(all, func(r cloud.UsageRecord) bool { return r.End.After(cutoff) })
}

// wide is how far the range of a listing reaches beyond the present: both dates of a record must lie within it (T10).
const wide = 24 * time.Hour

func (t Listings) apiRecords(a *objects.Account, oldFormat bool) []cloud.UsageRecord {
	return t.list(cloud.Params{"accountid": a.ID, "type": usageprobe.UsageLoadBalancer, "oldformat": oldFormat})
}

func (t Listings) sameTotals(format string, want []usageprobe.Record, got []cloud.UsageRecord) {
	t.Checked(1)
	rows, _ := usageprobe.LifeSum(want)
	listed := 0.0
	for _, r := range got {
		listed += r.Raw
	}
	if len(got) != len(want) || !sameHours(listed, rows) {
		t.Fail(result.WrongListing, fmt.Sprintf("listUsageRecords %s shows %d records of %.6f hours, the database "+
			"has %d of %.6f", format, len(got), listed, len(want), rows),
			result.Evidence{Kind: result.KindRows, Title: "cloud_usage.cloud_usage, newest LB records",
				Text: t.watch.RecordTable(usageprobe.KindLB)})
	}
}

// sameHours: the API rounds each record to six decimals.
func sameHours(a, b float64) bool { return math.Abs(a-b) < 1e-4 }

// listedClass is the class of a window that bills more or fewer rules than live.
func listedClass(billed, live int) result.Class {
	if billed > live {
		return result.BilledAfterEnd
	}
	return result.NotBilled
}
