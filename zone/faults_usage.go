package zone

import (
	"slices"

	"github.com/stackproof/stackproof/zone/usage"
)

// usageDefectKnobs are defects of usage accounting that every release has, on in all profiles like those of defectKnobs.
func usageDefectKnobs() []Knob {
	defect := func(part, name, about string) Knob {
		return Knob{Name: name, About: about, Part: part, Releases: Releases()}
	}
	return []Knob{
		defect("api", "delete-event-before-push", "the LB.DELETE usage event is written before the push and stays when the push fails (cloudstack.md 1.3)"),
		defect("usage", "usage-nic-close-by-offering", "NETWORK.OFFERING.REMOVE closes the rows of all NICs of the VM with the same offering"),
		defect("usage", "usage-vpn-close-at-job", "VPN.USER.REMOVE closes the row with the time of the job"),
		defect("usage", "usage-release-by-text", "NET.IPRELEASE finds rows by the address's text, in any zone"),
		defect("usage", "usage-create-repeated", "a create event that is there twice is handled twice (#13399, #13909)"),
		defect("usage", "usage-year-roll", "a first usage window on 1 January, or in hour 0, is computed into the future (UsageManagerImpl.java@4.20.0.0)"),
		defect("usage", "usage-vm-snapshots-as-one", "a VM snapshot ends the one before it, and the delete of one closes all of the VM (#13921)"),
	}
}

// usageFault is a planted fault of the usage server.
type usageFault struct {
	name, about string
	types       []int // usage types that it concerns; empty: load balancer rules
	set         func(*usage.Faults)
}

// usageFaults are all of them. Faults with different types do not combine: each would act on the types of all.
func usageFaults() []usageFault {
	return slices.Concat(lbUsageFaults(), streamFaults(), otherUsageFaults())
}

func lbUsageFaults() []usageFault {
	return []usageFault{
		{"usage-close-nothing", "LB.DELETE is processed and closes no row", nil, func(f *usage.Faults) { f.CloseNothing = true }},
		{"usage-close-wrong-date", "LB.DELETE closes the row with the time of the job instead of the event's", nil, func(f *usage.Faults) { f.CloseWrongDate = true }},
		{"usage-close-hour-off", "LB.DELETE closes the row an hour late, as in another time zone", nil, func(f *usage.Faults) { f.CloseHourOff = true }},
		{"usage-close-on-minute", "LB.DELETE closes the row at the full minute before", nil, func(f *usage.Faults) { f.CloseOnMinute = true }},
		{"usage-close-twice", "LB.DELETE closes the account's next open row too", nil, func(f *usage.Faults) { f.CloseTwice = true }},
		{"usage-close-any-account", "LB.DELETE closes the row whose helper id is the rule's id, whoever owns it", nil, func(f *usage.Faults) { f.CloseAnyAccount = true }},
		{"usage-row-vanishes", "LB.DELETE removes the row instead of closing it", nil, func(f *usage.Faults) { f.RowVanishes = true }},
		{"usage-create-row-twice", "LB.CREATE opens two rows", nil, func(f *usage.Faults) { f.CreateRowTwice = true }},
		{"usage-record-after-close", "closed rows still get full records", nil, func(f *usage.Faults) { f.RecordAfterClose = true }},
		{"usage-record-too-long", "records have the slice's length whatever the rule's life was", nil, func(f *usage.Faults) { f.RecordTooLong = true }},
		{"usage-record-rounded", "records are rounded to whole minutes", nil, func(f *usage.Faults) { f.RecordRounded = true }},
		{"usage-record-missing", "the first LB record of each account and slice is not written", nil, func(f *usage.Faults) { f.RecordMissing = true }},
		{"usage-record-duplicate", "the first LB record of each account and slice is written twice", nil, func(f *usage.Faults) { f.RecordDuplicate = true }},
		{"usage-skip-add-state", "rules in state Add have no records", nil, func(f *usage.Faults) { f.SkipAddState = true }},
		{"usage-wrong-account", "LB records are booked to the next account", nil, func(f *usage.Faults) { f.WrongAccount = true }},
	}
}

// streamFaults concern events, windows and processes.
func streamFaults() []usageFault {
	return []usageFault{
		{"usage-event-lost", "the oldest new LB event of each run is not copied", nil, func(f *usage.Faults) { f.EventLost = true }},
		{"usage-event-processed-twice", "each LB event is handled twice", nil, func(f *usage.Faults) { f.EventProcessedTwice = true }},
		{"usage-events-left-unprocessed", "LB events stay unprocessed", nil, func(f *usage.Faults) { f.EventsLeftUnprocessed = true }},
		{"usage-deletes-first", "of each run's events the deletes are handled before the creates", nil, func(f *usage.Faults) { f.DeletesFirst = true }},
		{"usage-duplicate-blocks", "a create event that is there twice rolls back the handling of all events of a run, which reports success (#13399)", nil, func(f *usage.Faults) { f.DuplicateBlocks = true }},
		{"usage-unknown-blocks", "an event that nothing meters rolls back the handling of all events of a run, which reports success", nil, func(f *usage.Faults) { f.UnknownBlocks = true }},
		{"usage-portable-releases-all", "PORTABLE.IPRELEASE closes the rows of all addresses of the account", nil, func(f *usage.Faults) { f.PortableReleasesAll = true }},
		{"usage-skip-window", "every second run writes nothing for its last slice and reports success", nil, func(f *usage.Faults) { f.SkipWindow = true }},
		{"usage-overlap-window", "each window begins one range too early", nil, func(f *usage.Faults) { f.OverlapWindow = true }},
		{"usage-gap-window", "each window begins a second late", nil, func(f *usage.Faults) { f.GapWindow = true }},
		{"usage-forget-success", "the first window of a usage server begins as if none had run before it", nil, func(f *usage.Faults) { f.ForgetSuccess = true }},
		{"usage-aggregation-gmt", "days are those of GMT whatever the aggregation time zone is", nil, func(f *usage.Faults) { f.AggregationGMT = true }},
		{"usage-day-of-24-hours", "every day has 24 hours, also where clocks change", nil, func(f *usage.Faults) { f.DayOf24Hours = true }},
		{"usage-never-take-over", "the job of a usage server that died is left alone", nil, func(f *usage.Faults) { f.NeverTakeOver = true }},
		{"usage-ignore-removed-accounts", "events of removed accounts are marked processed and not handled", nil, func(f *usage.Faults) { f.IgnoreRemovedAccounts = true }},
		{"usage-dead-account-unbilled", "a removed account gets no record for the rest of its life", nil, func(f *usage.Faults) { f.DeadAccountUnbilled = true }},
		{"usage-close-in-zone", "delete events close rows of their own zone only; those of port forwarding rules have zone 0", nil, func(f *usage.Faults) { f.CloseInZone = true }},
		{"usage-release-any-account", "NET.IPRELEASE closes the rows of all accounts that have the same address", nil, func(f *usage.Faults) { f.ReleaseAnyAccount = true }},
	}
}

