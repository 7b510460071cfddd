package audit

import (
	"cmp"
	"math"
	"slices"
	"sort"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ledgerLine is what is kept of a finding to find its records.
type ledgerLine struct {
	kind    int
	key     key
	owner   uint32
	offer   uint32
	verdict usageprobe.Judgement
}

// moneyLine is a resource with a finding: for how long it was to be billed, and for how long it was.
type moneyLine struct {
	Lives   []usageprobe.Span
	finding int // the first one of the resource
	Months  []monthSum
	// The window at hand: several records may belong to it (a resized volume, a network that changed).
	From, To usageprobe.Moment
	Hours    float64
	Until    usageprobe.Moment // billed so far
}

type monthSum struct {
	Month           month
	Billed, Surplus float64 // hours: rightly billed, and too much
}

// slack is how far hours may differ without meaning anything: two seconds.
const slack = 2.0 / 3600

// bill adds one record to its resource.
func (m *moneyLine) bill(r *record) {
	if m.From != r.from || m.To != r.to {
		if r.from < m.Until { // a later run billed that time again, which is a repetition and no leak
			return
		}
		m.Until = r.to
		m.From, m.To, m.Hours = r.from, r.to, 0
	}
	right := 0.0
	for _, s := range m.Lives {
		right += float64(s.Within(r.from, r.to)) / 3600
	}
	sum := m.of(monthOf(r.from))
	before := m.Hours
	m.Hours += r.hours
	sum.Billed += min(m.Hours, right) - min(before, right)
	sum.Surplus += over(m.Hours, right) - over(before, right)
}

func over(hours, right float64) float64 {
	if hours-right < slack {
		return 0
	}
	return hours - right
}

func (m *moneyLine) of(at month) *monthSum {
	i, found := sort.Find(len(m.Months), func(i int) int { return cmp.Compare(at, m.Months[i].Month) })
	if !found {
		m.Months = slices.Insert(m.Months, i, monthSum{Month: at})
	}
	return &m.Months[i]
}

// linesOf are the resources that findings belong to, by what their records are known by.
func (a *accounting) linesOf() {
	a.Lines = map[recordKey]*moneyLine{}
	for i := range a.result.Findings {
		l := a.result.Findings[i].money
		s := a.stores[l.kind]
		if s.RecordType == 0 || s.Loose ||
			l.verdict.Verdict == usageprobe.AuditOpenNoDeleteEvent { // nobody knows when that died
			continue
		}
		k := recordKey{UsageType: s.RecordType, Account: l.owner, ID: l.key.id, Part: l.key.part}
		if s.Kind == usageprobe.KindNIC {
			k.Part = l.offer
		}
		if a.Lines[k] != nil {
			continue
		}
		a.Lines[k] = &moneyLine{finding: i}
		if s.Kind != usageprobe.KindNIC {
			a.Lines[k].Lives = a.livesOf(s, s.find(l.key))
		}
	}
	nics := a.store(usageprobe.KindNIC)
	if nics == nil {
		return
	}
	for i := uint32(1); i < nics.resources.n; i++ { // records of a VM's NICs with one offering are one
		r := nics.resources.at(i)
		if line := a.Lines[recordKey{nics.RecordType, r.owner, r.id, r.offer}]; line != nil {
			line.Lives = append(line.Lives, a.livesOf(nics, r)...)
		}
	}
}

func (a *accounting) livesOf(s *store, r *resource) []usageprobe.Span {
	return usageprobe.Subject{Happenings: s.happenings(r, nil), Rows: s.meterings(r, nil), Life: s.lifeOf(r)}.Lives()
}

// covered is the time that records cover: the windows that occur, without what two of them have in common.
type covered struct {
	from, to []usageprobe.Moment
	sum      []int64 // seconds before each
}

func (a *accounting) covered() covered {
	windows := make([][2]usageprobe.Moment, 0, len(a.Stretches))
	for _, s := range a.Stretches {
		windows = append(windows, [2]usageprobe.Moment{s.From, s.To})
	}
	slices.SortFunc(
		windows,
		func(x, y [2]usageprobe.Moment) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) },
	)
	var c covered
	var total int64
	for _, w := range windows {
		if n := len(c.to); n > 0 {
			w[0] = max(w[0], c.to[n-1])
		}
		if w[0] >= w[1] {
			continue
		}
		c.from, c.to, c.sum = append(c.from, w[0]), append(c.to, w[1]), append(c.sum, total)
		total += int64(w[1] - w[0])
	}
	c.sum = append(c.sum, total)
	return c
}

