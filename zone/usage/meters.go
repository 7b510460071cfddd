package usage

import "fmt"

// meters are the helper tables that follow the common pattern, in CloudStack's order (usage/parser@4.20.0.0).
func meters(rules Rules) []meter {
	return append(append(computeMeters(rules), ruleMeters()...), spanMeters()...)
}

func computeMeters(rules Rules) []meter {
	return []meter{{
		table: vmTable, from: "start_date", until: "end_date",
		columns: "usage_type, vm_instance_id, vm_name, service_offering_id, template_id, hypervisor_type, " +
			"cpu_cores, cpu_speed, memory",
		key: keyed("usage_type", "vm_instance_id", "service_offering_id", "cpu_cores", "cpu_speed", "memory"),
		usageType: func(r row) int {
			return int(r.integer("usage_type"))
		},
		fill: fillVM,
	}, volumeMeter(rules), {
		table: storageTable, from: "created", until: "deleted",
		columns: "entity_id, storage_type, source_id, size, virtual_size",
		key:     keyed("entity_id", "zone_id", "storage_type"),
		usageType: func(r row) int {
			return storageKind(r).usageType
		},
		fill: fillStorage,
	}, {
		table: "usage_security_group", from: "created", until: "deleted", columns: "vm_instance_id, security_group_id",
		key: keyed("vm_instance_id", "security_group_id"), usageType: always(TypeSecurityGroup),
		fill: func(r row, record *Record) {
			record.Description = fmt.Sprintf("Security Group: %d for Vm : %d usage time",
				r.integer("security_group_id"), r.integer("vm_instance_id"))
			record.VMInstanceID, record.UsageID = r["vm_instance_id"], r["security_group_id"]
		},
	}}
}

// volumeMeter makes one record of a volume, and under Rules.VolumesPerVM one more for its VM.
func volumeMeter(rules Rules) meter {
	m := meter{
		table: volumeTable, from: "created", until: "deleted",
		columns: "volume_id, disk_offering_id, template_id, size",
		key:     keyed("volume_id", "disk_offering_id", "size"), usageType: always(TypeVolume), fill: fillVolume,
	}
	if rules.VolumesPerVM {
		m.columns += ", vm_id"
		m.key = keyed("volume_id", "disk_offering_id", "vm_id", "size")
	}
	return m
}

func fillVolume(r row, record *Record) {
	record.Description = fmt.Sprintf("Volume Id: %d usage time", r.integer("volume_id"))
	if r["template_id"] != nil {
		record.Description += fmt.Sprintf(" (Template: %d)", r.integer("template_id"))
	} else if r["disk_offering_id"] != nil {
		record.Description += fmt.Sprintf(" (DiskOffering: %d)", r.integer("disk_offering_id"))
	}
	record.OfferingID, record.TemplateID = r["disk_offering_id"], r["template_id"]
	record.UsageID, record.Size = r["volume_id"], r["size"]
	if r["vm_id"] != nil {
		record.Description += fmt.Sprintf(" (VM: %d)", r.integer("vm_id"))
		record.VMInstanceID = r["vm_id"]
	}
}

func fillVM(r row, record *Record) {
	does := "running time"
	if record.UsageType == TypeAllocatedVM {
		does = "allocated"
	}
	record.Description = fmt.Sprintf("%s %s (ServiceOffering: %d) (Template: %d)", r.text("vm_name"), does,
		r.integer("service_offering_id"), r.integer("template_id"))
	record.VMInstanceID, record.VMName, record.UsageID = r["vm_instance_id"], r["vm_name"], r["vm_instance_id"]
	record.OfferingID, record.TemplateID, record.Type = r["service_offering_id"], r["template_id"], r["hypervisor_type"]
	record.CPUCores, record.CPUSpeed, record.Memory = r["cpu_cores"], r["cpu_speed"], r["memory"]
}

// kind is what one storage type is billed as.
type kind struct {
	usageType int
	name      string
}

func storageKind(r row) kind {
	return map[int64]kind{
		storageTemplate: {TypeTemplate, "Template"}, storageISO: {TypeISO, "ISO"},
		storageSnapshot: {TypeSnapshot, "Snapshot"}, storageVolume: {TypeVolumeSecondary, "Volume"},
	}[r.integer("storage_type")]
}

