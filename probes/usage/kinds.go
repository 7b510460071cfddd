package usageprobe

import "slices"

// Kind is a metered thing, named by what it is to CloudStack.
type Kind string

// The kinds that this package reads. A VM is two: what its running and what its allocated time is billed by.
const (
	KindLB          Kind = "load balancer rule"
	KindPF          Kind = "port forwarding rule"
	KindIP          Kind = "public IP address"
	KindNetwork     Kind = "network"
	KindVPC         Kind = "VPC"
	KindVMRunning   Kind = "running VM"
	KindVMAllocated Kind = "allocated VM"
	KindVolume      Kind = "volume"
	KindNIC         Kind = "NIC offering"
	KindVPNUser     Kind = "VPN user"
	KindStorage     Kind = "secondary storage"
	// A VM snapshot is named by its VM; Part is its own id.
	KindVMSnapshot Kind = "VM snapshot"
	KindOnPrimary  Kind = "VM snapshot on primary storage"
	KindBackup     Kind = "backup"
)

// Kinds are those of the helper tables.
func Kinds() []Kind {
	var all []Kind
	for _, s := range kindSpecs() {
		all = append(all, s.kind)
	}
	return all
}

// Usage types of cloud_usage.cloud_usage (UsageTypes.java@4.20.0.0), as far as they belong to a Kind.
const (
	UsageRunningVM       = 1
	UsageAllocatedVM     = 2
	UsageIPAddress       = 3
	UsageVolume          = 6
	UsageLoadBalancer    = 11
	UsagePortForwarding  = 12
	UsageNetworkOffering = 13
	UsageVPNUser         = 14
	UsageVMSnapshot      = 25
	UsageUploadedVolume  = 26
	UsageOnPrimary       = 27
	UsageBackup          = 28
	UsageNetwork         = 30
	UsageVPC             = 31
)

// Ref names a metered resource. ID is the internal id (firewall_rules.id for rules, the VM's id for a NIC); Part tells
// resources with one ID apart and is the NIC's id for a NIC offering, else empty.
type Ref struct {
	Kind Kind   `json:"kind"`
	ID   int64  `json:"id"`
	Part string `json:"part,omitempty"`
}

// Touched is the set of resources that a scenario acted on. Part may be left empty for "all of this ID". Resources with
// an event of their own since the earlier snapshot need not be named.
type Touched map[Ref]bool

func (t Touched) has(r Ref) bool { return t[r] || t[Ref{Kind: r.Kind, ID: r.ID}] }

// kindSpec says how a kind is stored and which events move it.
type kindSpec struct {
	kind       Kind
	table      string // in cloud_usage
	idColumn   string
	openedAt   string // column
	closedAt   string // column; NULL while open
	vmType     int64  // usage_vm_instance.usage_type, else 0
	recordType int64  // cloud_usage.usage_type; 0: records not checked
	opens      []string
	closes     []string
	// changes replace an open row by a new one, on some releases only (NETWORK.UPDATE: 4.19.3, 4.20.1 and later). They
	// neither begin nor end a life.
	changes []string
	// strict kinds have their first own delete event as the only right close date.
	strict bool
	// partColumn is the column of Ref.Part, "" for none.
	partColumn string
	// loose kinds are looked at by I9 alone: their events cover one zone, all zones or none, one snapshot or all of a
	// VM (#13921), and nothing in cloud tells whether they live.
	loose bool
}

