package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// query is what is read of a table, in order of id, after an id. expressions must not be NULL.
type query struct {
	table       string
	expressions []string
	after       int64
}

// text is the statement; its parameters are the id before the first and the last one.
func (q query) text(s *source, where string) string {
	condition := ""
	if where != "" {
		condition = " AND (" + where + ")"
	}
	return fmt.Sprintf("SELECT CONCAT_WS(CHAR(31), t.id%s) FROM %s.%s t WHERE t.id > ? AND t.id <= ?%s ORDER BY t.id",
		strings.Join(append([]string{""}, q.expressions...), ", "), s.schema, q.table, condition)
}

// readers are the snapshot and, where the server allows another connection, a second one for tables whose rows never
// change. The second is a moment younger: it is used only if it begins with the same record, because a site may
// remove old ones.
func (s *source) readers(ctx context.Context) (all []*sql.Conn, done func() error, err error) {
	all, done = []*sql.Conn{s.conn}, func() error { return nil }
	second := *s
	if err := second.open(ctx); err != nil {
		if second.conn != nil {
			_ = second.conn.Close() // one connection will do
		}
		return all, done, context.Cause(ctx)
	}
	done = func() error {
		_, err := second.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		if err != nil && gone(err) {
			err = nil
		}
		return errors.Join(err, second.conn.Close())
	}
	first, err := s.firstRecord(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	if other, err := second.firstRecord(ctx); err == nil && other == first {
		all = append(all, second.conn)
	}
	return all, done, nil
}

// firstRecord is the smallest id in cloud_usage, 0 when there is none.
func (s *source) firstRecord(ctx context.Context) (id int64, err error) {
	err = s.conn.QueryRowContext(ctx, "SELECT COALESCE(MIN(id), 0) FROM cloud_usage.cloud_usage").Scan(&id)
	if err != nil {
		return 0, s.failed("looking for the first record", err)
	}
	return id, nil
}

// portionSize is how many ids one portion covers at most: some are in memory at the same time.
const portionSize = 50_000

// portion is what one statement has brought.
type portion[T any] struct {
	rows []T
	last int64
	err  error
}

// ranges hands out ranges of ids in order, and keeps the order of their answers.
type ranges[T any] struct {
	mu         sync.Mutex
	from, last int64
	size       int64
	answers    chan chan portion[T] // one a range, in order
}

// next answers false at the end, or when nobody wants more.
func (r *ranges[T]) next(ctx context.Context) (from, to int64, answer chan portion[T], more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from >= r.last {
		return 0, 0, nil, false
	}
	answer = make(chan portion[T], 1)
	select {
	case r.answers <- answer:
	case <-ctx.Done():
		return 0, 0, nil, false
	}
	from, r.from = r.from, min(r.from+r.size, r.last)
	return from, r.from, answer, true
}

// skip leaves out ids that are not there.
func (r *ranges[T]) skip(before int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from = max(r.from, min(before, r.last))
}

// inOrder reads a table whose rows never change through several connections at once, and gives take what parse made of
// the rows, in order of id. take may not keep the rows. newParse is called once for each connection.
func inOrder[T any](ctx context.Context, s *source, readers []*sql.Conn, q query,
	newParse func() func(id int64, f *fields) T, take func(rows []T, last int64) error) error {
	var last sql.NullInt64
	name := s.schema + "." + q.table
	if err := s.conn.QueryRowContext(ctx, "SELECT MAX(id) FROM "+name).Scan(&last); err != nil {
		return fmt.Errorf("reading %s: %w", name, usageprobe.Explain(err, s.config, name))
	}
	ctx, cancel := context.WithCancel(ctx)
	all := &ranges[T]{
		from: q.after, last: last.Int64, size: min(s.batch, portionSize),
		answers: make(chan chan portion[T], len(readers)),
	}
	used := make(chan []T, 2*len(readers)+1) // rows to be filled again
	var work sync.WaitGroup
	for _, conn := range readers {
		reader := *s
		reader.conn = conn
		work.Go(func() { readPortions(ctx, &reader, name, q.text(s, ""), all, newParse(), used) })
	}
	go func() {
		work.Wait()
		close(all.answers)
	}()
	err := takePortions(ctx, s, q.after, all.answers, used, take)
	cancel()
	for range all.answers { // until no reader is at work any more
		continue
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

func takePortions[T any](ctx context.Context, s *source, at int64, answers <-chan chan portion[T], used chan<- []T,
	take func(rows []T, last int64) error) error {
	for answer := range answers {
		p := <-answer
		if p.err != nil {
			return p.err
		}
		if err := take(p.rows, p.last); err != nil {
			return err
		}
		select {
		case used <- p.rows[:0]:
		default:
		}
		if s.tick != nil {
			s.tick(p.last - at)
		}
		at = p.last
	}
	return context.Cause(ctx)
}

// readPortions answers ranges until there are no more, or one could not be read.
func readPortions[T any](ctx context.Context, s *source, table, text string, all *ranges[T],
	parse func(int64, *fields) T, used <-chan []T) {
	for {
		from, to, answer, more := all.next(ctx)
		if !more {
			return
		}
		var rows []T
		select {
		case rows = <-used:
		default:
		}
		p := portion[T]{last: to}
		p.rows, p.err = readPortion(ctx, s, text, [2]int64{from, to}, rows, parse)
		next := to + 1
		if p.err == nil && len(p.rows) == 0 && to < all.last { // ids may have wide gaps
			p.err = s.conn.QueryRowContext(ctx, "SELECT MIN(id) FROM "+table+" WHERE id > ?", to).Scan(&next)
		}
		if p.err != nil {
			p.err = fmt.Errorf("ids %d to %d: %w", from+1, to, p.err)
		}
		answer <- p
		if p.err != nil {
			return
		}
		// Only now: another reader may hold the lock until this answer is taken.
		all.skip(next - 1)
	}
}

func readPortion[T any](ctx context.Context, s *source, text string, ids [2]int64, rows []T,
	parse func(int64, *fields) T) ([]T, error) {
	if err := s.breathe(ctx); err != nil {
		return nil, err
	}
	_, err := s.part(ctx, text, ids[0], ids[1], func(id int64, f *fields) error {
		rows = append(rows, parse(id, f))
		return nil
	})
	return rows, err
}
