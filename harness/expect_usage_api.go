package harness

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ExpectAPIRecords expects that listUsageRecords shows of the rules' account what the database holds: as many records and as
// many hours, in the old format under the internal ids, in the new one under the uuids of the rules that live and under none
// of those that are gone, whose rows are really deleted.
func (t *T) ExpectAPIRecords(rules ...*Rule) {
	defer t.step("listUsageRecords against the database")()
	account := rules[0].Account
	want := t.recordsOfType(usageprobe.UsageLoadBalancer, func(r usageprobe.Record) bool { return r.AccountID == account.InternalID })
	if len(want) == 0 {
		t.Inconclusive("the database has no record of the account's rules: nothing can be compared")
	}
	old, now := t.apiRecords(account, true), t.apiRecords(account, false)
	t.sameTotals("in the old format", want, old)
	t.sameTotals("in the new format", want, now)
	for _, r := range rules {
		t.watch.checks++
		rows, _ := usageprobe.LifeSum(t.watch.recordsOf(r))
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
			t.Fail(fmt.Sprintf("%s has %.6f hours in the database, listUsageRecords shows %.6f under its internal id", r, rows, listed))
		}
		if named == !r.Deleted.IsZero() {
			t.Fail(fmt.Sprintf("%s is deleted: %t, listUsageRecords names it: %t", r, !r.Deleted.IsZero(), named))
		}
	}
}

// wide is how far the range of a listing reaches beyond the present: both dates of a record must lie within it (T10).
const wide = 24 * time.Hour

func (t *T) apiRecords(a *Account, oldFormat bool) []cloud.UsageRecord {
	now := t.now()
	found, err := t.site.Cloud.ListUsageRecords(t.ctx, now.Add(-wide), now.Add(wide), cloud.Params{"accountid": a.ID, "type": usageprobe.UsageLoadBalancer, "oldformat": oldFormat})
	t.must(err, "listing usage records")
	return found
}

func (t *T) sameTotals(format string, want []usageprobe.Record, got []cloud.UsageRecord) {
	t.watch.checks++
	rows, _ := usageprobe.LifeSum(want)
	listed := 0.0
	for _, r := range got {
		listed += r.Raw
	}
	if len(got) != len(want) || !sameHours(listed, rows) {
		t.Fail(fmt.Sprintf("listUsageRecords %s shows %d records of %.6f hours, the database has %d of %.6f", format, len(got), listed, len(want), rows),
			result.Evidence{Kind: result.KindRows, Title: "cloud_usage.cloud_usage, newest LB records", Text: t.watch.recordTable(usageprobe.KindLB)})
	}
}

// sameHours: the API rounds each record to six decimals.
func sameHours(a, b float64) bool { return math.Abs(a-b) < 1e-4 }
