package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// recordKey names what a record bills, as far as its columns tell.
type recordKey struct {
	UsageType         int64
	Account, ID, Part uint32
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
	From, To    usageprobe.Moment
	First, Last int64
	Repeated    []repeat // within the stretch
}

// repeat sums up records that are there already, by account and type.
type repeat struct {
	Account   uint32
	UsageType int64
	Month     month
	Count     int64
	Hours     float64
	Example   [2]int64 // ids
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
	counted
	repeats map[repeatKey]*repeat
}

// counted is what the records so far have told. A checkpoint keeps it.
type counted struct {
	Lines     map[recordKey]*moneyLine
	Seen      map[uint64]int64 // fingerprints of the current stretch
	Stretches []stretch
	TooLong   int
	LongLines []string
	Read      int64
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
		"start_date",
		"end_date",
		"usage_type",
		"account_id",
		number("usage_id"),
		"zone_id",
		u.either("cloud_usage", "vm_instance_id", number("vm_instance_id"), "0"),
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

// recordReader parses records. One is for one goroutine: it remembers the dates of the record before, because a window
// has many records.
type recordReader struct {
	from, to dateText
}

// dateText is a date and the text that it was read from.
type dateText struct {
	text []byte
	at   usageprobe.Moment
}

func (d *dateText) read(f *fields) usageprobe.Moment {
	text := f.text()
	if bytes.Equal(text, d.text) {
		return d.at
	}
	t, err := time.Parse(time.DateTime, string(text)) // a fraction of a second is read too
	if err != nil {
		f.fail(text)
		return 0
	}
	d.text, d.at = append(d.text[:0], text...), usageprobe.MomentOf(t)
	return d.at
}

func (p *recordReader) parse(id int64, f *fields) record {
	r := record{id: id}
	text := f.text()
	var err error
	if r.hours, err = strconv.ParseFloat(string(text), 64); err != nil {
		f.fail(text)
	}
	r.fingerprint = xxhash.Sum64(f.rest)
	r.from, r.to = p.from.read(f), p.to.read(f)+1 // the end is the last second
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
	k := recordKey{UsageType: r.usageType, Account: r.account, ID: r.usageID}
	switch r.usageType {
	case usageprobe.UsageVolume:
		k.Part = r.vm
	case usageprobe.UsageNetworkOffering:
		k.ID, k.Part = r.vm, r.offer
	case 7, 8: // a template or an ISO in a zone
		k.Part = r.zone
	}
	return k
}

// pass reads all records after an id; between is told the last id of each part that was counted.
func (a *accounting) pass(ctx context.Context, after int64, between func(last int64) error) error {
	readers, done, err := a.usage.readers(ctx)
	if err != nil {
		return err
	}
	newReader := func() func(int64, *fields) record { return new(recordReader).parse }
	err = inOrder(ctx, a.usage, readers, query{"cloud_usage", a.recordColumns(), after}, newReader,
		func(records []record, last int64) error {
			for i := range records {
				a.count(&records[i])
			}
			return between(last)
		})
	return errors.Join(err, done())
}

func (a *accounting) count(r *record) {
	a.Read++
	again := a.window(r)
	if line := a.Lines[r.key()]; line != nil && !again {
		line.bill(r)
	}
	if isTime(r.usageType) {
		a.length(r)
	}
}

// window follows the stretches and notes what is there twice within one; it answers whether this record is.
func (c *counted) window(r *record) bool {
	last := len(c.Stretches) - 1
	if last < 0 || c.Stretches[last].From != r.from || c.Stretches[last].To != r.to {
		c.Stretches = append(c.Stretches, stretch{From: r.from, To: r.to, First: r.id})
		last++
		clear(c.Seen)
	}
	s := &c.Stretches[last]
	s.Last = r.id
	first, there := c.Seen[r.fingerprint]
	if !there {
		c.Seen[r.fingerprint] = r.id
		return false
	}
	s.Repeated = addRepeat(s.Repeated, r, first)
	return true
}

func addRepeat(all []repeat, r *record, first int64) []repeat {
	m := monthOf(r.from)
	i := slices.IndexFunc(all, func(x repeat) bool {
		return x.Account == r.account && x.UsageType == r.usageType && x.Month == m
	})
	if i < 0 {
		i = len(all)
		all = append(all, repeat{Account: r.account, UsageType: r.usageType, Month: m, Example: [2]int64{first, r.id}})
	}
	all[i].Count++
	if isTime(r.usageType) || r.usageType == usageprobe.UsageNetworkOffering {
		all[i].Hours += r.hours
	}
	return all
}

// length notes records that bill more time than their window has. One second and the rounding of 32-bit hours are
// allowed.
func (c *counted) length(r *record) {
	window := float64(r.to-r.from) / 3600
	if r.hours <= window*(1+1e-5)+1.0/3600 {
		return
	}
	c.TooLong++
	if len(c.LongLines) < evidenceLines {
		c.LongLines = append(
			c.LongLines,
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
	for i, s := range a.Stretches {
		w := [2]usageprobe.Moment{s.From, s.To}
		byWindow[w] = append(byWindow[w], i)
	}
	for _, s := range a.Stretches {
		if len(byWindow[[2]usageprobe.Moment{s.From, s.To}]) == 1 {
			a.sum(s.Repeated)
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
	clear(a.Seen)
	text := query{"cloud_usage", a.recordColumns(), 0}.text(a.usage, "")
	var reader recordReader
	var found []repeat
	for _, i := range in {
		s := a.Stretches[i]
		for from := s.First - 1; from < s.Last; from = min(from+a.usage.batch, s.Last) {
			if err := a.usage.breathe(ctx); err != nil {
				return err
			}
			_, err := a.usage.part(ctx, text, from, min(from+a.usage.batch, s.Last), func(id int64, f *fields) error {
				r := reader.parse(id, f)
				if first, there := a.Seen[r.fingerprint]; there {
					found = addRepeat(found, &r, first)
				} else {
					a.Seen[r.fingerprint] = r.id
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
		k := repeatKey{r.Account, r.UsageType, r.Month}
		if a.repeats[k] == nil {
			a.repeats[k] = &repeat{Account: r.Account, UsageType: r.UsageType, Month: r.Month, Example: r.Example}
		}
		a.repeats[k].Count += r.Count
		a.repeats[k].Hours += r.Hours
	}
}
