package usageprobe

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Tolerances of billed time: a second for every record, because dates are whole seconds, and what 32-bit floats lose.
const (
	perRecord = 1.0 / 3600 // hours
	relative  = 1e-5
)

// LifeSum adds the hours of records and says how many there are.
func LifeSum(records []Record) (hours float64, n int) {
	for _, r := range records {
		hours += r.RawUsage
	}
	return hours, len(records)
}

// LifeMatches says whether n records that sum up to billed hours agree with a life of the given hours: within a second
// a record (at least one second) and 1e-5 of the life, the precision of the 32-bit float that the usage server computes
// in.
func LifeMatches(billed float64, n int, life float64) bool {
	return math.Abs(billed-life) <= slack(n, life)
}

func slack(n int, life float64) float64 { return float64(max(n, 1))*perRecord + relative*life }

// money is I4 and I5 for one resource.
func (c *checker) money(ref Ref) {
	h := c.ever[ref]
	if h == nil || h.spec.recordType == 0 || len(h.lives) == 0 {
		return
	}
	if ref.Kind == KindNIC && c.sharesOffering(ref) {
		return // one record sums all NICs of a VM that have the same offering
	}
	if life := c.resource(ref).Life; life == Undecided || life == Alive && !h.alive() {
		return // a rolled-back delete: nobody can say what is right
	}
	c.outsideLife(ref, h)
	c.wholeLife(ref, h)
}

// outsideLife is I4: records that bill more than their window holds of the life. Findings of one resource are one
// violation.
func (c *checker) outsideLife(ref Ref, h *history) {
	var first *Record
	var surplus, due float64
	count := 0
	for _, window := range windows(c.records[ref]) {
		sum, n := LifeSum(window)
		right := h.within(window[0].window()).Hours()
		if sum <= right+slack(n, right) {
			continue
		}
		if first == nil {
			first = &window[0]
		}
		surplus, due = surplus+sum-right, due+right
		count += n
	}
	if first == nil {
		return
	}
	v := Violation{Invariant: "I4", Ref: ref, AccountID: first.AccountID, Table: schemaUsage + ".cloud_usage",
		Class: c.moneyClass(ref)}
	v.Expected, v.Number, v.Want = "no billed time outside its life ("+c.text(h)+")", surplus, due
	v.Seen = fmt.Sprintf("%s with %s too many, the first id %d of the window %s to %s", recordsText(count),
		HoursText(surplus), first.ID, stamp(first.Start), stamp(first.End))
	c.report(v, nil)
}

// wholeLife is I5: the sum over all windows that successful jobs covered.
func (c *checker) wholeLife(ref Ref, h *history) {
	var life time.Duration
	for _, covered := range c.covered() {
		life += h.within(covered)
	}
	sum, n := LifeSum(c.records[ref])
	if LifeMatches(sum, n, life.Hours()) {
		return
	}
	v := Violation{Invariant: "I5", Ref: ref, AccountID: h.events[0].AccountID, Table: schemaUsage + ".cloud_usage",
		Class: c.moneyClass(ref)}
	v.Expected = fmt.Sprintf("records of %s for its life (%s)", HoursText(life.Hours()), c.text(h))
	v.Seen, v.Number, v.Want = HoursText(sum)+" in "+recordsText(n), sum, life.Hours()
	c.report(v, nil)
}

