package usage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Event is a row of cloud_usage.usage_event.
type Event struct {
	ID           int64
	Type         string
	AccountID    int64
	Created      time.Time
	ZoneID       int64
	ResourceID   sql.Null[int64]
	ResourceName sql.Null[string]
	OfferingID   sql.Null[int64]
	TemplateID   sql.Null[int64]
	Size         sql.Null[int64]
	ResourceType sql.Null[string]
	VirtualSize  sql.Null[int64]
	VMID         sql.Null[int64] // only under Rules.VolumesPerVM
}

// eventColumns are the columns that are copied and read.
func (s *Server) eventColumns() string {
	if s.options.Rules.VolumesPerVM {
		return eventColumns + ", vm_id"
	}
	return eventColumns
}

const eventColumns = "id, type, account_id, created, zone_id, resource_id, resource_name, offering_id, template_id, " +
	"size, resource_type, virtual_size"

// copyEvents brings events created up to end into cloud_usage, by range of id: an event with a low id that is written
// late, after one with a higher id was copied, is never copied (UsageEventDaoImpl@4.20.0.0).
func (s *Server) copyEvents(ctx context.Context, end time.Time) error {
	if s.options.Faults.LastSecondLate {
		end = end.Add(-time.Second)
	}
	var low, high sql.Null[int64]
	if err := s.db.QueryRowContext(ctx, "SELECT MAX(id) FROM cloud_usage.usage_event").Scan(&low); err != nil {
		return fmt.Errorf("usage: reading the last copied event: %w", err)
	}
	if err := s.db.QueryRowContext(ctx, "SELECT MAX(id) FROM cloud.usage_event WHERE created <= ?",
		second(end)).Scan(&high); err != nil {
		return fmt.Errorf("usage: reading the last event: %w", err)
	}
	_, err := s.db.ExecContext(ctx, "INSERT INTO cloud_usage.usage_event ("+s.eventColumns()+") SELECT "+
		s.eventColumns()+
		" FROM cloud.usage_event WHERE id > ? AND id <= ?", low.V, high.V)
	if err != nil {
		return fmt.Errorf("usage: copying events: %w", err)
	}
	_, err = s.db.ExecContext(ctx, "INSERT INTO cloud_usage.usage_event_details (id, usage_event_id, name, value) "+
		"SELECT id, usage_event_id, name, value FROM cloud.usage_event_details WHERE usage_event_id > ? AND "+
		"usage_event_id <= ?", low.V, high.V)
	if err != nil {
		return fmt.Errorf("usage: copying the events' details: %w", err)
	}
	if s.options.Faults.EventLost {
		return s.loseEvent(ctx, low.V)
	}
	return nil
}

// loseEvent drops the oldest newly copied event that the faults concern, and every event dropped before: the copy would
// fetch the last one again, because its lower bound is the highest id present.
func (s *Server) loseEvent(ctx context.Context, above int64) error {
	events, err := s.readEvents(ctx, "id > ? ORDER BY id", above)
	if err != nil {
		return err
	}
	for _, event := range events {
		if s.options.Faults.onEvent(event) && !s.lost[event.ID] {
			s.lost[event.ID] = true
			break
		}
	}
	for id := range s.lost {
		if _, err := s.db.ExecContext(ctx, "DELETE FROM cloud_usage.usage_event WHERE id = ?", id); err != nil {
			return fmt.Errorf("usage: losing event %d: %w", id, err)
		}
	}
	return nil
}

func (s *Server) readEvents(ctx context.Context, where string, args ...any) (_ []Event, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+s.eventColumns()+" FROM cloud_usage.usage_event WHERE "+where,
		args...)
	if err != nil {
		return nil, fmt.Errorf("usage: reading events: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var events []Event
	for rows.Next() {
		var e Event
		fields := []any{&e.ID, &e.Type, &e.AccountID, &e.Created, &e.ZoneID, &e.ResourceID, &e.ResourceName,
			&e.OfferingID, &e.TemplateID, &e.Size, &e.ResourceType, &e.VirtualSize}
		if s.options.Rules.VolumesPerVM {
			fields = append(fields, &e.VMID)
		}
		if err := rows.Scan(fields...); err != nil {
			return nil, fmt.Errorf("usage: reading an event: %w", err)
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// pendingEvents are the unprocessed events up to end, oldest first. CloudStack leaves the order within one second to
// the database; here it is that of the ids, or shuffled by Options.TieSeed.
func (s *Server) pendingEvents(ctx context.Context, end time.Time) ([]Event, error) {
	events, err := s.readEvents(ctx, "processed = 0 AND created <= ? ORDER BY created, id", second(end))
	if err != nil || s.options.TieSeed == 0 {
		return events, err
	}
	random := rand.New(rand.NewPCG(s.options.TieSeed, uint64(len(events))))
	for from := 0; from < len(events); {
		to := from + 1
		for to < len(events) && events[to].Created.Equal(events[from].Created) {
			to++
		}
		tied := events[from:to]
		random.Shuffle(len(tied), func(i, j int) { tied[i], tied[j] = tied[j], tied[i] })
		from = to
	}
	return events, nil
}

// second drops what a DATETIME column cannot hold, so that no server rounds it up.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
