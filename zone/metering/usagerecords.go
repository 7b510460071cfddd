package metering

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// record is a row of cloud_usage.cloud_usage.
type record struct {
	zone, account, domain        int64
	description, display         string
	usageType                    int
	raw                          float64
	vm, cores, speed, memory     sql.Null[int64]
	vmName, typ, state           sql.Null[string]
	offering, template, usageID  sql.Null[int64]
	size, virtualSize, networkID sql.Null[int64]
	start, end                   time.Time
}

const recordColumns = "zone_id, account_id, domain_id, description, usage_display, usage_type, raw_usage, " +
	"vm_instance_id, cpu_cores, cpu_speed, memory, " +
	"vm_name, type, state, offering_id, template_id, usage_id, size, virtual_size, network_id, start_date, end_date"

func listUsageRecords(mgr *Manager, c *kernel.Call) (obj, error) {
	f, err := usageFilter(mgr, c)
	if err != nil || f.none {
		return obj{}, err
	}
	where, args := strings.Join(f.conditions, " AND "), f.args
	ctx := kernel.DBContext(c.Ctx)
	db := mgr.DB()
	var total int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM cloud_usage.cloud_usage WHERE "+where,
		args...).Scan(&total); err != nil {
		return nil, fmt.Errorf("counting usage records: %w", err)
	}
	size, from := kernel.MaxPageSize, 0
	if s, err := strconv.Atoi(c.Str("pagesize")); err == nil {
		size = s
		if page := c.Integer("page", 1); page > 0 {
			from = s * (page - 1)
		}
	}
	if size < 0 {
		size = total
	}
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM cloud_usage.cloud_usage WHERE %s ORDER BY id "+
		"LIMIT %d OFFSET %d", recordColumns, where, max(size, 0), max(from, 0)), args...)
	if err != nil {
		return nil, fmt.Errorf("reading usage records: %w", err)
	}
	defer rows.Close()
	var out []obj
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.zone, &r.account, &r.domain, &r.description, &r.display, &r.usageType, &r.raw, &r.vm,
			&r.cores, &r.speed, &r.memory,
			&r.vmName, &r.typ, &r.state, &r.offering, &r.template, &r.usageID, &r.size, &r.virtualSize, &r.networkID,
			&r.start, &r.end); err != nil {
			return nil, fmt.Errorf("reading usage records: %w", err)
		}
		out = append(out, recordAnswer(mgr, c, &r))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading usage records: %w", err)
	}
	if total == 0 {
		return obj{}, nil
	}
	answer := obj{"count": total}
	if len(out) > 0 {
		answer["usagerecord"] = out
	}
	return answer, nil
}

func offeringByID(all []*net.Offering, id sql.Null[int64]) *net.Offering {
	if !id.Valid {
		return nil
	}
	for _, o := range all {
		if o.ID == id.V {
			return o
		}
	}
	return nil
}

// usageStamp is how the release writes a record's dates: 4.19 as text with the quotes of a format left in it.
func (mgr *Manager) usageStamp(t time.Time) string {
	if mgr.On(release.UsageDatesAsString) {
		return t.UTC().Format("2006-01-02'T'15:04:05-07:00")
	}
	return kernel.Stamp(t)
}

func recordAnswer(mgr *Manager, c *kernel.Call, r *record) obj {
	out := obj{
		"description": r.description, "usage": r.display, "usagetype": r.usageType, "rawusage": rawText(r.raw),
		"startdate": mgr.usageStamp(r.start),
		"enddate":   mgr.usageStamp(r.end), "tags": []obj{},
	}
	if a := mgr.tenancy.Accounts.ByID(r.account); a != nil {
		if p := a.Project; p != nil {
			out["project"], out["projectid"] = p.Name, p.UUID
		} else {
			out["account"], out["accountid"] = a.Name, a.UUID
		}
	}
	if d := mgr.tenancy.Domains.ByID(r.domain); d != nil {
		out["domainid"], out["domain"] = d.UUID, d.Name
		mgr.tenancy.DomainPath(out, d)
	}
	if r.zone == kernel.ZoneID {
		out["zoneid"] = mgr.net.Site.UUID
	}
	vm := mgr.compute.VMs.ByID(r.vm.V)
	if r.vm.Valid && vm != nil {
		out["virtualmachineid"] = vm.UUID
	}
	if r.vmName.Valid {
		out["name"] = r.vmName.V
	}
	if t := offeringByID(mgr.net.Templates, r.template); t != nil {
		out["templateid"] = t.UUID
	}
	if text := mgr.describeRecord(r, out); !c.Boolean("oldformat", false) && text != "" {
		out["description"] = text
	}
	return out
}

// rawText is Java's pattern ###########.######.
func rawText(v float64) string {
	s := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 6, 64), "0"), ".")
	if s == "" {
		return "0"
	}
	return s
}

