package audit

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ledger is all that is kept in memory of a site's events and helper rows.
type ledger struct {
	*site
	stores     []*store
	events     chunks[happening]
	types      map[string][]effect // of usage events
	cutoff     usageprobe.Moment   // end of the newest successful job
	lastCopied int64
	lost       map[int64]bool // events of cloud that were never copied
	stalled    []int64        // ids, ascending
	pending    int
	copied     int64
	unread     []string // tables that were not there or not readable
}

// effect is what an event type does to a kind.
type effect struct {
	kind int
	act  usageprobe.Act
}

func newLedger(s *site) *ledger {
	l := &ledger{site: s, types: map[string][]effect{}, lost: map[int64]bool{}}
	for _, m := range usageprobe.Meters() {
		if m.Table == "" || !s.usage.has(m.Table, "id", m.IDColumn, "account_id", m.OpenedAt, m.ClosedAt) ||
			m.PartColumn != "" && !s.usage.has(m.Table, m.PartColumn) {
			if m.Kind != usageprobe.KindVolumeOfVM { // a model that older schemas do not have
				if name := schemaUsage + "." + m.Table; !slices.Contains(l.unread, name) {
					l.unread = append(l.unread, name)
				}
			}
			continue
		}
		if m.Kind == usageprobe.KindVolume && s.usage.has(m.Table, "vm_id") {
			m.Where = "vm_id IS NULL"
		}
		if m.Kind == usageprobe.KindVolumeOfVM {
			m.Where = "vm_id IS NOT NULL"
		}
		number := len(l.stores)
		l.stores = append(
			l.stores,
			&store{Meter: m, number: number, index: map[key]uint32{}, parts: map[key][]uint32{}, events: &l.events},
		)
		for _, list := range [][]string{m.Opens, m.Closes, m.Changes} {
			for _, name := range list {
				if l.act(name, number) == 0 {
					l.types[name] = append(l.types[name], effect{number, m.Act(name)})
				}
			}
		}
	}
	return l
}

func (l *ledger) act(name string, kind int) usageprobe.Act {
	for _, e := range l.types[name] {
		if e.kind == kind {
			return e.act
		}
	}
	return 0
}

func (l *ledger) store(kind usageprobe.Kind) *store {
	for _, s := range l.stores {
		if s.Kind == kind {
			return s
		}
	}
	return nil
}