func otherUsageFaults() []usageFault {
	closeNothing := func(f *usage.Faults) { f.CloseNothing = true }
	wrongDate := func(f *usage.Faults) { f.CloseWrongDate = true }
	vm := []int{usage.TypeRunningVM, usage.TypeAllocatedVM}
	return []usageFault{
		{"usage-pf-close-nothing", "NET.RULEDELETE closes no row", []int{usage.TypePortForwarding}, closeNothing},
		{"usage-pf-close-twice", "NET.RULEDELETE closes the account's next open row too", []int{usage.TypePortForwarding}, func(f *usage.Faults) { f.CloseTwice = true }},
		{"usage-network-close-nothing", "NETWORK.DELETE and NETWORK.UPDATE close no row", []int{usage.TypeNetwork}, closeNothing},
		{"usage-network-row-twice", "NETWORK.CREATE opens two rows", []int{usage.TypeNetwork}, func(f *usage.Faults) { f.CreateRowTwice = true }},
		{"usage-vpc-close-nothing", "VPC.DELETE closes no row", []int{usage.TypeVPC}, closeNothing},
		{"usage-ip-close-nothing", "NET.IPRELEASE closes no row", []int{usage.TypeIPAddress}, closeNothing},
		{"usage-volume-close-nothing", "VOLUME.DELETE and VOLUME.RESIZE close no row", []int{usage.TypeVolume}, closeNothing},
		{"usage-volume-close-wrong-date", "VOLUME.DELETE closes the row with the time of the job", []int{usage.TypeVolume}, wrongDate},
		{"usage-upload-close-nothing", "attaching an uploaded volume leaves its row of secondary storage open", []int{usage.TypeVolumeSecondary}, closeNothing},
		{"usage-primary-close-nothing", "VMSNAPSHOT.OFF_PRIMARY closes no row", []int{usage.TypeOnPrimary}, closeNothing},
		{"usage-primary-record-missing", "the first record of snapshots on primary storage of each slice is not written", []int{usage.TypeOnPrimary}, func(f *usage.Faults) { f.RecordMissing = true }},
		{"usage-backup-close-nothing", "BACKUP.OFFERING.REMOVE closes no row (#11522)", []int{usage.TypeBackup}, closeNothing},
		{"usage-vm-snapshot-close-nothing", "VMSNAPSHOT.DELETE closes no row", []int{usage.TypeVMSnapshot}, closeNothing},
		{"usage-vpn-close-nothing", "VPN.USER.REMOVE closes no row", []int{usage.TypeVPNUser}, closeNothing},
		{"usage-vm-close-nothing", "VM.STOP and VM.DESTROY close no row", vm, closeNothing},
		{"usage-nic-close-nothing", "NETWORK.OFFERING.REMOVE closes no row", []int{usage.TypeNetworkOffering}, closeNothing},
	}
}

// usageFaultKnobs are the planted faults of the usage server as knobs.
func usageFaultKnobs() []Knob {
	var all []Knob
	for _, f := range usageFaults() {
		all = append(all, Knob{Name: f.name, About: f.about, Part: "usage"})
	}
	return append(all, Knob{Name: "usage-ties-shuffled", About: "events of one second are handled in any order", Part: "usage"})
}

// usageRules are the usage server's rules by the release's knobs.
func (z *Zone) usageRules() usage.Rules {
	broken := z.knobs["usage-close-by-helper-id"]
	return usage.Rules{
		CloseByHelperPK: broken, StorageByHelperPK: broken, SnapshotByHelperPK: broken,
		NetworkModelOld: z.knobs["network-usage-model-old"], CleanOwnJobsAtStart: z.knobs["usage-clean-own-jobs-at-start"],
		NICAlone: !z.knobs["usage-nic-close-by-offering"], VPNUserAtEvent: !z.knobs["usage-vpn-close-at-job"],
		AddressByID: !z.knobs["usage-release-by-text"], CreateOnce: !z.knobs["usage-create-repeated"],
		YearCarries: !z.knobs["usage-year-roll"], SnapshotsApart: !z.knobs["usage-vm-snapshots-as-one"],
	}
}

func (z *Zone) usageFaults() usage.Faults {
	var set usage.Faults
	for _, f := range usageFaults() {
		if z.knobs[f.name] {
			f.set(&set)
			set.Types = append(set.Types, f.types...)
		}
	}
	return set
}
