package usageprobe

import (
	"fmt"
	"slices"
)

// Kinds that share a helper table with others: the audit of a whole site tells them apart.
const (
	KindTemplate Kind = "template"
	KindISO      Kind = "ISO"
	KindSnapshot Kind = "snapshot"
	KindUpload   Kind = "uploaded volume"
	// KindVolumeOfVM is the second row of an attached volume, which 4.22.1 and later have: usage_volume.vm_id is its
	// Part.
	KindVolumeOfVM Kind = "attached volume"
)

// Meter says how a kind of metered thing is stored and which usage events move it, for readers of a whole site. Each
// row of cloud_usage that bills by time belongs to one meter.
type Meter struct {
	Kind
	Table      string // helper table, without its schema
	IDColumn   string
	PartColumn string // "" for none
	OpenedAt   string
	ClosedAt   string // NULL while open
	Where      string // which rows of a shared table are of this kind, "" for all
	RecordType int64
	Opens      []string
	Closes     []string
	Changes    []string // they replace an open row by a new one
	// PartOf says what tells resources with one id apart: nothing, the event's resource name (NICs), its zone, or
	// its vm_id.
	PartOf Part
	// AnyAccount: the close handler looks for the resource whatever its account.
	AnyAccount bool
	// ByHelperID: the handler of affected releases looks for the row by its own id, so that a close can be crossed
	// (UsageManagerImpl@4.16.1.0 to 4.19.2.0, 4.20.0.0).
	ByHelperID bool
	// Loose: events name all of a VM, so that only "open though gone" can be judged (#13921).
	Loose bool
	// Silent: a missing row is no finding, because releases exist that rightly or by another fault write none.
	Silent bool
}

// Part is what tells resources of one kind with one id apart.
type Part int

// What a Meter's Part is.
const (
	NoPart Part = iota
	PartName
	PartZone
	PartVM
)

// Kinds of rows in usage_storage (StorageTypes.java@4.20.0.0).
const (
	storedTemplate = iota + 1
	storedISO
	storedSnapshot
	storedVolume
)

// Meters are all meters, in the order of the usage types.
func Meters() []Meter {
	var all []Meter
	for _, s := range kindSpecs() {
		m := Meter{
			Kind:       s.kind,
			Table:      s.table,
			IDColumn:   s.idColumn,
			PartColumn: s.partColumn,
			OpenedAt:   s.openedAt,
			ClosedAt:   s.closedAt,
			RecordType: RecordType(s.kind),
			Opens:      s.opens,
			Closes:     s.closes,
			Changes:    s.changes,
			Loose:      s.loose,
		}
		if s.vmType != 0 {
			m.Where, m.AnyAccount = fmt.Sprintf("usage_type = %d", s.vmType), true
		}
		switch s.kind {
		case KindStorage:
			all = append(all, stored(m)...)
			continue
		case KindLB, KindPF:
			m.ByHelperID = true
		case KindNetwork, KindVPC:
			m.AnyAccount = true
		case KindNIC:
			m.PartOf = PartName
		case KindOnPrimary:
			m.PartColumn, m.ByHelperID = "", true
		case KindVMSnapshot:
			m.PartColumn = ""
		case KindVolume:
			all = append(all, m, ofVM(m))
			continue
		}
		all = append(all, m)
	}
	return all
}

// stored are the kinds of usage_storage. A snapshot's delete closes the rows of all zones, that of a template or an
// ISO those of one (UsageManagerImpl@4.20.0.0).
func stored(m Meter) []Meter {
	of := func(kind Kind, storage int, record int64, part Part, opens, closes []string) Meter {
		one := m
		one.Kind, one.RecordType, one.Opens, one.Closes, one.PartOf, one.Loose = kind, record, opens, closes, part,
			false
		one.Where, one.PartColumn = fmt.Sprintf("storage_type = %d", storage), ""
		if part == PartZone {
			one.PartColumn = "zone_id"
		}
		return one
	}
	upload := of(
		KindUpload,
		storedVolume,
		UsageUploadedVolume,
		NoPart,
		[]string{"VOLUME.UPLOAD"},
		[]string{"VOLUME.CREATE", "VOLUME.DELETE"},
	)
	upload.ByHelperID, upload.Silent = true, true
	return []Meter{
		of(
			KindTemplate,
			storedTemplate,
			usageTemplate,
			PartZone,
			[]string{"TEMPLATE.CREATE", "TEMPLATE.COPY"},
			[]string{"TEMPLATE.DELETE"},
		),
		of(KindISO, storedISO, usageISO, PartZone, []string{"ISO.CREATE", "ISO.COPY"}, []string{"ISO.DELETE"}),
		of(
			KindSnapshot,
			storedSnapshot,
			usageSnapshot,
			NoPart,
			[]string{"SNAPSHOT.CREATE"},
			[]string{"SNAPSHOT.DELETE"},
		),
		upload,
	}
}

// ofVM is the second model of volumes (#11531). A missing row is no finding: the key of 4.22.1 forbids the one of a
// VM's deployment, and volumes attached before the upgrade get none.
func ofVM(m Meter) Meter {
	m.Kind, m.PartColumn, m.PartOf, m.Silent = KindVolumeOfVM, "vm_id", PartVM, true
	m.Opens, m.Closes = []string{"VOLUME.CREATE", "VOLUME.ATTACH"}, []string{"VOLUME.DETACH", "VOLUME.DELETE"}
	return m
}

// Usage types of what only the audit of a whole site looks at.
const (
	usageTemplate = 7
	usageISO      = 8
	usageSnapshot = 9
)

// Act is what an event of a type does to a resource of this kind; 0 when it does nothing. An open event of a kind
// whose rows are replaced is a change too.
func (m Meter) Act(event string) Act {
	var act Act
	if slices.Contains(m.Opens, event) {
		act |= ActOpen
	}
	if slices.Contains(m.Closes, event) {
		act |= ActClose
	}
	if slices.Contains(m.Changes, event) {
		act |= ActChange
	}
	return act
}

// MeterOf is the meter of a kind; its zero value for a kind that has none.
func MeterOf(kind Kind) Meter {
	for _, m := range Meters() {
		if m.Kind == kind {
			return m
		}
	}
	return Meter{}
}
