package metering

import (
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/usage"
)

// usageFault is a planted fault of the usage server.
type usageFault struct {
	name  release.Knob
	types []int // usage types that it concerns; empty: load balancer rules
	set   func(*usage.Faults)
}

// usageFaults are all of them. Faults with different types do not combine: each would act on the types of all.
func usageFaults() []usageFault {
	return slices.Concat(lbUsageFaults(), streamFaults(), otherUsageFaults())
}

func lbUsageFaults() []usageFault {
	return []usageFault{
		{fault.UsageCloseNothing, nil, func(f *usage.Faults) { f.CloseNothing = true }},
		{fault.UsageCloseWrongDate, nil, func(f *usage.Faults) { f.CloseWrongDate = true }},
		{fault.UsageCloseHourOff, nil, func(f *usage.Faults) { f.CloseHourOff = true }},
		{fault.UsageCloseOnMinute, nil, func(f *usage.Faults) { f.CloseOnMinute = true }},
		{fault.UsageCloseTwice, nil, func(f *usage.Faults) { f.CloseTwice = true }},
		{fault.UsageCloseAnyAccount, nil, func(f *usage.Faults) { f.CloseAnyAccount = true }},
		{fault.UsageRowVanishes, nil, func(f *usage.Faults) { f.RowVanishes = true }},
		{fault.UsageCreateRowTwice, nil, func(f *usage.Faults) { f.CreateRowTwice = true }},
		{fault.UsageRecordAfterClose, nil, func(f *usage.Faults) { f.RecordAfterClose = true }},
		{fault.UsageRecordTooLong, nil, func(f *usage.Faults) { f.RecordTooLong = true }},
		{fault.UsageRecordRounded, nil, func(f *usage.Faults) { f.RecordRounded = true }},
		{fault.UsageColumnDomain, nil, wrongColumn("usage_networks", "domain_id")},
		{fault.UsageColumnOffering, nil, wrongColumn("usage_volume", "disk_offering_id")},
		{fault.UsageColumnDefault, nil, wrongColumn("usage_network_offering", "is_default")},
		{fault.UsageColumnDescription, nil, wrongColumn("cloud_usage", "description")},
		{fault.UsageRecordMissing, nil, func(f *usage.Faults) { f.RecordMissing = true }},
		{fault.UsageRecordDuplicate, nil, func(f *usage.Faults) { f.RecordDuplicate = true }},
		{fault.UsageSkipAddState, nil, func(f *usage.Faults) { f.SkipAddState = true }},
		{fault.UsageWrongAccount, nil, func(f *usage.Faults) { f.WrongAccount = true }},
	}
}

func wrongColumn(table, column string) func(*usage.Faults) {
	return func(f *usage.Faults) { f.Wrong = append(f.Wrong, usage.Cell{Table: table, Column: column}) }
}

// streamFaults concern events, windows and processes.
func streamFaults() []usageFault {
	return []usageFault{
		{fault.UsageEventLost, nil, func(f *usage.Faults) { f.EventLost = true }},
		{fault.UsageEventProcessedTwice, nil, func(f *usage.Faults) { f.EventProcessedTwice = true }},
		{fault.UsageEventsLeftUnprocessed, nil, func(f *usage.Faults) { f.EventsLeftUnprocessed = true }},
		{fault.UsageDeletesFirst, nil, func(f *usage.Faults) { f.DeletesFirst = true }},
		{fault.UsageDuplicateBlocks, nil, func(f *usage.Faults) { f.DuplicateBlocks = true }},
		{fault.UsageUnknownBlocks, nil, func(f *usage.Faults) { f.UnknownBlocks = true }},
		{fault.UsagePortableReleasesAll, nil, func(f *usage.Faults) { f.PortableReleasesAll = true }},
		{fault.UsageSkipWindow, nil, func(f *usage.Faults) { f.SkipWindow = true }},
		{fault.UsageOverlapWindow, nil, func(f *usage.Faults) { f.OverlapWindow = true }},
		{fault.UsageGapWindow, nil, func(f *usage.Faults) { f.GapWindow = true }},
		{fault.UsageForgetSuccess, nil, func(f *usage.Faults) { f.ForgetSuccess = true }},
		{fault.UsageLastSecondLate, nil, func(f *usage.Faults) { f.LastSecondLate = true }},
		{fault.UsageFirstSecondUnbilled, nil, func(f *usage.Faults) { f.FirstSecondUnbilled = true }},
		{fault.UsageFirstDay24Hours, nil, func(f *usage.Faults) { f.FirstDay24Hours = true }},
		{fault.UsageAggregationGMT, nil, func(f *usage.Faults) { f.AggregationGMT = true }},
		{fault.UsageDayOf24Hours, nil, func(f *usage.Faults) { f.DayOf24Hours = true }},
		{fault.UsageNeverTakeOver, nil, func(f *usage.Faults) { f.NeverTakeOver = true }},
		{fault.UsageIgnoreRemovedAccounts, nil, func(f *usage.Faults) { f.IgnoreRemovedAccounts = true }},
		{fault.UsageDeadAccountUnbilled, nil, func(f *usage.Faults) { f.DeadAccountUnbilled = true }},
		{fault.UsageBackupSizeIgnored, nil, func(f *usage.Faults) { f.BackupSizeIgnored = true }},
		{fault.UsageAccountLost, nil, func(f *usage.Faults) { f.AccountLost = true }},
		{fault.UsageCloseInZone, nil, func(f *usage.Faults) { f.CloseInZone = true }},
		{fault.UsageReleaseAnyAccount, nil, func(f *usage.Faults) { f.ReleaseAnyAccount = true }},
	}
}

