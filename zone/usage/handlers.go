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
		handle := handlerOf(event.Type)
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
		err := handle(p, ctx, event)
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

type handler func(*pass, context.Context, Event) error

// handlerOf routes by type in CloudStack's order: what starts with "VM." is a VM event, and so on. Types without a
// handler are marked processed and ignored.
func handlerOf(kind string) handler {
	switch {
	case strings.HasPrefix(kind, "VM."):
		return (*pass).vmEvent
	case strings.HasPrefix(kind, "NET.IP"):
		return (*pass).ipEvent
	case strings.HasPrefix(kind, "VOLUME."):
		return (*pass).volumeEvent
	case strings.HasPrefix(kind, "TEMPLATE."):
		return (*pass).templateEvent
	case strings.HasPrefix(kind, "ISO."):
		return (*pass).isoEvent
	case strings.HasPrefix(kind, "SNAPSHOT."):
		return (*pass).snapshotEvent
	case strings.HasPrefix(kind, "LB."):
		return (*pass).loadBalancerEvent
	case strings.HasPrefix(kind, "NET.RULE"):
		return (*pass).portForwardingEvent
	case strings.HasPrefix(kind, "NETWORK.OFFERING."):
		return (*pass).networkOfferingEvent
	case strings.HasPrefix(kind, "VPN.USER"):
		return (*pass).vpnUserEvent
	case strings.HasPrefix(kind, "SG."):
		return (*pass).securityGroupEvent
	case kind == "VMSNAPSHOT.CREATE", kind == "VMSNAPSHOT.DELETE":
		return (*pass).vmSnapshotEvent
	case kind == "VMSNAPSHOT.ON_PRIMARY", kind == "VMSNAPSHOT.OFF_PRIMARY":
		return (*pass).onPrimaryEvent
	case strings.HasPrefix(kind, "BACKUP."):
		return (*pass).backupEvent
	case strings.HasPrefix(kind, "NETWORK."):
		return (*pass).networkEvent
	case strings.HasPrefix(kind, "VPC."):
		return (*pass).vpcEvent
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

func (p *pass) loadBalancerEvent(ctx context.Context, event Event) error {
	const table = "usage_load_balancer_policy"
	switch event.Type {
	case "LB.CREATE":
		if done, err := p.alreadyOpen(ctx, event, table, "lb_id"); done || err != nil {
			return err
		}
		p.log.DebugContext(ctx, fmt.Sprintf("Creating load balancer : %d for account: %d", event.ResourceID.V,
			event.AccountID))
		return p.insert(ctx, TypeLoadBalancer, table, event,
			p.owned(event, row{"lb_id": event.ResourceID.V, "created": event.Created}))
	case "LB.DELETE":
		find := byKey(p.options.Rules.CloseByHelperPK, "lb_id", event).and("account_id", event.AccountID)
		if p.options.Faults.CloseAnyAccount {
			find = row{"id": event.ResourceID.V}
		}
		_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeLoadBalancer, table: table,
			until: "deleted", find: find,
			update: []string{"account_id", "lb_id"}, what: "load balancer policy"})
		return err
	}
	return nil
}

func (p *pass) portForwardingEvent(ctx context.Context, event Event) error {
	const table = "usage_port_forwarding"
	switch event.Type {
	case "NET.RULEADD":
		p.log.DebugContext(ctx, fmt.Sprintf("Creating port forwarding rule : %d for account: %d", event.ResourceID.V,
			event.AccountID))
		return p.insert(ctx, TypePortForwarding, table, event,
			p.owned(event, row{"pf_id": event.ResourceID.V, "created": event.Created}))
	case "NET.RULEDELETE":
		_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypePortForwarding, table: table,
			until:  "deleted",
			find:   byKey(p.options.Rules.CloseByHelperPK, "pf_id", event).and("account_id", event.AccountID),
			update: []string{"account_id", "pf_id"}, what: "port forwarding rule"})
		return err
	}
	return nil
}

