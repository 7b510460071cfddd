package audit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// meter tells how far the audit is, by the ids that there are to be looked at.
type meter struct {
	mu    sync.Mutex // several connections wait at the same time
	tell  func(Progress)
	at    Progress
	began time.Time
	last  time.Time
}

// newMeter counts, roughly and at no cost, what there is: the largest id of each large table.
func newMeter(ctx context.Context, o Options, s *site) (*meter, error) {
	m := &meter{tell: o.Progress, began: time.Now()}
	if m.tell == nil {
		m.tell = func(Progress) {}
	}
	for source, tables := range map[*source][]string{s.usage: {"usage_event", "cloud_usage"},
		s.cloud: {"usage_event"}} {
		for _, table := range tables {
			var ids int64
			if err := source.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(id) - MIN(id) + 1, 0) FROM "+source.schema+
				"."+table).
				Scan(&ids); err != nil {
				return nil, source.failed("looking at the size of "+table, err)
			}
			m.at.Total += ids
		}
	}
	tick := func(n int64) { m.add(n) }
	s.cloud.tick, s.usage.tick = tick, tick
	s.cloud.wait, s.usage.wait = m.wait, m.wait
	return m, nil
}

func (m *meter) stage(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at.Stage = name
	m.show()
}

// wait tells that the database has too much to do.
func (m *meter) wait(busy int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at.Busy = busy
	m.show()
	m.at.Busy = 0
}

func (m *meter) add(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at.Done += n
	m.at.Total = max(m.at.Total, m.at.Done)
	if time.Since(m.last) > 200*time.Millisecond {
		m.show()
	}
}

func (m *meter) show() {
	m.last = time.Now()
	if spent := m.last.Sub(m.began); m.at.Done > 0 && spent > time.Second {
		m.at.Remaining = time.Duration(float64(spent) * float64(m.at.Total-m.at.Done) / float64(m.at.Done)).
			Round(time.Second)
	}
	m.tell(m.at)
}

// describe says which site this is.
func (s *site) describe(ctx context.Context, r *Result) error {
	r.Site.Database, r.Site.Taken = s.cloud.config.Addr, s.cloud.taken
	if s.two {
		r.Site.Database += " and " + s.usage.config.Addr
		r.Site.UsageTaken = &s.usage.taken
	}
	if s.cloud.has("version", "id", "version") {
		if err := s.cloud.conn.QueryRowContext(ctx, "SELECT version FROM cloud.version ORDER BY id DESC LIMIT 1").
			Scan(&r.Site.Version); err != nil &&
			!errors.Is(err, sql.ErrNoRows) {
			return s.cloud.failed("reading the version", err)
		}
	}
	var err error
	r.Site.Fingerprint, err = s.fingerprint(ctx)
	return err
}

// fingerprint is made of what a site has once and keeps: the uuids of its first accounts and zones.
func (s *site) fingerprint(ctx context.Context) (string, error) {
	var parts []string
	for _, table := range []string{"account", "data_center", "domain"} {
		if !s.cloud.has(table, "id", "uuid") {
			continue
		}
		query := "SELECT id, COALESCE(uuid, '') FROM cloud." + table + " ORDER BY id LIMIT 3"
		err := s.cloud.each(ctx, query, func(scan func(...any) error) error {
			var id int64
			var uuid string
			if err := scan(&id, &uuid); err != nil {
				return err
			}
			parts = append(parts, fmt.Sprintf("%s %d %s", table, id, uuid))
			return nil
		})
		if err != nil {
			return "", s.cloud.failed("reading "+table, err)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:8]), nil
}
