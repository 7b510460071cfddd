package fault

import "github.com/stackproof/stackproof/release"

// Faults of the usage server.
const (
	UsageCloseNothing           release.Knob = "usage-close-nothing"
	UsageCloseWrongDate         release.Knob = "usage-close-wrong-date"
	UsageCloseHourOff           release.Knob = "usage-close-hour-off"
	UsageCloseOnMinute          release.Knob = "usage-close-on-minute"
	UsageCloseTwice             release.Knob = "usage-close-twice"
	UsageCloseAnyAccount        release.Knob = "usage-close-any-account"
	UsageRowVanishes            release.Knob = "usage-row-vanishes"
	UsageCreateRowTwice         release.Knob = "usage-create-row-twice"
	UsageRecordAfterClose       release.Knob = "usage-record-after-close"
	UsageRecordTooLong          release.Knob = "usage-record-too-long"
	UsageRecordRounded          release.Knob = "usage-record-rounded"
	UsageRecordMissing          release.Knob = "usage-record-missing"
	UsageColumnDomain           release.Knob = "usage-column-domain"
	UsageColumnOffering         release.Knob = "usage-column-offering"
	UsageColumnDefault          release.Knob = "usage-column-default"
	UsageColumnDescription      release.Knob = "usage-column-description"
	UsageRecordDuplicate        release.Knob = "usage-record-duplicate"
	UsageSkipAddState           release.Knob = "usage-skip-add-state"
	UsageWrongAccount           release.Knob = "usage-wrong-account"
	UsageEventLost              release.Knob = "usage-event-lost"
	UsageEventProcessedTwice    release.Knob = "usage-event-processed-twice"
	UsageEventsLeftUnprocessed  release.Knob = "usage-events-left-unprocessed"
	UsageDeletesFirst           release.Knob = "usage-deletes-first"
	UsageDuplicateBlocks        release.Knob = "usage-duplicate-blocks"
	UsageUnknownBlocks          release.Knob = "usage-unknown-blocks"
	UsagePortableReleasesAll    release.Knob = "usage-portable-releases-all"
	UsageSkipWindow             release.Knob = "usage-skip-window"
	UsageOverlapWindow          release.Knob = "usage-overlap-window"
	UsageGapWindow              release.Knob = "usage-gap-window"
	UsageForgetSuccess          release.Knob = "usage-forget-success"
	UsageAggregationGMT         release.Knob = "usage-aggregation-gmt"
	UsageDayOf24Hours           release.Knob = "usage-day-of-24-hours"
	UsageNeverTakeOver          release.Knob = "usage-never-take-over"
	UsageIgnoreRemovedAccounts  release.Knob = "usage-ignore-removed-accounts"
	UsageDeadAccountUnbilled    release.Knob = "usage-dead-account-unbilled"
	UsageCloseInZone            release.Knob = "usage-close-in-zone"
	UsageReleaseAnyAccount      release.Knob = "usage-release-any-account"
	UsagePFCloseNothing         release.Knob = "usage-pf-close-nothing"
	UsagePFCloseTwice           release.Knob = "usage-pf-close-twice"
	UsagePFClosesBalancer       release.Knob = "usage-pf-closes-balancer"
	UsageNetworkCloseNothing    release.Knob = "usage-network-close-nothing"
	UsageNetworkRowTwice        release.Knob = "usage-network-row-twice"
	UsageVPCCloseNothing        release.Knob = "usage-vpc-close-nothing"
	UsageIPCloseNothing         release.Knob = "usage-ip-close-nothing"
	UsageVolumeCloseNothing     release.Knob = "usage-volume-close-nothing"
	UsageVolumeCloseWrongDate   release.Knob = "usage-volume-close-wrong-date"
	UsageUploadCloseNothing     release.Knob = "usage-upload-close-nothing"
	UsagePrimaryCloseNothing    release.Knob = "usage-primary-close-nothing"
	UsagePrimaryRecordMissing   release.Knob = "usage-primary-record-missing"
	UsageBackupCloseNothing     release.Knob = "usage-backup-close-nothing"
	UsageBackupSizeIgnored      release.Knob = "usage-backup-size-ignored"
	UsageVMSnapshotCloseNothing release.Knob = "usage-vm-snapshot-close-nothing"
	UsageVPNCloseNothing        release.Knob = "usage-vpn-close-nothing"
	UsageVPNCloseTwice          release.Knob = "usage-vpn-close-twice"
	UsageIPCloseTwice           release.Knob = "usage-ip-close-twice"
	UsageVolumeCloseTwice       release.Knob = "usage-volume-close-twice"
	UsageSnapshotCloseNothing   release.Knob = "usage-snapshot-close-nothing"
	UsageTemplateCloseTwice     release.Knob = "usage-template-close-twice"
	UsageScaleIgnored           release.Knob = "usage-scale-ignored"
	UsageLastSecondLate         release.Knob = "usage-last-second-late"
	UsageFirstSecondUnbilled    release.Knob = "usage-first-second-unbilled"
	UsageHiddenListed           release.Knob = "usage-hidden-listed"
	UsageFirstDay24Hours        release.Knob = "usage-first-day-24-hours"
	UsageVMCloseNothing         release.Knob = "usage-vm-close-nothing"
	UsageNICCloseNothing        release.Knob = "usage-nic-close-nothing"
	UsageAccountLost            release.Knob = "usage-account-lost"
	UsageTiesShuffled           release.Knob = "usage-ties-shuffled"
	RepairDatesNow              release.Knob = "repair-dates-now"
	RepairWholeAccount          release.Knob = "repair-whole-account"
)

