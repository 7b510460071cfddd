package usage

import (
	"context"
	"fmt"
)

// networking handles the events of rules, addresses, offerings of NICs, VPN users, networks and VPCs.
type networking struct{ *pass }

func (p networking) loadBalancerEvent(ctx context.Context, event Event) error {
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

func (p networking) portForwardingEvent(ctx context.Context, event Event) error {
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

func (p networking) ipEvent(ctx context.Context, event Event) error {
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
func (p networking) networkOfferingEvent(ctx context.Context, event Event) error {
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
func (p networking) vpnUserEvent(ctx context.Context, event Event) error {
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

func (p networking) securityGroupEvent(ctx context.Context, event Event) error {
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

// span is a helper table of networks or VPCs, whose rows have a state.
type span struct {
	usageType          int
	table, id          string
	what, closed, open string // closed and open are states
}

func (p networking) networkEvent(ctx context.Context, event Event) error {
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

func (p networking) vpcEvent(ctx context.Context, event Event) error {
	s := span{usageType: TypeVPC, table: "usage_vpc", id: "vpc_id", what: "VPC", closed: "Inactive", open: "Enabled"}
	switch event.Type {
	case "VPC.CREATE":
		return p.openSpan(ctx, event, s, row{})
	case "VPC.DELETE":
		return p.closeSpan(ctx, event, s)
	}
	return p.unknown(ctx, event)
}

func (p networking) unknown(ctx context.Context, event Event) error {
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
func (p networking) openSpan(ctx context.Context, event Event, s span, more row) error {
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

func (p networking) insertSpan(ctx context.Context, event Event, s span, more row) error {
	return p.insert(ctx, s.usageType, s.table, event, p.owned(event, more.and(s.id, event.ResourceID.V).and("created",
		event.Created)))
}

// closeSpan closes open rows whatever their account: all of them in the new model, one in the old, which also sets the
// state of the row to the end of its life.
func (p networking) closeSpan(ctx context.Context, event Event, s span) error {
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