func fillStorage(r row, record *Record) {
	virtual := "virtual_size"
	switch r.integer("storage_type") {
	case storageISO:
		virtual = "size"
	case storageTemplate:
		record.TemplateID = r["source_id"]
	}
	record.Description = fmt.Sprintf("%s Id:%d Size:%s", storageKind(r).name, r.integer("entity_id"),
		r.humanSize("size"))
	if r.integer("storage_type") != storageSnapshot {
		record.Description += " VirtualSize: " + r.humanSize(virtual)
	}
	record.UsageID, record.Size, record.VirtualSize = r["entity_id"], r["size"], r[virtual]
}

func ruleMeters() []meter {
	return []meter{{
		table: "usage_load_balancer_policy", from: "created", until: "deleted", columns: "lb_id", key: keyed("lb_id"),
		usageType: always(TypeLoadBalancer),
		fill: func(r row, record *Record) {
			record.Description, record.UsageID = fmt.Sprintf("Load Balancing Policy: %d usage time",
				r.integer("lb_id")), r["lb_id"]
		},
	}, {
		table: "usage_port_forwarding", from: "created", until: "deleted", columns: "pf_id", key: keyed("pf_id"),
		usageType: always(TypePortForwarding),
		fill: func(r row, record *Record) {
			record.Description, record.UsageID = fmt.Sprintf("Port Forwarding Rule: %d usage time", r.integer("pf_id")),
				r["pf_id"]
		},
	}, {
		table: "usage_network_offering", from: "created", until: "deleted",
		columns: "vm_instance_id, network_offering_id, is_default",
		key:     keyed("vm_instance_id", "network_offering_id"), usageType: always(TypeNetworkOffering),
		fill: func(r row, record *Record) {
			record.Description = fmt.Sprintf("Network offering:%d for Vm : %d usage time",
				r.integer("network_offering_id"), r.integer("vm_instance_id"))
			record.VMInstanceID, record.OfferingID, record.UsageID = r["vm_instance_id"], r["network_offering_id"],
				r["is_default"]
		},
	}, {
		table: "usage_ip_address", from: "assigned", until: "released", bounded: true,
		columns: "ip_id, public_ip_address, is_source_nat, is_system, is_hidden", key: keyed("ip_id"),
		usageType: always(TypeIPAddress),
		fill: func(r row, record *Record) {
			record.Description, record.Type = "IPAddress: "+r.text("public_ip_address"), ""
			if r.integer("is_source_nat") == 1 {
				record.Type = "SourceNat"
			}
			record.UsageID, record.Size, record.Hidden = r["ip_id"], r["is_system"], r.integer("is_hidden") == 1
		},
	}, {
		table: "usage_vpn_user", from: "created", until: "deleted", columns: "user_id, user_name",
		key:       keyed("user_id", "user_name"),
		usageType: always(TypeVPNUser),
		fill: func(r row, record *Record) {
			record.Description = fmt.Sprintf("VPN User: %s, Id: %d usage time", r.text("user_name"),
				r.integer("user_id"))
			record.UsageID = r["user_id"]
		},
	}}
}

// spanMeters make one record of each row: a network that changed its state has several in one slice.
func spanMeters() []meter {
	return []meter{{
		table: "usage_backup", from: "created", until: "removed", bounded: true,
		columns:   "vm_id, backup_offering_id, size, protected_size",
		usageType: always(TypeBackup),
		fill: func(r row, record *Record) {
			record.Description = fmt.Sprintf("Backup usage VM ID: %d, backup offering: %d", r.integer("vm_id"),
				r.integer("backup_offering_id"))
			record.VMInstanceID, record.OfferingID, record.UsageID = r["vm_id"], r["backup_offering_id"], r["vm_id"]
			record.Size, record.VirtualSize = r["size"], r["protected_size"]
		},
	}, {
		table: "usage_networks", from: "created", until: "removed", bounded: true,
		columns:   "network_id, network_offering_id, state",
		usageType: always(TypeNetwork),
		fill: func(r row, record *Record) {
			record.Description = fmt.Sprintf("Network usage for network ID: %d, network offering: %d",
				r.integer("network_id"), r.integer("network_offering_id"))
			record.OfferingID, record.UsageID = r["network_offering_id"], r["network_id"]
			record.Size, record.State = 0, r["state"]
		},
	}, {
		table: "usage_vpc", from: "created", until: "removed", bounded: true, columns: "vpc_id",
		usageType: always(TypeVPC),
		fill: func(r row, record *Record) {
			record.Description = fmt.Sprintf("VPC usage for VPC ID: %d", r.integer("vpc_id"))
			record.UsageID, record.Size = r["vpc_id"], 0
		},
	}}
}
