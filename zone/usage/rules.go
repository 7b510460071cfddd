package usage

import "github.com/stackproof/stackproof/release"

// Rules are the ways in which releases differ. The zero value is a release with all fixes but without the clean-up of
// 4.20.2.
type Rules struct {
	// CloseByHelperPK: LB.DELETE and NET.RULEDELETE look for the helper row by its own primary key instead of by the
	// rule's id (4.16.1–4.19.2 and 4.20.0; fixed by #10712 and #9888). The row found may belong to another rule.
	CloseByHelperPK bool
	// StorageByHelperPK: VOLUME.CREATE and VOLUME.UPLOAD look for a volume's secondary storage row by primary key
	// (same releases and fixes).
	StorageByHelperPK bool
	// SnapshotByHelperPK: VMSNAPSHOT.OFF_PRIMARY looks for the row by primary key instead of by VM (same).
	SnapshotByHelperPK bool
	// NetworkModelOld: network and VPC rows are always inserted, edited in place and closed one at a time, and closing
	// sets their state (4.19.1, 4.19.2, 4.20.0; changed by #10755).
	NetworkModelOld bool
	// CleanOwnJobsAtStart: at start the open jobs of the same host are removed (4.20.2; #10848).
	CleanOwnJobsAtStart bool
	// OwnsAtHeartbeat: a heartbeat that finds no open recurring job opens one (4.20.3, 4.22.1; #12507). Before, a
	// server looks for one only when it starts, so nobody goes on when the one that works is stopped.
	OwnsAtHeartbeat bool
	// VolumesPerVM: events of volumes name a VM, and an attached volume has a second row and a second record, for its
	// VM (from 4.22.1.0; #11531). Tables must have the vm_id columns.
	VolumesPerVM bool
	// DuplicateRollsBack: a helper row that is refused as a duplicate rolls back all that the run has handled so far,
	// its own event included. What comes later is committed statement by statement, and the job succeeds (4.22.1.0;
	// #13399, GenericDaoBase.persist and TransactionLegacy.removeUpTo).
	DuplicateRollsBack bool

	// BackupsToLast: BACKUP.OFFERING.BACKUPS.DEL closes the rows of a VM's backups of one offering; before,
	// BACKUP.OFFERING.REMOVE closed those of all (UsageBackupDaoImpl.java@4.21.0.0, @4.20.3.0).
	BackupsToLast bool

	// The rest are repairs of defects that every release seen has: no release has them on.

	// NICAlone: removing a NIC closes its own row and not those of the VM's other NICs with the same offering.
	NICAlone bool
	// VPNUserAtEvent: a removed VPN user's row is closed with the time of the removal instead of the job's.
	VPNUserAtEvent bool
	// AddressByID: a released address is found by its id instead of by its text, which may occur in two zones.
	AddressByID bool
	// CreateOnce: a second create event of a load balancer rule or a volume, for the second at which its open row
	// began, is ignored with a warning (#13909).
	CreateOnce bool
	// YearCarries: a first window on 1 January begins the day before, one in hour 0 in the hour before.
	YearCarries bool
	// SnapshotsApart: each VM snapshot has a life of its own; neither a later one nor the delete of another ends it
	// (#13921).
	SnapshotsApart bool
	// BackupSizesApart: a report of another size ends the row of a VM's backups and begins one of the new size
	// (#13070).
	BackupSizesApart bool
}

// RulesOf gives the rules of a set of knobs.
func RulesOf(on release.Knobs) Rules {
	broken := on[release.UsageCloseByHelperID]
	return Rules{
		CloseByHelperPK: broken, StorageByHelperPK: broken, SnapshotByHelperPK: broken,
		NetworkModelOld: on[release.NetworkUsageModelOld], CleanOwnJobsAtStart: on[release.UsageCleanOwnJobsAtStart],
		OwnsAtHeartbeat: on[release.UsageOwnsAtHeartbeat],
		VolumesPerVM:    on[release.VolumeUsagePerVM], DuplicateRollsBack: on[release.UsageVolumeKeyNarrow],
		BackupsToLast: on[release.BackupsBilledToLast],
		NICAlone:      !on[release.UsageNICCloseByOffering], VPNUserAtEvent: !on[release.UsageVPNCloseAtJob],
		AddressByID: !on[release.UsageReleaseByText], CreateOnce: !on[release.UsageCreateRepeated],
		YearCarries: !on[release.UsageYearRoll], SnapshotsApart: !on[release.UsageVMSnapshotsAsOne],
		BackupSizesApart: !on[release.UsageBackupSizeOfLast],
	}
}

// Usage types that are written here (UsageTypes.java@4.20.0.0).
const (
	TypeRunningVM       = 1
	TypeAllocatedVM     = 2
	TypeIPAddress       = 3
	TypeVolume          = 6
	TypeTemplate        = 7
	TypeISO             = 8
	TypeSnapshot        = 9
	TypeSecurityGroup   = 10
	TypeLoadBalancer    = 11
	TypePortForwarding  = 12
	TypeNetworkOffering = 13
	TypeVPNUser         = 14
	TypeVMSnapshot      = 25
	TypeVolumeSecondary = 26
	TypeOnPrimary       = 27
	TypeBackup          = 28
	TypeNetwork         = 30
	TypeVPC             = 31
)