// covered are the windows of the successful jobs, joined where they touch or overlap.
func (c *checker) covered() []span {
	var spans []span
	for _, j := range c.Jobs {
		if j.Success && j.Start.Before(j.End) {
			spans = append(spans, span{j.Start, j.End.Add(time.Millisecond)})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	var joined []span
	for _, s := range spans {
		if n := len(joined); n > 0 && !s.from.After(joined[n-1].to) {
			if s.to.After(joined[n-1].to) {
				joined[n-1].to = s.to
			}
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// moneyClass names the defect of the rows behind the records.
func (c *checker) moneyClass(ref Ref) Class {
	rows := c.rows[ref]
	switch ref.Kind {
	case KindNetwork, KindVPC:
		if c.overlap(rows) {
			return ClassDuplicateNetwork
		}
	case KindLB, KindPF:
		for _, r := range rows {
			if r.Closed != nil && c.crossedBy(r) != nil {
				return ClassCrossedClose
			}
			if r.Open() && c.past[ref].died() != nil {
				return ClassLeakedRow
			}
		}
	case KindVPNUser:
		for _, r := range rows {
			if died := c.past[ref].died(); died != nil && r.Closed != nil && c.AtJob(*died, *r.Closed) {
				return ClassVPNUserDate
			}
		}
	}
	return ClassOther
}

func (c *checker) overlap(rows []HelperRow) bool {
	for i, r := range rows {
		for _, later := range rows[i+1:] {
			if r.Open() || later.Created.Before(*r.Closed) {
				return true
			}
		}
	}
	return false
}

func (c *checker) sharesOffering(ref Ref) bool {
	offering := int64(-1)
	for _, r := range c.rows[ref] {
		offering = r.Offering
	}
	for _, r := range c.Rows {
		if r.Kind == KindNIC && r.ID == ref.ID && r.Part != ref.Part && r.Offering == offering {
			return true
		}
	}
	return offering == -1
}

// recordsByRef finds the resource that each record bills. Records of a NIC offering name the VM and the offering only.
func (c *checker) recordsByRef() map[Ref][]Record {
	kinds := map[int64]Kind{}
	for _, s := range kindSpecs() {
		if s.recordType != 0 {
			kinds[s.recordType] = s.kind
		}
	}
	type vmOffering struct{ vm, offering int64 }
	nics := map[vmOffering]Ref{}
	for _, r := range c.Rows {
		if r.Kind == KindNIC {
			nics[vmOffering{r.ID, r.Offering}] = r.Ref
		}
	}
	byRef := map[Ref][]Record{}
	for _, rec := range c.Records {
		kind, ok := kinds[rec.Type]
		ref := Ref{Kind: kind, ID: rec.UsageID}
		if kind == KindNIC {
			ref, ok = nics[vmOffering{rec.VMID, rec.OfferingID}]
		}
		if ok {
			byRef[ref] = append(byRef[ref], rec)
		}
	}
	return byRef
}

// windows groups records of one resource by their window, in order of time.
func windows(records []Record) [][]Record {
	byWindow := map[span][]Record{}
	for _, r := range records {
		byWindow[r.window()] = append(byWindow[r.window()], r)
	}
	keys := slices.SortedFunc(maps.Keys(byWindow),
		func(a, b span) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	groups := make([][]Record, 0, len(keys))
	for _, k := range keys {
		groups = append(groups, byWindow[k])
	}
	return groups
}

// text tells the lives of a history; one that goes on does so as of the snapshot's newest usage run.
func (c *checker) text(h *history) string {
	var parts []string
	for _, l := range h.lives {
		end := "now, which is " + stamp(c.Cutoff)
		if l.end != nil {
			end = stamp(*l.end)
		}
		parts = append(parts, stamp(l.start)+" to "+end)
	}
	return strings.Join(parts, ", ")
}

// duplicates is I8. With an earlier snapshot only records written since count.
func (c *checker) duplicates() {
	var last int64
	if c.before != nil {
		for _, r := range c.before.Records {
			last = max(last, r.ID)
		}
	}
	first, seen := map[string]Record{}, map[string]int{}
	for _, r := range c.Records {
		was, dup := first[r.same]
		if seen[r.same]++; !dup {
			first[r.same] = r
			continue
		}
		if r.ID <= last || c.replaced(r) >= seen[r.same] {
			continue
		}
		v := Violation{Invariant: "I8", AccountID: r.AccountID, Table: schemaUsage + ".cloud_usage"}
		v.Expected = fmt.Sprintf("one record of usage type %d, usage id %d, for the window from %s", r.Type, r.UsageID,
			stamp(r.Start))
		v.Seen = fmt.Sprintf("ids %d and %d (%s)", was.ID, r.ID, r.Description)
		if r.Type == UsageNetwork || r.Type == UsageVPC {
			v.Class = ClassDuplicateNetwork
		}
		v.Ref = c.refOf(r)
		c.report(v, nil)
	}
}

// replaced is how many rows, one after the other, a network or VPC had in the record's window: since NETWORK.UPDATE
// closes a row and opens the next (4.19.3, 4.20.1), each of them has a record of its own, in equal words when the state
// is the same.
func (c *checker) replaced(r Record) int {
	if r.Type != UsageNetwork && r.Type != UsageVPC {
		return 0
	}
	rows := c.rows[c.refOf(r)]
	if c.overlap(rows) {
		return 0
	}
	n, window := 0, r.window()
	for _, row := range rows {
		if row.Created.Before(window.to) && (row.Open() || row.Closed.After(window.from)) {
			n++
		}
	}
	return n
}

func (c *checker) refOf(r Record) Ref {
	for _, s := range kindSpecs() {
		if s.recordType == r.Type && s.kind != KindNIC {
			return Ref{Kind: s.kind, ID: r.UsageID}
		}
	}
	return Ref{}
}

// briefHours is up to how many hours a person counts seconds.
const briefHours = 0.1

// HoursText is an amount of hours, in seconds too where it is small.
func HoursText(h float64) string {
	if h >= briefHours {
		return fmt.Sprintf("%.6f hours", h)
	}
	return fmt.Sprintf("%.6f hours (%.0f s)", h, h*time.Hour.Seconds())
}

func recordsText(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}
