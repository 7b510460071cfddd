package damage

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Write puts the history into the databases of a site, in few large statements. The tables must have no rows with
// its ids. Columns that the schema does not have (vm_id before 4.22.1) and tables that it lacks are left out.
func (h *History) Write(ctx context.Context, db *sql.DB) error {
	w := &writer{ctx: ctx, db: db}
	h.writeEvents(w)
	h.writeRows(w)
	h.writeLiving(w)
	w.table(
		"cloud_usage.usage_job",
		"host",
		"pid",
		"job_type",
		"start_millis",
		"end_millis",
		"exec_time",
		"start_date",
		"end_date",
		"success",
		"heartbeat",
	)
	for _, j := range h.jobs {
		w.row("damage", 1, 0, j.start, j.end, 1, stamp(j.start/1000), stamp(j.end/1000), 1, stamp(j.end/1000+1))
	}
	w.table(
		"cloud_usage.cloud_usage",
		"zone_id",
		"account_id",
		"domain_id",
		"description",
		"usage_display",
		"usage_type",
		"raw_usage",
		"usage_id",
		"vm_instance_id",
		"offering_id",
		"start_date",
		"end_date",
	)
	for _, r := range h.records {
		var vm, offering any
		id := r.resource
		switch r.usageType {
		case 13:
			vm, offering, id = r.resource, 13, 1
		case 1, 2:
			vm = r.resource
		}
		w.row(
			1,
			r.account,
			1,
			fmt.Sprintf("usage type %d of %d", r.usageType, r.resource),
			fmt.Sprintf("%.6f Hrs", r.hours),
			r.usageType,
			r.hours,
			id,
			vm,
			offering,
			stamp(r.from),
			stamp(r.to-1),
		)
	}
	w.flush()
	return w.err
}

// eventColumns are those of usage_event that a history fills; row gives their values.
func eventColumns() []string {
	return []string{"id", "type", "account_id", "created", "zone_id", "resource_id", "resource_name", "offering_id",
		"processed", "vm_id"}
}

func (e event) row(processed bool) []any {
	zone := 1
	if e.kind == "NET.RULEDELETE" {
		zone = 0
	}
	return []any{e.id, e.kind, e.account, stamp(e.at), zone, e.resource, null(e.name), null(e.offering), processed,
		null(e.vm)}
}

func (h *History) writeEvents(w *writer) {
	w.table("cloud.usage_event", eventColumns()...)
	for _, e := range h.events {
		w.row(e.row(false)...)
	}
	w.table("cloud_usage.usage_event", eventColumns()...)
	for _, e := range h.events[:h.pending] {
		w.row(e.row(e.processed)...)
	}
}

func (h *History) writeRows(w *writer) {
	for _, kind := range kinds() {
		name := map[string]string{LB: "usage_load_balancer_policy", PF: "usage_port_forwarding",
			Address: "usage_ip_address", VM: "usage_vm_instance",
			Running: "usage_vm_instance", NIC: "usage_network_offering", Volume: "usage_volume"}[kind]
		columns := map[string][]string{
			LB: {"lb_id", "created", "deleted"}, PF: {"pf_id", "created", "deleted"}, Volume: {"volume_id", "created",
				"deleted"},
			Address: {"ip_id", "assigned", "released", "public_ip_address", "is_source_nat", "is_system"},
			VM: {"vm_instance_id", "start_date", "end_date", "usage_type", "vm_name", "service_offering_id",
				"template_id"},
			Running: {"vm_instance_id", "start_date", "end_date", "usage_type", "vm_name", "service_offering_id",
				"template_id"},
			NIC: {"vm_instance_id", "created", "deleted", "nic_id", "network_offering_id", "is_default"},
		}[kind]
		w.table("cloud_usage."+name, append([]string{"id", "zone_id", "account_id", "domain_id"}, columns...)...)
		for _, r := range h.tables[kind] {
			values := []any{r.id, 1, r.account, 1, r.resource, stamp(r.opened), null(stamp(r.closed))}
			switch kind {
			case Address:
				values = append(values, fmt.Sprintf("192.0.2.%d", r.resource-h.Base), 0, 0)
			case VM, Running:
				values = append(values, usageType(kind), fmt.Sprintf("vm-%d", r.resource), 1, 1)
			case NIC:
				values = append(values, r.part, 13, 1)
			}
			w.row(values...)
		}
	}
}

