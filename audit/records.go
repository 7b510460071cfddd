package audit

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// recordKey names what a record bills, as far as its columns tell.
type recordKey struct {
	usageType         int64
	account, id, part uint32
}

// record is what is kept of a row of cloud_usage while it passes by.
type record struct {
	id          int64
	hours       float64
	from, to    usageprobe.Moment // half-open
	usageType   int64
	account     uint32
	usageID     uint32
	vm, offer   uint32
	zone        uint32
	fingerprint uint64
}

// stretch is a run of records with ids that follow one another and one window. A window that comes again in another
// stretch was billed by a second run.
type stretch struct {
	from, to    usageprobe.Moment
	first, last int64
	records     int64
	repeated    []repeat // within the stretch
}

// repeat sums up records that are there already, by account and type.
type repeat struct {
	account   uint32
	usageType int64
	month     month
	count     int64
	hours     float64
	example   [2]int64 // ids
}

// month is years*12 + months - 1, in GMT.
type month int32

func monthOf(m usageprobe.Moment) month {
	t := m.Time()
	return month(t.Year()*12 + int(t.Month()) - 1) // years are small
}

func (m month) String() string { return fmt.Sprintf("%04d-%02d", m/12, m%12+1) }

func (m month) begin() usageprobe.Moment {
	return usageprobe.Moment(time.Date(int(m/12), time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC).Unix())
}

// accounting goes through all records once.
type accounting struct {
	*judging
	lines     map[recordKey]*moneyLine
	seed      maphash.Seed
	seen      map[uint64]int64 // fingerprints of the current stretch
	stretches []stretch
	repeats   map[repeatKey]*repeat
	tooLong   int
	longLines []string
	read      int64
}

type repeatKey struct {
	account   uint32
	usageType int64
	month     month
}

// Usage types whose raw_usage is no time, or a sum over several things (UsageSanityChecker.java@4.20.0.0 leaves out
// 4, 5 and 13).
func isTime(usageType int64) bool {
	return !slices.Contains([]int64{4, 5, 13, 21, 22, 23, 24, 29}, usageType)
}

// recordColumns are the times and ids, and then all columns in which two records of one thing and one window may
// rightly differ: who agrees in all of them is there twice. Those are left as they are, because CONCAT_WS passes
// NULL by, and the server spends most of its time on expressions.
func (a *accounting) recordColumns() []string {
	u := a.usage
	columns := []string{
		"raw_usage",
		"TO_SECONDS(start_date)",
		"TO_SECONDS(end_date)",
		"usage_type",
		"account_id",
		number("usage_id"),
		"zone_id",
		u.either(
			"cloud_usage",
			"vm_instance_id",
			number("vm_instance_id"),
			"0",
		),
		u.either("cloud_usage", "offering_id", number("offering_id"), "0"),
	}
	for _, name := range []string{"template_id", "size", "type", "network_id", "virtual_size", "cpu_speed", "cpu_cores",
		"memory", "state"} {
		if u.has("cloud_usage", name) {
			columns = append(columns, "`"+name+"`")
		}
	}
	return append(columns, "IF(usage_type IN (4, 5, 21, 22, 23, 24, 29), description, NULL)")
}

// year1970 is TO_SECONDS of the beginning of 1970.
const year1970 = 62167219200

func (a *accounting) parse(id int64, f *fields) record {
	r := record{id: id}
	text := f.text()
	var err error
	if r.hours, err = strconv.ParseFloat(string(text), 64); err != nil {
		f.fail(text)
	}
	r.fingerprint = maphash.Bytes(a.seed, f.rest)
	r.from, r.to = usageprobe.Moment(
		f.int()-year1970,
	), usageprobe.Moment(
		f.int()-year1970+1,
	) // the end is the last second
	r.usageType, r.account = f.int(), f.id()
	r.usageID, r.zone, r.vm, r.offer = lowID(f.int()), lowID(f.int()), lowID(f.int()), lowID(f.int())
	return r
}

// lowID is an id, or 0 for one that is none (a bucket's host is -1 on some releases).
func lowID(n int64) uint32 {
	if n < 0 || n > 1<<32-1 {
		return 0
	}
	return uint32(n)
}

// key is the resource that a record bills.
func (r *record) key() recordKey {
	k := recordKey{usageType: r.usageType, account: r.account, id: r.usageID}
	switch r.usageType {
	case usageprobe.UsageVolume:
		k.part = r.vm
	case usageprobe.UsageNetworkOffering:
		k.id, k.part = r.vm, r.offer
	case 7, 8: // a template or an ISO in a zone
		k.part = r.zone
	}
	return k
}