// before is how many seconds before a moment are covered.
func (c covered) before(at usageprobe.Moment) int64 {
	i := sort.Search(len(c.from), func(i int) bool { return c.from[i] >= at })
	if i == 0 {
		return 0
	}
	return c.sum[i-1] + int64(min(c.to[i-1], at)-c.from[i-1])
}

// months calls each month of a span that is covered, with the hours that are to be billed in it. A window belongs to
// the month in which it begins.
func (c covered) months(s usageprobe.Span, each func(m month, hours float64)) {
	if len(c.from) == 0 {
		return
	}
	from, to := max(s.From, c.from[0]), c.to[len(c.to)-1]
	if s.To != 0 {
		to = min(to, s.To)
	}
	for from < to {
		i := sort.Search(len(c.to), func(i int) bool { return c.to[i] > from })
		if i == len(c.to) {
			return
		}
		m := monthOf(c.from[i])
		last := sort.Search(len(c.from), func(i int) bool { return c.from[i] >= (m + 1).begin() })
		until := min(to, c.to[last-1])
		each(m, float64(c.before(until)-c.before(from))/3600)
		from = until
	}
}

type moneyKey struct {
	account   uint32
	usageType int64
	month     month
}

// settle turns what was billed into surplus and deficit: of each finding, and by account, month and type.
func (a *accounting) settle() {
	sums := map[moneyKey]*Money{}
	of := func(account uint32, usageType int64, m month) *Money {
		k := moneyKey{account, usageType, m}
		if sums[k] == nil {
			sums[k] = &Money{
				AccountID: int64(account),
				Account:   a.names[account],
				Month:     m.String(),
				UsageType: usageType,
			}
		}
		return sums[k]
	}
	times := a.covered()
	for k, line := range a.Lines {
		f := &a.result.Findings[line.finding]
		due := map[month]float64{}
		for _, s := range line.Lives {
			times.months(s, func(m month, hours float64) { due[m] += hours })
		}
		for _, m := range line.Months {
			if m.Surplus > 0 {
				f.SurplusHours += m.Surplus
				of(k.Account, k.UsageType, m.Month).SurplusHours += m.Surplus
			}
			due[m.Month] -= m.Billed
		}
		for m, hours := range due {
			if hours > slack {
				f.DeficitHours += hours
				of(k.Account, k.UsageType, m).DeficitHours += hours
			}
		}
		f.SurplusHours, f.DeficitHours = round(f.SurplusHours), round(f.DeficitHours)
	}
	for k, r := range a.repeats {
		of(k.account, k.usageType, k.month).RepeatedHours += r.Hours
	}
	for _, m := range sums {
		m.SurplusHours, m.DeficitHours, m.RepeatedHours = round(
			m.SurplusHours,
		), round(
			m.DeficitHours,
		), round(
			m.RepeatedHours,
		)
		a.result.Money = append(a.result.Money, *m)
	}
	slices.SortFunc(a.result.Money, func(x, y Money) int {
		return cmp.Or(
			cmp.Compare(x.AccountID, y.AccountID),
			cmp.Compare(x.Month, y.Month),
			cmp.Compare(x.UsageType, y.UsageType),
		)
	})
}

func round(hours float64) float64 { return math.Round(hours*1e6) / 1e6 }
