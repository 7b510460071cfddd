package usageprobe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// recordSays holds a record against the helper rows that it can come from: it must say what one of them says.
func (c *checker) recordSays(r Record) {
	v := Violation{
		Invariant: "I12",
		Class:     ClassWrongColumn,
		Table:     schemaUsage + ".cloud_usage",
		HelperID:  r.ID,
		AccountID: r.AccountID,
	}
	if want, right := r.displayed(); !right {
		v.Expected, v.Seen = "usage_display "+want, "usage_display "+r.Column("usage_display")
		c.report(v, nil)
	}
	var best []string
	rows := 0
	for _, row := range c.Rows {
		if row.AccountID != r.AccountID || !row.mayBill(r) || row.recordType() != r.Type || !row.within(r) {
			continue
		}
		rows++
		wrong := c.differences(r, row)
		if len(wrong) == 0 {
			return
		}
		if best == nil || len(wrong) < len(best) {
			best, v.Ref = wrong, row.Ref
		}
	}
	if !meteredHere(r.Type) && slices.Contains(counted(), r.Type) {
		return
	}
	v.Expected, v.Seen = "what its usage row says", strings.Join(best, "; ")
	if rows == 0 {
		v.Seen = fmt.Sprintf("no usage row of type %d of its resource and account in its window", r.Type)
	}
	c.report(v, nil)
}

// displayed is what usage_display must be, and whether it is: hours, or of a counter the amount and what was counted
// ("100 bytes sent", NetworkUsageParser.java@4.20.3.0; seen on a running 4.20.3.0).
func (r Record) displayed() (want string, right bool) {
	text := r.Column("usage_display")
	if slices.Contains(counted(), r.Type) && r.Type != usageSecurityGroup {
		amount := strconv.FormatFloat(r.RawUsage, 'f', 0, 64)
		counts := strings.HasPrefix(text, amount+" ") && !strings.HasSuffix(text, " Hrs")
		return amount + " and what was counted", counts
	}
	want = Display(r.RawUsage)
	return want, text == want
}

// usageSecurityGroup counts hours, though its records have no helper row that is read here.
const usageSecurityGroup = 10

// counted are the usage types whose records come from counters of bytes and of disk operations, or from security groups
// (UsageTypes.java@4.20.0.0): no helper row that is read here tells of them.
func counted() []int64 { return []int64{4, 5, 10, 21, 22, 23, 24} }

// meteredHere says whether the records of a usage type come from helper rows that are read here.
func meteredHere(usageType int64) bool {
	if usageType == usageTemplate || usageType == usageISO || usageType == usageSnapshot {
		return true
	}
	for _, s := range kindSpecs() {
		if RecordType(s.kind) == usageType {
			return true
		}
	}
	return false
}

// recordType is the usage type of the row's records.
func (r HelperRow) recordType() int64 {
	if r.Kind == KindStorage {
		return map[string]int64{"1": usageTemplate, "2": usageISO, "3": usageSnapshot, "4": UsageUploadedVolume}[r.Part]
	}
	return RecordType(r.Kind)
}

// mayBill says whether a record names the row's resource, in whichever column its type does.
func (r HelperRow) mayBill(rec Record) bool {
	return rec.UsageID == r.ID || rec.VMID == r.ID || r.Kind == KindVMSnapshot || r.Kind == KindOnPrimary
}

// within says whether a row lived in a record's window. A second is left to rounding.
func (r HelperRow) within(rec Record) bool {
	w := rec.window()
	return !r.Created.After(w.to) && (r.Open() || !r.Closed.Before(w.from.Add(-time.Second)))
}

// Display is an amount of hours as usage_display shows it (UsageDisplay, pattern #.###### Hrs@4.20.0.0).
func Display(hours float64) string {
	text := strconv.FormatFloat(hours, 'f', 6, 64)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	return cmp.Or(text, "0") + " Hrs"
}

// differences are the columns of a record that do not say what a row says.
func (c *checker) differences(rec Record, row HelperRow) (wrong []string) {
	of := func(name string) string { return row.Column(name) }
	want := map[string]string{"zone_id": of("zone_id"), "account_id": of("account_id"), "vm_instance_id": "NULL",
		"vm_name": "NULL", "cpu_cores": "NULL", "cpu_speed": "NULL", "memory": "NULL", "offering_id": "NULL",
		"template_id": "NULL", "usage_id": fmt.Sprint(row.ID), "type": "NULL", "size": "NULL", "virtual_size": "NULL",
		"network_id": "NULL", "is_hidden": "0", "state": "NULL", "domain_id": of("domain_id")}
	if domain, known := c.Domains[row.AccountID]; known {
		want["domain_id"] = fmt.Sprint(domain)
	}
	words := fillRecord(row, want)
	if row.Kind == KindNetwork {
		if by := c.openersOf(row); len(by) > 0 && !by[0].Created.Equal(row.Created) {
			want["state"], want["offering_id"], words = anything, anything, words[:1] // changed in place since
		}
	}
	for _, name := range []string{"zone_id", "account_id", "domain_id", "vm_instance_id", "vm_name", "cpu_cores",
		"cpu_speed", "memory", "offering_id", "template_id", "usage_id", "type", "size", "virtual_size", "network_id",
		"is_hidden", "state"} {
		have, there := rec.Column(name), want[name]
		if there == "" && name != "type" || there == anything || have == there || have+there == "NULL" {
			continue
		}
		wrong = append(wrong, fmt.Sprintf("%s %s, want %s", name, have, there))
	}
	for _, word := range words {
		if !strings.Contains(rec.Description, word) {
			wrong = append(wrong, fmt.Sprintf("description %q, want %q in it", rec.Description, word))
		}
	}
	left := rec.Description
	for _, word := range words {
		left = strings.Replace(left, word, "", 1)
	}
	glue := map[Kind]string{KindNetwork: "Networkusagefor", KindBackup: "Backupusage"}
	sized := row.Kind == KindStorage || row.Kind == KindVMSnapshot || row.Kind == KindOnPrimary
	if left = strings.ReplaceAll(left, " ", ""); left != glue[row.Kind] && !sized && len(words) > 0 &&
		want["state"] != anything {
		wrong = append(wrong, fmt.Sprintf("description %q, want no more than %q", rec.Description, words))
	}
	return wrong
}