// loadRows reads the helper tables. They come before the events, so that what only closes or changes is kept for
// resources that are known.
func (l *ledger) loadRows(ctx context.Context) error {
	for _, s := range l.stores {
		if s.Loose && s.Kind == usageprobe.KindBackup && !l.usage.has(s.Table, "removed") {
			continue
		}
		part, offer := "0", "0"
		if s.PartColumn != "" {
			part = number(s.PartColumn)
		}
		if s.Kind == usageprobe.KindNIC {
			offer = number("network_offering_id")
		}
		columns := []string{
			number("account_id"),
			number(s.IDColumn),
			part,
			offer,
			seconds(s.OpenedAt),
			seconds(s.ClosedAt),
		}
		err := l.usage.scan(ctx, s.Table, columns, s.Where, func(id int64, f *fields) error {
			account, resourceID, part, offer := f.id(), f.id(), f.id(), f.id()
			opened, closed := f.id(), f.id()
			r := s.get(s.key(account, resourceID, part))
			r.owner, r.offer, r.hasRow = account, offer, true
			r.row = s.rows.add(
				metering{before: r.row, id: uint32(id), opened: opened, closed: closed},
			) // see fields.id
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadEvents reads the events that move a metered thing: the copies in cloud_usage with how far the usage server has
// come, and of cloud those that it did not copy.
func (l *ledger) loadEvents(ctx context.Context) error {
	if err := l.usage.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM cloud_usage.usage_event").
		Scan(&l.lastCopied); err != nil {
		return l.usage.failed("reading the last copied event", err)
	}
	there := map[int64]idSum{}
	err := l.usage.scan(ctx, "usage_event", eventColumns(l.usage, "processed"), "", func(id int64, f *fields) error {
		l.copied++
		sum := there[(id-1)/l.cloud.batch]
		there[(id-1)/l.cloud.batch] = idSum{sum.count + 1, sum.ids + id}
		return l.event(id, f.int() != 0, true, f)
	})
	if err != nil {
		return err
	}
	return l.loadUncopied(ctx, there)
}

func eventColumns(s *source, processed string) []string {
	return []string{
		processed,
		"account_id",
		"TO_SECONDS(created)",
		number("resource_id"),
		number("zone_id"),
		s.either("usage_event", "vm_id", number("vm_id"), "0"),
		"type",
		"IF(type LIKE 'NETWORK.%', resource_name, NULL)",
	}
}

// event adds one event to the resources that it moves.
func (l *ledger) event(id int64, processed, copied bool, f *fields) error {
	account, at, resourceID := f.id(), lowID(f.int()-year1970), f.id()
	zone, vm := f.int(), f.id()
	effects := l.types[string(f.text())]
	standing := usageprobe.Standing(id, usageprobe.Moment(at), copied, processed, l.cutoff, l.lastCopied)
	switch {
	case standing&usageprobe.ActStalled != 0:
		l.stalled = append(l.stalled, id)
	case standing&usageprobe.ActLost != 0:
		l.lost[id] = true
	case standing&usageprobe.ActPending != 0:
		l.pending++
	}
	if len(effects) == 0 {
		return nil
	}
	name := f.text()
	for _, e := range effects {
		s, part := l.stores[e.kind], uint32(0)
		switch s.PartOf {
		case usageprobe.PartName:
			n, err := strconv.ParseUint(string(name), 10, 32)
			if err != nil {
				continue // an event of releases that named no NIC
			}
			part = uint32(n)
		case usageprobe.PartZone:
			part = uint32(max(0, zone)) // zones are few
		case usageprobe.PartVM:
			if vm == 0 && e.act&usageprobe.ActOpen != 0 {
				continue // not attached
			}
			part = vm
		}
		l.keep(
			s,
			s.key(account, resourceID, part),
			account,
			happening{at: at, idAct: uint64(id) | uint64(e.act|standing)<<56},
		) // ids are positive
	}
	return nil
}

// keep adds an event to a resource. What only closes or changes needs a resource that is known; but the close of a
// rule is kept always, because it may have closed the row of another one.
func (l *ledger) keep(s *store, k key, owner uint32, h happening) {
	act := usageprobe.Act(h.idAct >> 56)
	if s.PartOf == usageprobe.PartVM && k.part == 0 {
		l.detach(s, k, h)
		return
	}
	r := s.find(k)
	if r == nil {
		if act&usageprobe.ActOpen == 0 && !(s.ByHelperID && s.Kind != usageprobe.KindUpload) {
			return
		}
		r = s.get(k)
	}
	if !r.hasRow {
		r.owner = owner
	}
	h.before = r.event
	r.event = l.events.add(h)
}

// detach is the end of a volume: it ends what every VM is billed for it.
func (l *ledger) detach(s *store, k key, h happening) {
	for _, i := range s.parts[key{account: k.account, id: k.id}] {
		r := s.resources.at(i)
		h.before = r.event
		r.event = l.events.add(h)
	}
}

// idSum is how many ids a range of batch ids has, and their sum.
type idSum struct{ count, ids int64 }

// loadUncopied finds the events of cloud that cloud_usage does not have: those that came after the last run, and
// those that it passed by (UB-50). there are the sums of cloud_usage, by number of the range: only ranges that differ
// are read. That also works where the schemas are on two servers.
func (l *ledger) loadUncopied(ctx context.Context, there map[int64]idSum) error {
	var first, last int64
	if err := l.cloud.conn.QueryRowContext(ctx,
		"SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM cloud.usage_event").
		Scan(&first, &last); err != nil {
		return l.cloud.failed("reading the events of cloud", err)
	}
	batch := l.cloud.batch
	for from := max(0, first-1) / batch * batch; from < last; from += batch {
		if err := l.cloud.breathe(ctx); err != nil {
			return err
		}
		var here idSum
		if err := l.cloud.conn.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(id), 0) FROM cloud.usage_event "+
			"WHERE id > ? AND id <= ?", from, from+batch).Scan(&here.count, &here.ids); err != nil {
			return l.cloud.failed("counting events", err)
		}
		if here != there[from/batch] {
			if err := l.difference(ctx, from, from+batch); err != nil {
				return err
			}
		}
		if l.cloud.tick != nil {
			l.cloud.tick(min(from+batch, last) - max(from, first-1))
		}
	}
	return nil
}

func (l *ledger) difference(ctx context.Context, from, to int64) error {
	have := map[int64]bool{}
	_, err := l.usage.part(
		ctx,
		"SELECT CONCAT_WS(CHAR(31), id) FROM cloud_usage.usage_event WHERE id > ? AND id <= ? ORDER BY id",
		from,
		to,
		func(id int64, _ *fields) error {
			have[id] = true
			return nil
		},
	)
	if err != nil {
		return l.usage.failed("comparing events", err)
	}
	columns := strings.Join(eventColumns(l.cloud, "0"), ", ")
	_, err = l.cloud.part(
		ctx,
		"SELECT CONCAT_WS(CHAR(31), id, "+columns+") FROM cloud.usage_event WHERE id > ? AND id <= ? ORDER BY id",
		from,
		to,
		func(id int64, f *fields) error {
			if have[id] {
				return nil
			}
			f.int()
			return l.event(id, false, false, f)
		},
	)
	if err != nil {
		return l.cloud.failed("comparing events", err)
	}
	return nil
}

// liveSource is how the living resources of a kind are found in cloud.
type liveSource struct {
	kinds   []usageprobe.Kind
	table   string
	needs   []string
	columns []string // after the account and the id
	where   string
	// each tells the life of a resource; ok false: it is not one of the kind's.
	each func(f *fields, found func(kind usageprobe.Kind, part uint32, life usageprobe.Life))
	// absent is the life of who is not listed.
	absent usageprobe.Life
	// mayBeEmpty: its rows are really deleted. Other tables keep what was removed: one without any row was not
	// copied with the rest.
	mayBeEmpty  bool
	id, account string // expressions, where they are not the table's own columns
}

// errUnread says that a table of cloud is not readable: its kinds are judged by their events alone.
var errUnread = errors.New("not readable")

func (l *ledger) loadLive(ctx context.Context) error {
	for _, live := range l.liveSources() {
		err := l.live(ctx, live)
		if errors.Is(err, errUnread) {
			if name := schemaCloud + "." + live.table; !slices.Contains(l.unread, name) {
				l.unread = append(l.unread, name)
			}
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) live(ctx context.Context, live liveSource) error {
	if !l.cloud.has(live.table, append(live.needs, "id")...) {
		return errUnread
	}
	if !live.mayBeEmpty {
		var last int64
		if err := l.cloud.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM cloud."+live.table).
			Scan(&last); err != nil {
			return l.cloud.failed("reading cloud."+live.table, err)
		}
		if last == 0 {
			return errUnread
		}
	}
	id := "t.id"
	if live.id != "" {
		id = live.id
	}
	account := live.account
	switch {
	case account != "":
	case l.cloud.has(live.table, "account_id"):
		account = number("account_id")
	default:
		account = number("owner_id")
	}
	for _, kind := range live.kinds {
		if s := l.store(kind); s != nil && live.absent == usageprobe.Dead {
			s.liveRead = true
		}
	}
	columns := append([]string{account, number(id)}, live.columns...)
	return l.cloud.scan(ctx, live.table, columns, live.where, func(_ int64, f *fields) error {
		account, id := f.id(), f.id()
		live.each(f, func(kind usageprobe.Kind, part uint32, life usageprobe.Life) {
			s := l.store(kind)
			if s == nil {
				return
			}
			k := s.key(account, id, part)
			r := s.find(k)
			if r == nil && life == usageprobe.Alive && unmeteredMatters(kind) {
				r = s.get(k)
				r.owner = account
			}
			if r != nil && r.life != usageprobe.Alive {
				r.life = life
			}
		})
		return nil
	})
}

// unmeteredMatters says that a living resource without any row and event is a finding: such rules are always
// metered, and a VPC that was there before usage_vpc never is (facts: no step of an upgrade fills that table).
func unmeteredMatters(kind usageprobe.Kind) bool {
	return kind == usageprobe.KindLB || kind == usageprobe.KindPF || kind == usageprobe.KindVPC
}
