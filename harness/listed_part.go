package harness

import (
	"fmt"
	"regexp"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// removal is a rule's removal as the API's events tell it: its internal id and, in the server's own time, between which
// seconds its usage event was written.
type removal struct {
	rule       string
	begun, met time.Time
}

// eventForm is how listEvents writes dates.
const eventForm = "2006-01-02T15:04:05-0700"

// listedRemoval reads the only removal of an LB rule in an account; false where the events do not tell it.
func (t *T) listedRemoval(a *Account) (r removal, told bool) {
	events, err := t.site.Cloud.ListEvents(t.ctx, cloud.Params{"type": "LB.DELETE", "account": a.Name, "domainid": a.DomainID})
	t.must(err, "listing events")
	id := regexp.MustCompile(`Load balancer ID: (\d+)$`)
	for _, e := range events {
		at, err := time.Parse(eventForm, e.Created)
		if err != nil {
			t.Inconclusive("an event's date %q cannot be read: %v", e.Created, err)
		}
		switch m := id.FindStringSubmatch(e.Description); {
		case e.State == "Started" && m != nil:
			r.rule, r.begun = m[1], at.UTC()
		case e.State == "Completed":
			r.met = at.UTC()
		}
	}
	return r, r.rule != "" && !r.begun.IsZero() && !r.met.Before(r.begun)
}

// eventRounding is how far a usage event's second may lie from the time at which it was written.
const eventRounding = time.Second

// expectPart expects that the window of a rule's removal bills it for the part in which it lived, and that no later one bills
// it.
func (t *T) expectPart(dies *Rule, records []listedRecord, shown result.Evidence) {
	gone, told := t.listedRemoval(dies.Account)
	if !told {
		t.Note("not judged", "the server's events do not tell when %s was deleted: the window of its delete was not looked at", dies)
		return
	}
	t.watch.checks++
	var last *listedRecord
	for i, r := range records {
		switch {
		case r.rule != gone.rule:
		case r.start.After(gone.met.Add(eventRounding)):
			t.Fail(fmt.Sprintf("%s (rule id %s) was deleted at %s, but the window from %s bills it %.6f h", dies, gone.rule, stamp(gone.met), stamp(r.start), r.hours), shown)
		case !r.start.After(gone.begun):
			last = &records[i]
		}
	}
	if last == nil || !last.end.Add(time.Second).After(gone.met) {
		if last == nil || gone.begun.Sub(last.end) > 2*eventRounding {
			t.Fail(fmt.Sprintf("%s (rule id %s) was deleted at %s, and the window of its delete does not bill it", dies, gone.rule, stamp(gone.met)), shown)
			return
		}
		t.Note("not judged", "%s was deleted at the end of a usage window", dies)
		return
	}
	least, most := gone.begun.Add(-eventRounding).Sub(last.start).Hours(), gone.met.Add(eventRounding).Sub(last.start).Hours()
	if last.hours < least || last.hours > most {
		t.Fail(fmt.Sprintf("%s (rule id %s) was deleted between %s and %s, so the window from %s is to bill between %.6f and %.6f h, but bills %.6f",
			dies, gone.rule, stamp(gone.begun), stamp(gone.met), stamp(last.start), max(0, least), most, last.hours), shown)
	}
}
