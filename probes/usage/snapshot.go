package usageprobe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Snapshot reads all that the invariants need, of the given accounts (internal ids; all accounts when none is given),
// in one transaction with a consistent view of both schemas. Jobs are those of the whole site.
func (p *Probe) Snapshot(ctx context.Context, accountIDs ...int64) (Snapshot, error) {
	s := Snapshot{Accounts: accountIDs, Resources: map[Ref]Resource{}, Tables: map[Kind]bool{}}
	err := p.inTransaction(ctx, func(q querier) (err error) {
		of := accounts(accountIDs)
		for _, spec := range kindSpecs() {
			rows, err := helperRows(ctx, q, spec, of)
			if err != nil {
				return err
			}
			s.Rows = append(s.Rows, rows...)
		}
		if s.Events, err = readInto(ctx, q, schemaCloud, "usage_event", of, parseEvent); err != nil {
			return err
		}
		if s.UsageEvents, err = readInto(ctx, q, schemaUsage, "usage_event", of, parseEvent); err != nil {
			return err
		}
		waiting := filter{}.and("processed = ?", 0)
		if s.Waiting, err = readInto(ctx, q, schemaUsage, "usage_event", waiting, parseEvent); err != nil {
			return err
		}
		if s.Records, err = records(ctx, q, of); err != nil {
			return err
		}
		if s.Jobs, err = readInto(ctx, q, schemaUsage, "usage_job", filter{}, parseJob); err != nil {
			return err
		}
		if err := readOwners(ctx, q, accountIDs, &s); err != nil {
			return err
		}
		return readResources(ctx, q, of, &s)
	})
	if err != nil {
		return Snapshot{}, fmt.Errorf("take usage snapshot: %w", err)
	}
	s.Cutoff = lastSuccess(s.Jobs)
	return s, nil
}

func lastSuccess(jobs []Job) time.Time {
	var end time.Time
	for _, j := range jobs {
		if j.Success && j.End.After(end) {
			end = j.End
		}
	}
	return end
}

// helperRows reads one kind's helper table.
func helperRows(ctx context.Context, q querier, spec kindSpec, f filter) ([]HelperRow, error) {
	if spec.vmType != 0 {
		f = f.and("usage_type = ?", spec.vmType)
	}
	rows, err := readInto(ctx, q, schemaUsage, spec.table, f, spec.parse)
	return slices.DeleteFunc(rows, func(h HelperRow) bool { return h.ofVM }), err
}

// records reads those that the filter lets through.
func records(ctx context.Context, q querier, f filter) ([]Record, error) {
	all, err := readInto(ctx, q, schemaUsage, "cloud_usage", f, parseRecord)
	return slices.DeleteFunc(all, Record.ofVM), err
}

// ofVM: from 4.22.1.0 on an attached volume has a second record, for its VM (VolumeUsageParser.java@4.22.1.0).
func (r Record) ofVM() bool { return r.Type == UsageVolume && r.VMID != 0 }

func (s kindSpec) parse(r row) (HelperRow, error) {
	h := HelperRow{
		Ref: Ref{Kind: s.kind, ID: r.number(s.idColumn)}, Table: s.table, HelperID: r.number("id"),
		AccountID: r.number("account_id"), ZoneID: r.number("zone_id"), State: r.text("state"), Raw: r.raw(),
	}
	if s.partColumn != "" {
		h.Part = r.text(s.partColumn)
	}
	h.ofVM = s.kind == KindVolume && !r.null("vm_id")
	if s.kind == KindNIC {
		h.Offering = r.number("network_offering_id")
	}
	created, err := r.when(s.openedAt)
	if err != nil {
		return h, err
	}
	if created == nil {
		return h, fmt.Errorf("column %s is NULL", s.openedAt)
	}
	h.Created = *created
	h.Closed, err = r.when(s.closedAt)
	return h, err
}