func (h *History) writeLiving(w *writer) {
	w.table(
		"cloud.firewall_rules",
		"id",
		"uuid",
		"start_port",
		"end_port",
		"state",
		"protocol",
		"purpose",
		"account_id",
		"domain_id",
		"network_id",
		"xid",
		"created",
	)
	for kind, purpose := range map[string]string{LB: "LoadBalancing", PF: "PortForwarding"} {
		for _, t := range h.things[kind] {
			if t.alive {
				w.row(
					t.id,
					uuid(kind, t.id),
					80,
					80,
					"Active",
					"tcp",
					purpose,
					t.account,
					1,
					204,
					uuid("x"+kind, t.id),
					stamp(t.lives[0].born),
				)
			}
		}
	}
	w.table(
		"cloud.load_balancing_rules",
		"id",
		"name",
		"default_port_start",
		"default_port_end",
		"algorithm",
		"lb_protocol",
	)
	for _, t := range h.things[LB] {
		if t.alive {
			w.row(t.id, fmt.Sprintf("lb-%d", t.id), 80, 80, "roundrobin", "tcp")
		}
	}
	w.table(
		"cloud.user_ip_address",
		"id",
		"uuid",
		"account_id",
		"domain_id",
		"public_ip_address",
		"data_center_id",
		"source_nat",
		"allocated",
		"state",
		"vlan_db_id",
		"mac_address",
		"source_network_id",
	)
	for id := h.Base + 1; id <= h.Base+addresses; id++ {
		holder := slices.IndexFunc(h.things[Address], func(t *thing) bool { return t.id == id && t.alive })
		address := fmt.Sprintf("192.0.2.%d", id-h.Base)
		if holder < 0 {
			w.row(id, uuid(Address, id), nil, nil, address, 1, 0, nil, "Free", 1, id, 200)
			continue
		}
		t := h.things[Address][holder]
		w.row(
			id,
			uuid(Address, id),
			t.account,
			1,
			address,
			1,
			0,
			stamp(t.lives[len(t.lives)-1].born),
			"Allocated",
			1,
			id,
			200,
		)
	}
	h.writeVMs(w)
}

func (h *History) writeVMs(w *writer) {
	w.table(
		"cloud.vm_instance",
		"id",
		"uuid",
		"name",
		"instance_name",
		"account_id",
		"domain_id",
		"type",
		"state",
		"removed",
		"service_offering_id",
		"data_center_id",
		"vm_type",
	)
	for _, t := range h.things[VM] {
		state, removed := "Running", any(nil)
		if !t.alive {
			state, removed = "Expunging", stamp(t.lives[0].died)
		}
		w.row(t.id, uuid(VM, t.id), t.name, t.name, t.account, 1, "User", state, removed, 1, 1, "User")
	}
	w.table("cloud.nics", "id", "uuid", "instance_id", "network_id", "removed")
	for _, t := range h.things[NIC] {
		removed := any(nil)
		if !t.alive {
			removed = stamp(t.lives[0].died)
		}
		w.row(t.id, uuid(NIC, t.id), t.id, 204, removed)
	}
	w.table("cloud.volumes", "id", "uuid", "account_id", "state", "instance_id", "removed")
	for _, t := range h.things[Volume] {
		state, removed := "Ready", any(nil)
		if !t.alive {
			state, removed = "Expunged", stamp(t.lives[0].died)
		}
		w.row(t.id, uuid(Volume, t.id), t.account, state, t.id, removed)
	}
}

// uuid is made of what it names, so that a seed always gives the same site.
func uuid(kind string, id int64) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", len(kind)*0x10101, id)
}

func stamp(seconds int64) string {
	if seconds == 0 {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateTime)
}

// null is nil for a zero value.
func null(v any) any {
	if v == "" || v == int64(0) {
		return nil
	}
	return v
}