// anything is a column that no row tells.
const anything = "*"

// fillRecord completes what a record of a row must hold, and answers what its description must name
// (usage/parser/*.java@4.20.0.0).
func fillRecord(row HelperRow, want map[string]string) (words []string) {
	of := func(name string) string { return row.Column(name) }
	id := fmt.Sprint(row.ID)
	switch row.Kind {
	case KindLB:
		return []string{"Load Balancing Policy: " + id + " usage time"}
	case KindPF:
		return []string{"Port Forwarding Rule: " + id + " usage time"}
	case KindIP:
		if want["type"] = ""; of("is_source_nat") == "1" {
			want["type"] = "SourceNat"
		}
		want["size"], want["is_hidden"] = of("is_system"), of("is_hidden")
		return []string{"IPAddress: " + of("public_ip_address")}
	case KindNetwork:
		want["offering_id"], want["state"], want["size"] = of("network_offering_id"), of("state"), "0"
		if !row.Open() && row.State == "Destroy" { // set when the row was closed, after the record was written
			want["state"] = anything
		}
		return []string{"network ID: " + id + ",", "network offering: " + of("network_offering_id")}
	case KindVPC:
		want["size"] = "0"
		return []string{"VPC usage for VPC ID: " + id}
	case KindVMRunning, KindVMAllocated:
		want["vm_instance_id"], want["vm_name"], want["type"] = id, of("vm_name"), of("hypervisor_type")
		want["offering_id"], want["template_id"] = of("service_offering_id"), of("template_id")
		want["cpu_cores"], want["cpu_speed"], want["memory"] = of("cpu_cores"), of("cpu_speed"), of("memory")
		does := map[Kind]string{KindVMRunning: " running time", KindVMAllocated: " allocated"}[row.Kind]
		return []string{of("vm_name") + does, "(ServiceOffering: " + of("service_offering_id") + ")",
			"(Template: " + of("template_id") + ")"}
	case KindVolume:
		want["offering_id"], want["template_id"], want["size"] = of("disk_offering_id"), of("template_id"), of("size")
		words = []string{"Volume Id: " + id + " usage time"}
		if of("template_id") != "NULL" {
			return append(words, "(Template: "+of("template_id")+")")
		}
		if of("disk_offering_id") != "NULL" {
			words = append(words, "(DiskOffering: "+of("disk_offering_id")+")")
		}
		return words
	case KindNIC:
		want["vm_instance_id"], want["offering_id"], want["usage_id"] = id, of("network_offering_id"), of("is_default")
		return []string{"Network offering:" + of("network_offering_id") + " for Vm : " + id + " usage time"}
	}
	return fillOther(row, want)
}

func fillOther(row HelperRow, want map[string]string) (words []string) {
	of := func(name string) string { return row.Column(name) }
	id := fmt.Sprint(row.ID)
	switch row.Kind {
	case KindVPNUser:
		return []string{"VPN User: " + of("user_name") + ", Id: " + id + " usage time"}
	case KindStorage:
		want["size"], want["virtual_size"] = of("size"), of("virtual_size")
		switch row.Part {
		case "1":
			want["template_id"] = of("source_id")
		case "2":
			want["virtual_size"] = of("size")
		}
		name := map[string]string{"1": "Template", "2": "ISO", "3": "Snapshot", "4": "Volume"}[row.Part]
		return []string{name + " Id:" + id + " ", ") " + of("size")}
	case KindVMSnapshot:
		want["vm_instance_id"], want["offering_id"], want["size"] = id, of("disk_offering_id"), of("size")
		want["usage_id"] = anything // as one, a snapshot's record has the id of the one that ended it (#13921)
		return []string{"VM Id: " + id + " ", "Volume Id: " + of("volume_id"), ") " + of("size")}
	case KindOnPrimary:
		want["vm_instance_id"], want["vm_name"], want["usage_id"] = of("volume_id"), of("name"), of("vm_snapshot_id")
		want["size"], want["virtual_size"] = of("physicalsize"), of("virtualsize")
		return []string{"VMSnapshot Id: " + of("vm_snapshot_id") + " ", "VM Id: " + of("volume_id") + " ",
			") " + of("virtualsize")}
	case KindBackup:
		want["vm_instance_id"], want["offering_id"] = id, of("backup_offering_id")
		want["size"], want["virtual_size"] = anything, anything // the newest metric, which the row had then
		return []string{"VM ID: " + id + ",", "backup offering: " + of("backup_offering_id")}
	}
	return nil
}
