package usage

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// handleAll marks each event processed and lets the handler of its type change the helper tables.
func (p *pass) handleAll(ctx context.Context, events []Event) error {
	for _, event := range events {
		if _, err := p.tx.ExecContext(ctx, "UPDATE cloud_usage.usage_event SET processed = 1 WHERE id = ?",
			event.ID); err != nil {
			return fmt.Errorf("usage: marking event %d: %w", event.ID, err)
		}
		handle := p.handlerOf(event.Type)
		if handle == nil {
			if err := p.unhandled(ctx, event); err != nil {
				return err
			}
			continue
		}
		if _, known := p.domains[event.AccountID]; !known {
			// The real server dies of a null pointer here and the run fails.
			return fmt.Errorf("usage: event %d (%s) names account %d, which is not in cloud.account", event.ID,
				event.Type, event.AccountID)
		}
		if p.options.Faults.IgnoreRemovedAccounts && p.removed(event.AccountID) {
			continue
		}
		err := handle(ctx, event)
		if errors.Is(err, errRefusedRow) {
			err = p.rollBack()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unhandled is what happens to an event that nothing meters, such as those of portable and of IPv6 addresses: nothing.
func (p *pass) unhandled(ctx context.Context, event Event) error {
	if p.options.Faults.UnknownBlocks {
		return errDuplicate
	}
	if p.options.Faults.PortableReleasesAll && event.Type == "PORTABLE.IPRELEASE" {
		_, err := p.tx.ExecContext(ctx, "UPDATE cloud_usage.usage_ip_address SET released = ? WHERE account_id = ? "+
			"AND released IS NULL", event.Created, event.AccountID)
		return err
	}
	return nil
}

type handler func(context.Context, Event) error

// handlerOf routes by type in CloudStack's order: what starts with "VM." is a VM event, and so on. Types without a
// handler are marked processed and ignored.
func (p *pass) handlerOf(kind string) handler {
	switch {
	case strings.HasPrefix(kind, "VM."):
		return instances{p}.vmEvent
	case strings.HasPrefix(kind, "NET.IP"):
		return networking{p}.ipEvent
	case strings.HasPrefix(kind, "VOLUME."):
		return storage{p}.volumeEvent
	case strings.HasPrefix(kind, "TEMPLATE."):
		return storage{p}.templateEvent
	case strings.HasPrefix(kind, "ISO."):
		return storage{p}.isoEvent
	case strings.HasPrefix(kind, "SNAPSHOT."):
		return storage{p}.snapshotEvent
	case strings.HasPrefix(kind, "LB."):
		return networking{p}.loadBalancerEvent
	case strings.HasPrefix(kind, "NET.RULE"):
		return networking{p}.portForwardingEvent
	case strings.HasPrefix(kind, "NETWORK.OFFERING."):
		return networking{p}.networkOfferingEvent
	case strings.HasPrefix(kind, "VPN.USER"):
		return networking{p}.vpnUserEvent
	case strings.HasPrefix(kind, "SG."):
		return networking{p}.securityGroupEvent
	case kind == "VMSNAPSHOT.CREATE", kind == "VMSNAPSHOT.DELETE":
		return storage{p}.vmSnapshotEvent
	case kind == "VMSNAPSHOT.ON_PRIMARY", kind == "VMSNAPSHOT.OFF_PRIMARY":
		return storage{p}.onPrimaryEvent
	case strings.HasPrefix(kind, "BACKUP."):
		return storage{p}.backupEvent
	case strings.HasPrefix(kind, "NETWORK."):
		return networking{p}.networkEvent
	case strings.HasPrefix(kind, "VPC."):
		return networking{p}.vpcEvent
	}
	return nil
}

// alreadyOpen tells, under the CreateOnce rule, that the event's row is there: opened at the same second and still
// open.
func (p *pass) alreadyOpen(ctx context.Context, event Event, table, column string) (bool, error) {
	if !p.options.Rules.CreateOnce && !p.options.Faults.DuplicateBlocks {
		return false, nil
	}
	open, err := p.rows(ctx, "SELECT id FROM cloud_usage."+table+" WHERE account_id = ? AND "+column+
		" = ? AND created = ? AND deleted IS NULL",
		event.AccountID, event.ResourceID.V, event.Created)
	if len(open) > 0 && p.options.Faults.DuplicateBlocks {
		return true, errDuplicate
	}
	if len(open) > 0 {
		p.log.WarnContext(ctx, fmt.Sprintf("Usage event %d (%s) repeats one that was handled", event.ID, event.Type))
	}
	return len(open) > 0, err
}

// owned are the columns that nearly every helper row begins with.
func (p *pass) owned(event Event, more row) row {
	more["zone_id"], more["account_id"], more["domain_id"] = event.ZoneID, event.AccountID, p.domains[event.AccountID]
	return more
}

// byKey is the condition of the close handlers that #10712 and #9888 repaired: the helper row's own primary key in the
// broken releases, the resource's id in the others.
func byKey(broken bool, column string, event Event) row {
	if broken {
		column = "id"
	}
	return row{column: event.ResourceID.V}
}

func (r row) and(name string, value any) row {
	r[name] = value
	return r
}