func (p *pass) ipEvent(ctx context.Context, event Event) error {
	const table = "usage_ip_address"
	address := event.ResourceName.V
	switch event.Type {
	case "NET.IPASSIGN":
		hidden, err := p.detail(ctx, event, "hidden")
		if err != nil {
			return err
		}
		p.log.DebugContext(ctx, fmt.Sprintf("assigning ip address: %s to account: %d", address, event.AccountID))
		return p.insert(ctx, TypeIPAddress, table, event,
			p.owned(event, row{"ip_id": event.ResourceID.V, "public_ip_address": address,
				"is_source_nat": event.Size.V == 1, "is_system": event.TemplateID.V != 0, "assigned": event.Created,
				"is_hidden": hidden == "true"}))
	case "NET.IPRELEASE":
		find, update := row{"account_id": event.AccountID, "public_ip_address": address},
			[]string{"account_id", "public_ip_address"}
		if p.options.Rules.AddressByID {
			find, update = row{"account_id": event.AccountID, "ip_id": event.ResourceID.V},
				[]string{"account_id", "ip_id"}
		}
		if p.options.Faults.ReleaseAnyAccount {
			find = row{"public_ip_address": address}
		}
		_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeIPAddress, table: table,
			until: "released",
			find:  find, update: update, what: "ip address"})
		return err
	}
	return p.unhandled(ctx, event) // NET.IP6ASSIGN and its like
}

// networkOfferingEvent: the row is found by its NIC too, but updated without it, so that NICs of one VM with equal
// offerings are closed together.
func (p *pass) networkOfferingEvent(ctx context.Context, event Event) error {
	const table = "usage_network_offering"
	nic := number(event.ResourceName.V)
	switch event.Type {
	case "NETWORK.OFFERING.CREATE", "NETWORK.OFFERING.ASSIGN":
		return p.insert(ctx, TypeNetworkOffering, table, event, p.owned(event, row{"vm_instance_id": event.ResourceID.V,
			"network_offering_id": event.OfferingID.V, "nic_id": nic, "is_default": event.Size.V == 1,
			"created": event.Created}))
	case "NETWORK.OFFERING.DELETE", "NETWORK.OFFERING.REMOVE":
		update := []string{"account_id", "vm_instance_id", "network_offering_id"}
		if p.options.Rules.NICAlone {
			update = append(update, "nic_id")
		}
		_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeNetworkOffering, table: table,
			until: "deleted",
			find: row{"account_id": event.AccountID, "vm_instance_id": event.ResourceID.V, "nic_id": nic,
				"network_offering_id": event.OfferingID.V},
			update: update, what: "network offering"})
		return err
	}
	return nil
}

// vpnUserEvent: a removed user is closed with the time of the job, not of the event.
func (p *pass) vpnUserEvent(ctx context.Context, event Event) error {
	const table = "usage_vpn_user"
	find := p.owned(event, row{"user_id": event.ResourceID.V})
	switch event.Type {
	case "VPN.USER.ADD":
		condition, arguments := where(find)
		open, err := p.rows(ctx, "SELECT id FROM cloud_usage."+table+" WHERE deleted IS NULL AND "+condition,
			arguments...)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			p.log.WarnContext(ctx, fmt.Sprintf("There are already open usage entries of VPN user %d",
				event.ResourceID.V))
			return nil
		}
		return p.insert(ctx, TypeVPNUser, table, event, find.and("user_name", event.ResourceName.V).and("created",
			event.Created))
	case "VPN.USER.REMOVE":
		at := p.now
		if p.options.Rules.VPNUserAtEvent {
			at = event.Created
		}
		found, err := p.closeRows(ctx, event, at, closing{usageType: TypeVPNUser, table: table, until: "deleted",
			find:   find,
			update: []string{"account_id", "user_id"}, what: "vpn user"})
		if err == nil && found == 0 {
			p.log.WarnContext(ctx, fmt.Sprintf("No usage entry for vpn user [%d] was found", event.ResourceID.V))
		}
		return err
	}
	return nil
}

func (p *pass) securityGroupEvent(ctx context.Context, event Event) error {
	const table = "usage_security_group"
	switch event.Type {
	case "SG.ASSIGN":
		return p.insert(ctx, TypeSecurityGroup, table, event, p.owned(event, row{"vm_instance_id": event.ResourceID.V,
			"security_group_id": event.OfferingID.V, "created": event.Created}))
	case "SG.REMOVE":
		_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeSecurityGroup, table: table,
			until: "deleted",
			find: row{"account_id": event.AccountID, "vm_instance_id": event.ResourceID.V,
				"security_group_id": event.OfferingID.V},
			update: []string{"account_id", "vm_instance_id", "security_group_id"}, what: "security group"})
		return err
	}
	return nil
}