func parseEvent(r row) (UsageEvent, error) {
	created, err := r.when("created")
	if err != nil {
		return UsageEvent{}, err
	}
	if created == nil {
		return UsageEvent{}, fmt.Errorf("column created is NULL")
	}
	return UsageEvent{
		ID: r.number("id"), Type: r.text("type"), AccountID: r.number("account_id"), Created: *created,
		ZoneID:     r.number("zone_id"),
		ResourceID: r.number("resource_id"), ResourceName: r.text("resource_name"),
		Processed: r.number("processed") != 0, offering: r.shown("offering_id"), template: r.shown("template_id"),
		size: r.shown("size"), virtualSize: r.shown("virtual_size"), resourceType: r.shown("resource_type"),
	}, nil
}

func parseRecord(r row) (Record, error) {
	rec := Record{
		ID:          r.number("id"),
		ZoneID:      r.number("zone_id"),
		AccountID:   r.number("account_id"),
		Description: r.text("description"),
		Type:        r.number("usage_type"),
		VMID:        r.number("vm_instance_id"),
		OfferingID:  r.number("offering_id"),
		UsageID:     r.number("usage_id"),
		// Two records of one window may differ in state (networks), size (resized volumes) or CPU (scaled VMs), and
		// both be right; what is left out here is all that may differ between two records of the same thing.
		raw: r.raw(),
		same: r.raw("id", "description", "usage_display", "raw_usage", "end_date", "quota_calculated", "is_hidden",
			"vm_name"),
	}
	if _, err := fmt.Sscan(r.text("raw_usage"), &rec.RawUsage); err != nil {
		return rec, fmt.Errorf("column raw_usage: %q is not a number", r.text("raw_usage"))
	}
	for column, into := range map[string]*time.Time{"start_date": &rec.Start, "end_date": &rec.End} {
		t, err := r.when(column)
		if err != nil {
			return rec, err
		}
		if t == nil {
			return rec, fmt.Errorf("column %s is NULL", column)
		}
		*into = *t
	}
	return rec, nil
}

func parseJob(r row) (Job, error) {
	j := Job{ID: r.number("id"), Type: r.number("job_type"), Success: r.number("success") == 1}
	if ms := r.number("end_millis"); ms != 0 {
		j.Start, j.End = time.UnixMilli(r.number("start_millis")).UTC(), time.UnixMilli(ms).UTC()
	}
	beat, err := r.when("heartbeat")
	if beat != nil {
		j.Heartbeat = *beat
	}
	return j, err
}

// liveColumns is all that is read of the objects of cloud: their tables hold secrets, too.
func liveColumns() []string {
	return []string{
		"id",
		"uuid",
		"account_id",
		"state",
		"created",
		"removed",
		"purpose",
		"allocated",
		"is_portable",
		"forsystemvms",
		"type",
		"instance_id",
		"domain_id",
		"data_center_id",
		"zone_id",
		"public_ip_address",
		"source_nat",
		"is_system",
		"network_offering_id",
		"name",
		"service_offering_id",
		"vm_template_id",
		"hypervisor_type",
		"default_nic",
	}
}

// liveTable says where the objects of some kinds live in cloud, and how to tell the living from the dead.
type liveTable struct {
	table string
	of    func(r row) []Resource
}

func readResources(ctx context.Context, q querier, of filter, s *Snapshot) error {
	vms := map[int64]Life{}
	for _, t := range []liveTable{
		{"firewall_rules", ruleResources}, {"user_ip_address", addressResources}, {"networks", networkResources},
		{"vpc", vpcResources},
		{"vm_instance", func(r row) []Resource {
			found := vmResources(r)
			if len(found) > 0 {
				vms[found[0].ID] = found[0].Life
			}
			return found
		}},
	} {
		rows, found, err := read(ctx, q, schemaCloud, t.table, of, liveColumns()...)
		if err != nil {
			return err
		}
		for _, k := range kindsOf(t.table) {
			s.Tables[k] = found
		}
		for _, r := range rows {
			for _, res := range t.of(r) {
				created, err := r.when("created")
				if err != nil {
					return fmt.Errorf("read %s.%s id %d: %w", schemaCloud, t.table, res.ID, err)
				}
				res.UUID, res.AccountID, res.Created, res.live = r.text("uuid"), r.number("account_id"), created, r
				s.Resources[res.Ref] = res
			}
		}
	}
	return readNICs(ctx, q, vms, s)
}