// kindSpecs follows UsageManagerImpl and its handlers (@4.19.1.0, 4.19.3.0, 4.20.0.0, 4.20.1.0).
func kindSpecs() []kindSpec {
	return []kindSpec{
		{kind: KindLB, table: "usage_load_balancer_policy", idColumn: "lb_id", openedAt: "created", closedAt: "deleted",
			recordType: UsageLoadBalancer, opens: []string{"LB.CREATE"}, closes: []string{"LB.DELETE"}, strict: true},
		{kind: KindPF, table: "usage_port_forwarding", idColumn: "pf_id", openedAt: "created", closedAt: "deleted",
			recordType: UsagePortForwarding, opens: []string{"NET.RULEADD"}, closes: []string{"NET.RULEDELETE"},
			strict: true},
		{kind: KindIP, table: "usage_ip_address", idColumn: "ip_id", openedAt: "assigned", closedAt: "released",
			recordType: UsageIPAddress, opens: []string{"NET.IPASSIGN"}, closes: []string{"NET.IPRELEASE"},
			strict: true},
		{kind: KindNetwork, table: "usage_networks", idColumn: "network_id", openedAt: "created", closedAt: "removed",
			recordType: UsageNetwork, opens: []string{"NETWORK.CREATE"}, closes: []string{"NETWORK.DELETE"},
			changes: []string{"NETWORK.UPDATE"}},
		{kind: KindVPC, table: "usage_vpc", idColumn: "vpc_id", openedAt: "created", closedAt: "removed",
			recordType: UsageVPC, opens: []string{"VPC.CREATE"}, closes: []string{"VPC.DELETE"}, strict: true},
		{kind: KindVMRunning, table: "usage_vm_instance", idColumn: "vm_instance_id", openedAt: "start_date",
			closedAt: "end_date",
			vmType:   UsageRunningVM, recordType: UsageRunningVM, opens: []string{"VM.START"},
			closes:  []string{"VM.STOP"},
			changes: []string{"VM.START", "VM.DYNAMIC.SCALE"}},
		{kind: KindVMAllocated, table: "usage_vm_instance", idColumn: "vm_instance_id", openedAt: "start_date",
			closedAt: "end_date",
			vmType:   UsageAllocatedVM, recordType: UsageAllocatedVM, opens: []string{"VM.CREATE"},
			closes:  []string{"VM.DESTROY"},
			changes: []string{"VM.UPGRADE", "VM.DYNAMIC.SCALE"}},
		{kind: KindVolume, table: "usage_volume", idColumn: "volume_id", openedAt: "created", closedAt: "deleted",
			recordType: UsageVolume, opens: []string{"VOLUME.CREATE"}, closes: []string{"VOLUME.DELETE"},
			changes: []string{"VOLUME.CREATE", "VOLUME.RESIZE"}},
		{kind: KindNIC, table: "usage_network_offering", idColumn: "vm_instance_id", openedAt: "created",
			closedAt:   "deleted",
			recordType: UsageNetworkOffering, opens: []string{"NETWORK.OFFERING.ASSIGN"},
			closes: []string{"NETWORK.OFFERING.REMOVE", "NETWORK.OFFERING.DELETE"}, strict: true, partColumn: "nic_id"},
		{kind: KindVPNUser, table: "usage_vpn_user", idColumn: "user_id", openedAt: "created", closedAt: "deleted",
			recordType: UsageVPNUser, opens: []string{"VPN.USER.ADD"}, closes: []string{"VPN.USER.REMOVE"},
			strict: true},
		// Templates, ISOs, snapshots and uploaded volumes share one table; storage_type tells them apart.
		{kind: KindStorage, table: "usage_storage", idColumn: "entity_id", openedAt: "created", closedAt: "deleted",
			partColumn: "storage_type", loose: true},
		{kind: KindVMSnapshot, table: "usage_vmsnapshot", idColumn: "vm_id", openedAt: "created", closedAt: "processed",
			opens: []string{"VMSNAPSHOT.CREATE"}, closes: []string{"VMSNAPSHOT.DELETE"}, partColumn: "vm_snapshot_id",
			loose: true},
		{kind: KindOnPrimary, table: "usage_snapshot_on_primary", idColumn: "vm_id", openedAt: "created",
			closedAt: "deleted",
			opens:    []string{"VMSNAPSHOT.ON_PRIMARY"}, closes: []string{"VMSNAPSHOT.OFF_PRIMARY"}, partColumn: "name",
			loose: true},
		{kind: KindBackup, table: "usage_backup", idColumn: "vm_id", openedAt: "created", closedAt: "removed",
			opens:   []string{"BACKUP.OFFERING.ASSIGN"},
			closes:  []string{"BACKUP.OFFERING.REMOVE", "BACKUP.OFFERING.BACKUPS.DEL"}, // the second from 4.21.0.0 on
			changes: []string{"BACKUP.USAGE.METRIC"}, loose: true},
	}
}

func (s kindSpec) eventRef(e UsageEvent) Ref {
	r := Ref{Kind: s.kind, ID: e.ResourceID}
	if s.kind == KindNIC {
		r.Part = e.ResourceName // the event carries the NIC's id as its resource name
	}
	return r
}

// EventTypes are the usage events that begin and end a life of the kind.
func EventTypes(kind Kind) (opens, closes []string) {
	s := specOf(kind)
	return s.opens, s.closes
}

// RecordType is the usage type of the records of a kind.
func RecordType(kind Kind) int64 {
	switch kind {
	case KindVMSnapshot:
		return UsageVMSnapshot
	case KindOnPrimary:
		return UsageOnPrimary
	case KindBackup:
		return UsageBackup
	case KindStorage:
		return UsageUploadedVolume
	}
	return specOf(kind).recordType
}

// Concerns says whether the event is about this resource. The events of kinds with a Part name only the NIC's; those of
// snapshots are about all of a VM.
func (r Ref) Concerns(e UsageEvent) bool {
	s := specOf(r.Kind)
	named := s.eventRef(e)
	return s.concerns(e) && named.ID == r.ID && (named.Part == "" || r.Part == "" || named.Part == r.Part)
}

func (s kindSpec) isOpen(e UsageEvent) bool   { return slices.Contains(s.opens, e.Type) }
func (s kindSpec) isClose(e UsageEvent) bool  { return slices.Contains(s.closes, e.Type) }
func (s kindSpec) isChange(e UsageEvent) bool { return slices.Contains(s.changes, e.Type) }
func (s kindSpec) concerns(e UsageEvent) bool { return s.isOpen(e) || s.isClose(e) || s.isChange(e) }