func otherUsageFaults() []usageFault {
	closeNothing := func(f *usage.Faults) { f.CloseNothing = true }
	closeTwice := func(f *usage.Faults) { f.CloseTwice = true }
	wrongDate := func(f *usage.Faults) { f.CloseWrongDate = true }
	vm := []int{usage.TypeRunningVM, usage.TypeAllocatedVM}
	return []usageFault{
		{fault.UsagePFCloseNothing, []int{usage.TypePortForwarding}, closeNothing},
		{fault.UsagePFClosesBalancer, nil, func(f *usage.Faults) { f.PFClosesBalancer = true }},
		{fault.UsagePFCloseTwice, []int{usage.TypePortForwarding}, closeTwice},
		{fault.UsageNetworkCloseNothing, []int{usage.TypeNetwork}, closeNothing},
		{fault.UsageNetworkRowTwice, []int{usage.TypeNetwork}, func(f *usage.Faults) { f.CreateRowTwice = true }},
		{fault.UsageVPCCloseNothing, []int{usage.TypeVPC}, closeNothing},
		{fault.UsageIPCloseNothing, []int{usage.TypeIPAddress}, closeNothing},
		{fault.UsageVolumeCloseNothing, []int{usage.TypeVolume}, closeNothing},
		{fault.UsageVolumeCloseWrongDate, []int{usage.TypeVolume}, wrongDate},
		{fault.UsageUploadCloseNothing, []int{usage.TypeVolumeSecondary}, closeNothing},
		{fault.UsagePrimaryCloseNothing, []int{usage.TypeOnPrimary}, closeNothing},
		{fault.UsagePrimaryRecordMissing, []int{usage.TypeOnPrimary}, func(f *usage.Faults) { f.RecordMissing = true }},
		{release.UsageBackupLeftOpen, []int{usage.TypeBackup}, closeNothing},
		{fault.UsageBackupCloseNothing, []int{usage.TypeBackup}, closeNothing},
		{fault.UsageVMSnapshotCloseNothing, []int{usage.TypeVMSnapshot}, closeNothing},
		{fault.UsageVPNCloseNothing, []int{usage.TypeVPNUser}, closeNothing},
		{fault.UsageVPNCloseTwice, []int{usage.TypeVPNUser}, closeTwice},
		{fault.UsageIPCloseTwice, []int{usage.TypeIPAddress}, closeTwice},
		{fault.UsageVolumeCloseTwice, []int{usage.TypeVolume}, closeTwice},
		{fault.UsageSnapshotCloseNothing, []int{usage.TypeSnapshot}, closeNothing},
		{fault.UsageTemplateCloseTwice, []int{usage.TypeTemplate}, closeTwice},
		{fault.UsageScaleIgnored, nil, func(f *usage.Faults) { f.ScaleIgnored = true }},
		{fault.UsageVMCloseNothing, vm, closeNothing},
		{fault.UsageNICCloseNothing, []int{usage.TypeNetworkOffering}, closeNothing},
	}
}

// tieSeed shuffles events of the same second.
func (mgr *Manager) tieSeed() uint64 {
	if mgr.On(fault.UsageTiesShuffled) {
		return uint64(mgr.seed)*2 + 1
	}
	return 0
}

func (mgr *Manager) usageFaults() usage.Faults {
	var set usage.Faults
	for _, f := range usageFaults() {
		if mgr.On(f.name) {
			f.set(&set)
			set.Types = append(set.Types, f.types...)
		}
	}
	return set
}