func kindsOf(table string) []Kind {
	switch table {
	case "firewall_rules":
		return []Kind{KindLB, KindPF}
	case "user_ip_address":
		return []Kind{KindIP}
	case "networks":
		return []Kind{KindNetwork}
	case "vpc":
		return []Kind{KindVPC}
	default:
		return []Kind{KindVMRunning, KindVMAllocated}
	}
}

// ruleResources: a static-NAT rule made by createIpForwardingRule is billed as a port forwarding rule.
func ruleResources(r row) []Resource {
	kind := KindPF
	switch r.text("purpose") {
	case "LoadBalancing":
		kind = KindLB
	case "PortForwarding", "StaticNat":
	default:
		return nil
	}
	res := Resource{Ref: Ref{Kind: kind, ID: r.number("id")}, State: r.text("state"), Life: Alive}
	switch {
	case !r.null("removed"): // releases that keep deleted rules
		res.Life = Dead
	case res.State == "Revoke" || res.State == "Deleting":
		res.Life = Undecided
	}
	return []Resource{res}
}

// addressResources leaves out portable addresses, which no release bills, and addresses of system VMs.
func addressResources(r row) []Resource {
	if r.number("is_portable") != 0 || r.number("forsystemvms") != 0 {
		return nil
	}
	res := Resource{Ref: Ref{Kind: KindIP, ID: r.number("id")}, State: r.text("state"), Life: Undecided}
	switch {
	case !r.null("removed") || r.null("allocated") || res.State == "Free":
		res.Life = Dead
	case res.State == "Allocated":
		res.Life = Alive
	}
	return []Resource{res}
}

func networkResources(r row) []Resource {
	res := Resource{Ref: Ref{Kind: KindNetwork, ID: r.number("id")}, State: r.text("state"), Life: Alive}
	switch {
	case !r.null("removed"):
		res.Life = Dead
	case res.State == "Shutdown" || res.State == "Destroy":
		res.Life = Undecided
	}
	return []Resource{res}
}

func vpcResources(r row) []Resource {
	res := Resource{Ref: Ref{Kind: KindVPC, ID: r.number("id")}, State: r.text("state"), Life: Alive}
	switch {
	case !r.null("removed"):
		res.Life = Dead
	case !strings.EqualFold(res.State, "Enabled"):
		res.Life = Undecided
	}
	return []Resource{res}
}

// vmResources: a user VM as the running and as the allocated thing, in this order. Routers and system VMs are not
// billed.
func vmResources(r row) []Resource {
	if r.text("type") != "User" {
		return nil
	}
	running, allocated := Undecided, Undecided
	switch state := r.text("state"); {
	case !r.null("removed") || state == "Expunging" || state == "Destroyed":
		running, allocated = Dead, Dead
	case state == "Running" || state == "Migrating":
		running, allocated = Alive, Alive
	case state == "Stopped":
		running, allocated = Dead, Alive
	case state == "Starting" || state == "Stopping":
		allocated = Alive
	}
	id, state := r.number("id"), r.text("state")
	return []Resource{
		{Ref: Ref{Kind: KindVMRunning, ID: id}, State: state, Life: running},
		{Ref: Ref{Kind: KindVMAllocated, ID: id}, State: state, Life: allocated},
	}
}

// readNICs: a NIC offering is billed while its VM runs. nics has no account, so NICs are found through their VMs.
func readNICs(ctx context.Context, q querier, vms map[int64]Life, s *Snapshot) error {
	var f filter
	if len(s.Accounts) > 0 {
		of := accounts(s.Accounts)
		f = filter{where: "instance_id IN (SELECT id FROM cloud.vm_instance WHERE " + of.where + ")", args: of.args}
	}
	rows, found, err := read(ctx, q, schemaCloud, "nics", f, liveColumns()...)
	if err != nil {
		return err
	}
	s.Tables[KindNIC] = found
	for _, r := range rows {
		vm := r.number("instance_id")
		life, user := vms[vm]
		if !user {
			continue
		}
		if !r.null("removed") {
			life = Dead
		}
		ref := Ref{Kind: KindNIC, ID: vm, Part: r.text("id")}
		s.Resources[ref] = Resource{Ref: ref, UUID: r.text("uuid"), State: r.text("state"), Life: life, live: r}
	}
	return nil
}