// describeRecord adds the fields of the record's type and answers the new-format description
// (server/src/main/java/com/cloud/api/ApiResponseHelper.java@4.20.0.0).
func (mgr *Manager) describeRecord(r *record, out obj) string {
	switch r.usageType {
	case 1, 2:
		return mgr.describeVM(r, out)
	case 3:
		if a := mgr.net.Addresses.ByID(r.usageID.V); a != nil {
			out["usageid"] = a.UUID
		}
		out["issourcenat"], out["issystem"] = r.typ.V == "SourceNat", r.size.V == 1
	case 6:
		return mgr.describeVolume(r, out)
	case 11:
		text := "Loadbalancer policy usage "
		if l := mgr.push.EverRule(r.usageID.V); l != nil {
			out["usageid"] = l.UUID
			text += l.Name + " (" + l.UUID + ")"
		}
		return text
	case 12:
		text := "Port forwarding rule usage"
		if p := mgr.firewall.EverPFRule(r.usageID.V); p != nil {
			out["usageid"] = p.UUID
			text += " (" + p.UUID + ")"
		}
		return text
	case 13:
		return mgr.describeNetworkOffering(r, out)
	case 14:
		text := "VPN usage "
		if u := mgr.net.VPNUsers.ByID(r.usageID.V); u != nil {
			out["usageid"] = u.UUID
			text += "for user " + u.Name + " (" + u.UUID + ")"
		}
		return text
	case 30:
		return mgr.describeNetwork(r, out)
	case 31:
		if v := mgr.net.VPCs.ByID(r.usageID.V); v != nil {
			out["usageid"], out["name"] = v.UUID, v.Name
			return fmt.Sprintf("VPC usage for %s (%s)", v.Name, v.UUID)
		}
		return "VPC usage for null"
	}
	return ""
}

func (mgr *Manager) describeVM(r *record, out obj) string {
	text := map[int]string{1: "Running VM usage ", 2: "Allocated VM usage "}[r.usageType]
	if vm := mgr.compute.VMs.ByID(r.usageID.V); vm != nil {
		out["usageid"], out["ostypeid"], out["osdisplayname"] = vm.UUID, vm.Template.Answer["ostypeid"],
			vm.Template.Answer["ostypename"]
		out["oscategoryname"] = "CentOS"
		text += fmt.Sprintf("for %s (%s) (%s) ", vm.Name, vm.InstanceName, vm.UUID)
	}
	out["type"] = r.typ.V
	if o := offeringByID(mgr.net.ServiceOfferings, r.offering); o != nil {
		out["offeringid"], out["cpunumber"], out["cpuspeed"], out["memory"] = o.UUID, o.Answer["cpunumber"],
			o.Answer["cpuspeed"], o.Answer["memory"]
		text += fmt.Sprintf("using service offering %s (%s) ", o.Name, o.UUID)
	}
	for name, v := range map[string]sql.Null[int64]{"cpunumber": r.cores, "cpuspeed": r.speed, "memory": r.memory} {
		if v.Valid {
			out[name] = v.V
		}
	}
	if t := offeringByID(mgr.net.Templates, r.template); t != nil {
		text += fmt.Sprintf("and template %s (%s)", t.Name, t.UUID)
	}
	return text
}

func (mgr *Manager) describeVolume(r *record, out obj) string {
	text := "Volume usage "
	if v := mgr.compute.Volumes.ByID(r.usageID.V); v != nil {
		out["usageid"] = v.UUID
		text += fmt.Sprintf("for %s (%s)", v.Name, v.UUID)
	}
	if o := offeringByID(mgr.net.DiskOfferings, r.offering); o != nil {
		out["offeringid"] = o.UUID
		text += fmt.Sprintf(" with disk offering %s (%s)", o.Name, o.UUID)
	}
	if t := offeringByID(mgr.net.Templates, r.template); t != nil {
		text += fmt.Sprintf(" and template %s (%s)", t.Name, t.UUID)
	}
	if r.size.Valid {
		out["size"] = r.size.V
		text += fmt.Sprintf(" and size (%.2f GB) %d", float64(r.size.V)/(1<<30), r.size.V)
	}
	// its record for the VM
	if vm := mgr.compute.VMs.ByID(r.vm.V); vm != nil && r.vm.Valid {
		text += fmt.Sprintf(" attached to VM %s (%s)", vm.Name, vm.UUID)
	}
	return text
}

func (mgr *Manager) describeNetworkOffering(r *record, out obj) string {
	text := "Network offering "
	if o := offeringByID(mgr.net.NetworkOfferings, r.offering); o != nil {
		out["offeringid"] = o.UUID
		text += fmt.Sprintf("%s (%s) usage ", o.Name, o.UUID)
	}
	out["isdefault"] = r.usageID.V == 1
	if vm := mgr.compute.VMs.ByID(r.vm.V); vm != nil && r.vm.Valid {
		text += fmt.Sprintf("for VM %s (%s) ", vm.Name, vm.UUID)
	}
	return text
}

func (mgr *Manager) describeNetwork(r *record, out obj) string {
	text := "Network usage "
	if n := mgr.net.Networks.ByID(r.usageID.V); n != nil {
		out["usageid"], out["name"] = n.UUID, n.Name
		text += fmt.Sprintf("for %s (%s) ", n.Name, n.UUID)
	}
	if o := offeringByID(mgr.net.NetworkOfferings, r.offering); o != nil {
		out["offeringid"] = o.UUID
		text += fmt.Sprintf("with network offering %s (%s)", o.Name, o.UUID)
	}
	if r.state.Valid {
		out["state"] = r.state.V
	}
	return text
}