func usageFaults() []release.KnobInfo {
	return []release.KnobInfo{
		{
			Name: UsageCloseNothing, Part: "usage",
			About: "LB.DELETE is processed and closes no row",
		},
		{
			Name: UsageCloseWrongDate, Part: "usage",
			About: "LB.DELETE closes the row with the time of the job instead of the event's",
		},
		{
			Name: UsageCloseHourOff, Part: "usage",
			About: "LB.DELETE closes the row an hour late, as in another time zone",
		},
		{
			Name: UsageCloseOnMinute, Part: "usage",
			About: "LB.DELETE closes the row at the full minute before",
		},
		{
			Name: UsageCloseTwice, Part: "usage",
			About: "LB.DELETE closes the account's next open row too",
		},
		{
			Name: UsageCloseAnyAccount, Part: "usage",
			About: "LB.DELETE closes the row whose helper id is the rule's id, whoever owns it",
		},
		{
			Name: UsageRowVanishes, Part: "usage",
			About: "LB.DELETE removes the row instead of closing it",
		},
		{
			Name: UsageCreateRowTwice, Part: "usage",
			About: "LB.CREATE opens two rows",
		},
		{
			Name: UsageRecordAfterClose, Part: "usage",
			About: "closed rows still get full records",
		},
		{
			Name: UsageRecordTooLong, Part: "usage",
			About: "records have the slice's length whatever the rule's life was",
		},
		{
			Name: UsageRecordRounded, Part: "usage",
			About: "records are rounded to whole minutes",
		},
		{
			Name: UsageColumnDomain, Part: "usage",
			About: "usage rows of networks name another domain than their account's",
		},
		{
			Name: UsageColumnOffering, Part: "usage",
			About: "usage rows of volumes name another disk offering",
		},
		{
			Name: UsageColumnDefault, Part: "usage",
			About: "usage rows of NICs take the default NIC for another one and the other way round",
		},
		{
			Name: UsageColumnDescription, Part: "usage",
			About: "the description of a usage record names something else than what it bills",
		},
		{
			Name: UsageRecordMissing, Part: "usage",
			About: "the first LB record of each account and slice is not written",
		},
		{
			Name: UsageRecordDuplicate, Part: "usage",
			About: "the first LB record of each account and slice is written twice",
		},
		{
			Name: UsageSkipAddState, Part: "usage",
			About: "rules in state Add have no records",
		},
		{
			Name: UsageWrongAccount, Part: "usage",
			About: "LB records are booked to the next account",
		},
		{
			Name: UsageEventLost, Part: "usage",
			About: "the oldest new LB event of each run is not copied",
		},
		{
			Name: UsageEventProcessedTwice, Part: "usage",
			About: "each LB event is handled twice",
		},
		{
			Name: UsageEventsLeftUnprocessed, Part: "usage",
			About: "LB events stay unprocessed",
		},
		{
			Name: UsageDeletesFirst, Part: "usage",
			About: "of each run's events the deletes are handled before the creates",
		},
		{
			Name: UsageDuplicateBlocks, Part: "usage",
			About: "a create event that is there twice rolls back the handling of all events of a run, which " +
				"reports success (#13399)",
		},
		{
			Name: UsageUnknownBlocks, Part: "usage",
			About: "an event that nothing meters rolls back the handling of all events of a run, which reports " +
				"success",
		},
		{
			Name: UsagePortableReleasesAll, Part: "usage",
			About: "PORTABLE.IPRELEASE closes the rows of all addresses of the account",
		},
		{
			Name: UsageSkipWindow, Part: "usage",
			About: "every second run writes nothing for its last slice and reports success",
		},
		{
			Name: UsageOverlapWindow, Part: "usage",
			About: "each window begins one range too early",
		},
		{
			Name: UsageGapWindow, Part: "usage",
			About: "each window begins a second late",
		},
		{
			Name: UsageForgetSuccess, Part: "usage",
			About: "the first window of a usage server begins as if none had run before it",
		},
		{
			Name: UsageAggregationGMT, Part: "usage",
			About: "days are those of GMT whatever the aggregation time zone is",
		},
		{
			Name: UsageDayOf24Hours, Part: "usage",
			About: "every day has 24 hours, also where clocks change",
		},
		{
			Name: UsageNeverTakeOver, Part: "usage",
			About: "the job of a usage server that died is left alone",
		},
		{
			Name: UsageIgnoreRemovedAccounts, Part: "usage",
			About: "events of removed accounts are marked processed and not handled",
		},
		{
			Name: UsageDeadAccountUnbilled, Part: "usage",
			About: "a removed account gets no record for the rest of its life",
		},
		{
			Name: UsageCloseInZone, Part: "usage",
			About: "delete events close rows of their own zone only; those of port forwarding rules have zone 0",
		},
		{
			Name: UsageReleaseAnyAccount, Part: "usage",
			About: "NET.IPRELEASE closes the rows of all accounts that have the same address",
		},
		{
			Name: UsagePFCloseNothing, Part: "usage",
			About: "NET.RULEDELETE closes no row",
		},
		{
			Name: UsagePFCloseTwice, Part: "usage",
			About: "NET.RULEDELETE closes the account's next open row too",
		},
		{
			Name: UsagePFClosesBalancer, Part: "usage",
			About: "NET.RULEDELETE closes the oldest open row of a load balancer rule of the account, too",
		},
		{
			Name: UsageNetworkCloseNothing, Part: "usage",
			About: "NETWORK.DELETE and NETWORK.UPDATE close no row",
		},
		{
			Name: UsageNetworkRowTwice, Part: "usage",
			About: "NETWORK.CREATE opens two rows",
		},
		{
			Name: UsageVPCCloseNothing, Part: "usage",
			About: "VPC.DELETE closes no row",
		},
		{
			Name: UsageIPCloseNothing, Part: "usage",
			About: "NET.IPRELEASE closes no row",
		},
		{
			Name: UsageVolumeCloseNothing, Part: "usage",
			About: "VOLUME.DELETE and VOLUME.RESIZE close no row",
		},
		{
			Name: UsageVolumeCloseWrongDate, Part: "usage",
			About: "VOLUME.DELETE closes the row with the time of the job",
		},
		{
			Name: UsageUploadCloseNothing, Part: "usage",
			About: "attaching an uploaded volume leaves its row of secondary storage open",
		},
		{
			Name: UsagePrimaryCloseNothing, Part: "usage",
			About: "VMSNAPSHOT.OFF_PRIMARY closes no row",
		},
		{
			Name: UsagePrimaryRecordMissing, Part: "usage",
			About: "the first record of snapshots on primary storage of each slice is not written",
		},
		{
			Name: UsageBackupCloseNothing, Part: "usage",
			About: "what ends the billing of a VM's backups closes no row (#11522)",
		},
		{
			Name: UsageBackupSizeIgnored, Part: "usage",
			About: "BACKUP.USAGE.METRIC is processed and changes the size of backups once, not again",
		},
		{
			Name: UsageVMSnapshotCloseNothing, Part: "usage",
			About: "VMSNAPSHOT.DELETE closes no row",
		},
		{
			Name: UsageVPNCloseNothing, Part: "usage",
			About: "VPN.USER.REMOVE closes no row",
		},
		{
			Name: UsageVPNCloseTwice, Part: "usage",
			About: "VPN.USER.REMOVE closes the account's next open row too",
		},
		{
			Name: UsageIPCloseTwice, Part: "usage",
			About: "NET.IPRELEASE closes the account's next open row too",
		},
		{
			Name: UsageVolumeCloseTwice, Part: "usage",
			About: "VOLUME.DELETE closes the account's next open row too",
		},
		{
			Name: UsageSnapshotCloseNothing, Part: "usage",
			About: "SNAPSHOT.DELETE closes no row",
		},
		{
			Name: UsageTemplateCloseTwice, Part: "usage",
			About: "TEMPLATE.DELETE closes the account's next open row of secondary storage too",
		},
		{
			Name: UsageScaleIgnored, Part: "usage",
			About: "the allocated time of a VM that is scaled is billed with the offering of before",
		},
		{
			Name: UsageLastSecondLate, Part: "usage",
			About: "events of the last second of a window are handled by the run after the next",
		},
		{
			Name: UsageFirstSecondUnbilled, Part: "usage",
			About: "what begins in the first second of a window has no record in it",
		},
		{
			Name: UsageHiddenListed, Part: "usage",
			About: "listUsageRecords lists what is hidden",
		},
		{
			Name: UsageFirstDay24Hours, Part: "usage",
			About: "the first day that is billed begins 24 hours before its end, also where clocks change",
		},
		{
			Name: UsageVMCloseNothing, Part: "usage",
			About: "VM.STOP and VM.DESTROY close no row",
		},
		{
			Name: UsageNICCloseNothing, Part: "usage",
			About: "NETWORK.OFFERING.REMOVE closes no row",
		},
		{
			Name: UsageAccountLost, Part: "usage",
			About: "of accounts made side by side the oldest commits last: the usage server never copies it and " +
				"fails at its first event (confirmed.md 31)",
		},
		{
			Name: UsageTiesShuffled, Part: "usage",
			About: "events of one second are handled in any order",
		},
		{
			Name: RepairDatesNow, Part: "usage",
			About: "a repair of usage rows closes them with the time of the repair",
		},
		{
			Name: RepairWholeAccount, Part: "usage",
			About: "a repair of a usage row names the account and not the row",
		},
	}
}
