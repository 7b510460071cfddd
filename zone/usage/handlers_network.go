package usage

import (
	"context"
	"fmt"
)

// span is a helper table of networks or VPCs, whose rows have a state.
type span struct {
	usageType          int
	table, id          string
	what, closed, open string // closed and open are states
}

func (p *pass) networkEvent(ctx context.Context, event Event) error {
	s := span{usageType: TypeNetwork, table: "usage_networks", id: "network_id", what: "network", closed: "Destroy",
		open: "Allocated"}
	more := row{"network_offering_id": event.OfferingID.V}
	switch event.Type {
	case "NETWORK.CREATE":
		return p.openSpan(ctx, event, s, more)
	case "NETWORK.DELETE":
		return p.closeSpan(ctx, event, s)
	case "NETWORK.UPDATE":
		if p.options.Rules.NetworkModelOld {
			_, err := p.tx.ExecContext(ctx, "UPDATE cloud_usage.usage_networks SET network_offering_id = ?, state = ? "+
				"WHERE network_id = ? AND removed IS NULL ORDER BY id LIMIT 1", event.OfferingID.V, event.ResourceType,
				event.ResourceID.V)
			return wrapEvent(err, event)
		}
		if err := p.closeSpan(ctx, event, s); err != nil {
			return err
		}
		more["state"] = event.ResourceType
		return p.insertSpan(ctx, event, s, more)
	}
	return p.unknown(ctx, event)
}

func (p *pass) vpcEvent(ctx context.Context, event Event) error {
	s := span{usageType: TypeVPC, table: "usage_vpc", id: "vpc_id", what: "VPC", closed: "Inactive", open: "Enabled"}
	switch event.Type {
	case "VPC.CREATE":
		return p.openSpan(ctx, event, s, row{})
	case "VPC.DELETE":
		return p.closeSpan(ctx, event, s)
	}
	return p.unknown(ctx, event)
}

func (p *pass) unknown(ctx context.Context, event Event) error {
	p.log.ErrorContext(ctx, fmt.Sprintf("Unknown event type [%s]. Skipping it.", event.Type))
	return nil
}

func wrapEvent(err error, event Event) error {
	if err != nil {
		return fmt.Errorf("usage: event %d (%s): %w", event.ID, event.Type, err)
	}
	return nil
}

// openSpan inserts a row; the new model refuses when the network or VPC has an open one.
func (p *pass) openSpan(ctx context.Context, event Event, s span, more row) error {
	if !p.options.Rules.NetworkModelOld {
		found, err := p.rows(ctx, fmt.Sprintf("SELECT id FROM cloud_usage.%s WHERE %s = ? AND removed IS NULL", s.table,
			s.id), event.ResourceID.V)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			p.log.WarnContext(ctx, fmt.Sprintf("Active helper entries already exist for %s [%d]; therefore, we will "+
				"not create a new one.",
				s.what, event.ResourceID.V))
			return nil
		}
	}
	return p.insertSpan(ctx, event, s, more.and("state", s.open))
}

func (p *pass) insertSpan(ctx context.Context, event Event, s span, more row) error {
	return p.insert(ctx, s.usageType, s.table, event, p.owned(event, more.and(s.id, event.ResourceID.V).and("created",
		event.Created)))
}

// closeSpan closes open rows whatever their account: all of them in the new model, one in the old, which also sets the
// state of the row to the end of its life.
func (p *pass) closeSpan(ctx context.Context, event Event, s span) error {
	find := row{s.id: event.ResourceID.V}
	update := []string{"id"}
	if p.options.Rules.NetworkModelOld {
		first, err := p.rows(ctx, fmt.Sprintf("SELECT id FROM cloud_usage.%s WHERE %s = ? AND removed IS NULL ORDER "+
			"BY id LIMIT 1",
			s.table, s.id), event.ResourceID.V)
		if err != nil || len(first) == 0 {
			return err
		}
		find = row{"id": first[0].integer("id")}
		if !p.options.Faults.CloseNothing || !p.options.Faults.on(s.usageType) {
			_, err = p.tx.ExecContext(ctx, "UPDATE cloud_usage."+s.table+" SET state = ? WHERE id = ?", s.closed,
				first[0].integer("id"))
			if err != nil {
				return wrapEvent(err, event)
			}
		}
	}
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: s.usageType, table: s.table, until: "removed",
		find:   find,
		update: update, what: s.what})
	return err
}