// pass reads all records after an id.
func (a *accounting) pass(ctx context.Context, after int64, between func(last int64) error) error {
	return a.usage.scanFrom(ctx, "cloud_usage", a.recordColumns(), "", after, func(id int64, f *fields) error {
		r := a.parse(id, f)
		a.read++
		again := a.window(&r)
		if line := a.lines[r.key()]; line != nil && !again {
			line.bill(&r)
		}
		if isTime(r.usageType) {
			a.length(&r)
		}
		return nil
	}, between)
}

// window follows the stretches and notes what is there twice within one; it answers whether this record is.
func (a *accounting) window(r *record) bool {
	last := len(a.stretches) - 1
	if last < 0 || a.stretches[last].from != r.from || a.stretches[last].to != r.to {
		a.stretches = append(a.stretches, stretch{from: r.from, to: r.to, first: r.id})
		last++
		clear(a.seen)
	}
	s := &a.stretches[last]
	s.last = r.id
	s.records++
	first, there := a.seen[r.fingerprint]
	if !there {
		a.seen[r.fingerprint] = r.id
		return false
	}
	s.repeated = addRepeat(s.repeated, r, first)
	return true
}

func addRepeat(all []repeat, r *record, first int64) []repeat {
	m := monthOf(r.from)
	i := slices.IndexFunc(
		all,
		func(x repeat) bool { return x.account == r.account && x.usageType == r.usageType && x.month == m },
	)
	if i < 0 {
		all, i = append(
			all,
			repeat{account: r.account, usageType: r.usageType, month: m, example: [2]int64{first, r.id}},
		), len(
			all,
		)
	}
	all[i].count++
	if isTime(r.usageType) || r.usageType == usageprobe.UsageNetworkOffering {
		all[i].hours += r.hours
	}
	return all
}

// length notes records that bill more time than their window has. One second and the rounding of 32-bit hours are
// allowed.
func (a *accounting) length(r *record) {
	window := float64(r.to-r.from) / 3600
	if r.hours <= window*(1+1e-5)+1.0/3600 {
		return
	}
	a.tooLong++
	if len(a.longLines) < evidenceLines {
		a.longLines = append(
			a.longLines,
			fmt.Sprintf("record %d: usage type %d of account %d, id %d: %.4f h in a window of %.4f h from %s",
				r.id, r.usageType, r.account, r.usageID, r.hours, window, r.from.Time().Format(time.DateTime)),
		)
	}
}

// repetitions sums up what is there more than once, windows that several runs have billed included: these are read
// again.
func (a *accounting) repetitions(ctx context.Context) error {
	a.repeats = map[repeatKey]*repeat{}
	byWindow := map[[2]usageprobe.Moment][]int{}
	for i, s := range a.stretches {
		w := [2]usageprobe.Moment{s.from, s.to}
		byWindow[w] = append(byWindow[w], i)
	}
	for _, s := range a.stretches {
		if len(byWindow[[2]usageprobe.Moment{s.from, s.to}]) == 1 {
			a.sum(s.repeated)
		}
	}
	windows := make([][2]usageprobe.Moment, 0)
	for w, in := range byWindow {
		if len(in) > 1 {
			windows = append(windows, w)
		}
	}
	slices.SortFunc(windows, func(x, y [2]usageprobe.Moment) int { return int(x[0] - y[0]) })
	for _, w := range windows {
		if err := a.again(ctx, byWindow[w]); err != nil {
			return err
		}
	}
	return nil
}

// again reads the stretches of one window and compares them.
func (a *accounting) again(ctx context.Context, in []int) error {
	clear(a.seen)
	query := "SELECT CONCAT_WS(CHAR(31), t.id, " + strings.Join(
		a.recordColumns(),
		", ",
	) + ") FROM cloud_usage.cloud_usage t WHERE t.id > ? AND t.id <= ? ORDER BY t.id"
	var found []repeat
	for _, i := range in {
		s := a.stretches[i]
		for from := s.first - 1; from < s.last; from = min(from+a.usage.batch, s.last) {
			if err := a.usage.breathe(ctx); err != nil {
				return err
			}
			_, err := a.usage.part(ctx, query, from, min(from+a.usage.batch, s.last), func(id int64, f *fields) error {
				r := a.parse(id, f)
				if first, there := a.seen[r.fingerprint]; there {
					found = addRepeat(found, &r, first)
				} else {
					a.seen[r.fingerprint] = r.id
				}
				return nil
			})
			if err != nil {
				return a.usage.failed("reading records again", err)
			}
		}
	}
	a.sum(found)
	return nil
}

func (a *accounting) sum(found []repeat) {
	for _, r := range found {
		k := repeatKey{r.account, r.usageType, r.month}
		if a.repeats[k] == nil {
			a.repeats[k] = &repeat{account: r.account, usageType: r.usageType, month: r.month, example: r.example}
		}
		a.repeats[k].count += r.count
		a.repeats[k].hours += r.hours
	}
}
