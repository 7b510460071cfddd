package usage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Faults are mutations that no release has, planted to prove that something notices them. All are off by default, and
// any may be combined. Each says what it does and which invariant must catch it:
//
//	I1 every open row has a live resource           I5 records of a life sum up to its length
//	I2 every live resource has exactly one open row I6 every event is copied and processed
//	I3 a row is closed at its own delete event      I7 windows touch, without gap or overlap
//	I4 no record at or after the close              I8 no two records for one resource and slice
//	                                                I9 rows of untouched resources do not change
type Faults struct {
	// Types limits the faults on rows, events and records to these usage types; empty is TypeLoadBalancer alone.
	Types []int

	// CloseNothing: a delete event closes no row. Caught by I1.
	CloseNothing bool
	// CloseWrongDate: the right row is closed with the time of the job instead of the event's. Caught by I3.
	CloseWrongDate bool
	// CloseTwice: besides the right row the account's next open row (by id) is closed. Caught by I2 and I9.
	CloseTwice bool
	// PFClosesBalancer: NET.RULEDELETE closes the oldest open LB row of the account, too. Types do not matter. Caught
	// by I3.
	PFClosesBalancer bool
	// RowVanishes: the row is removed instead of closed, and its last record with it. Caught by I5.
	RowVanishes bool
	// CreateRowTwice: a create event inserts two rows, whose lengths are summed. Caught by I2 and I5.
	CreateRowTwice bool

	// EventLost: of each run's newly copied events the oldest of Types is lost on the way. Caught by I6.
	EventLost bool
	// EventProcessedTwice: each event is handled twice; for deletes that changes nothing. Caught by I2.
	EventProcessedTwice bool
	// EventsLeftUnprocessed: events of Types stay processed=0 and are not handled. Caught by I6.
	EventsLeftUnprocessed bool

	// RecordAfterClose: rows closed before a slice still get a full record in it. Caught by I4.
	RecordAfterClose bool
	// RecordTooLong: records have the slice's length whatever the resource's life was. Caught by I4 and I5.
	RecordTooLong bool
	// RecordMissing: the first record of each account, slice and type is not written. Caught by I5.
	RecordMissing bool
	// RecordDuplicate: the first record of each account, slice and type is written twice. Caught by I8.
	RecordDuplicate bool
	// WrongAccount: records are booked to the next account in order of id. Caught by I5.
	WrongAccount bool

	// Wrong are columns that are written with another value, whatever their type. Caught by I12.
	Wrong []Cell

	// SkipWindow: every second run that has a window writes no record of any type for its last slice and reports
	// success. Caught by I5; the job rows look right.
	SkipWindow bool
	// CloseHourOff: the right row is closed an hour late, as in a time zone east of GMT. Caught by I3.
	CloseHourOff bool
	// CloseOnMinute: close dates lose their seconds. Caught by I3.
	CloseOnMinute bool
	// CloseInZone: every close handler compares the zone too, so that delete events with zone 0 close nothing. Types do
	// not matter. Caught by I1.
	CloseInZone bool
	// CloseAnyAccount: LB.DELETE closes the row whose helper id is the rule's id, whoever owns it. Caught by I9.
	CloseAnyAccount bool
	// ReleaseAnyAccount: NET.IPRELEASE closes rows of every account that has the same address. Caught by I9.
	ReleaseAnyAccount bool
	// IgnoreRemovedAccounts: events of accounts that are gone are marked processed and not handled. Caught by I1.
	IgnoreRemovedAccounts bool
	// BackupSizeIgnored: of the reports on the size of backups only the first counts. Types do not matter.
	BackupSizeIgnored bool
	// AccountLost: of several accounts that are new to a run the oldest is not there yet, since its transaction commits
	// after the others'. Later runs copy accounts above the largest copied id only, so it is never copied, and its
	// first event ends every run (UsageManagerImpl.java@4.20.0.0, findNewAccounts). Caught by I11: every account is
	// known to the usage server.
	AccountLost bool
	// DeletesFirst: of each run's events those that end something are handled before all others. Caught by I1.
	DeletesFirst bool
	// DuplicateBlocks: a create event that is there twice ends the handling of all events of the run, which reports
	// success (#13399). Caught by I6.
	DuplicateBlocks bool

	// UnknownBlocks: an event without a handler ends the handling of all events of the run, which reports success.
	// Caught by I6.
	UnknownBlocks bool
	// PortableReleasesAll: PORTABLE.IPRELEASE, which nothing handles, closes the rows of all addresses of the account.
	// Caught by I2.
	PortableReleasesAll bool

	// ScaleIgnored: a scale leaves the row of a VM's allocated time as it was. No invariant catches it.
	ScaleIgnored bool

	// RecordRounded: lengths are rounded to whole minutes. Caught by I5.
	RecordRounded bool
	// SkipAddState: load balancer rules in state Add have no records. Caught by I5.
	SkipAddState bool
	// DeadAccountUnbilled: a removed account gets no record for the rest of its life. Caught by I5.
	DeadAccountUnbilled bool

	// GapWindow: after a first success each window begins a second late. Caught by I7.
	GapWindow bool
	// LastSecondLate: events of the last second of a window are not copied by its run. Caught by I6.
	LastSecondLate bool
	// FirstSecondUnbilled: rows that begin in the first second of a slice have no record in it. Caught by I5.
	FirstSecondUnbilled bool
	// FirstDay24Hours: a first day has 24 hours, also where clocks change.
	FirstDay24Hours bool
	// ForgetSuccess: the first window of a server begins as if there had been no run before it. Caught by I5 and I7.
	ForgetSuccess bool
	// AggregationGMT: days are those of GMT whatever the aggregation time zone is.
	AggregationGMT bool
	// DayOf24Hours: every day has 24 hours, also where clocks change.
	DayOf24Hours bool
	// NeverTakeOver: a job whose owner has died is left alone.
	NeverTakeOver bool
	// OverlapWindow: after a first success each window begins one range too early. Caught by I7 and I8.
	OverlapWindow bool
}

func (f Faults) on(usageType int) bool {
	if len(f.Types) == 0 {
		return usageType == TypeLoadBalancer
	}
	return slices.Contains(f.Types, usageType)
}

// onEvent tells whether the faults on events concern this one.
func (f Faults) onEvent(event Event) bool {
	for _, family := range families() {
		if strings.HasPrefix(event.Type, family.prefix) {
			return slices.ContainsFunc(family.types, f.on)
		}
	}
	return false
}

// family says which usage types the events of a prefix lead to. Longer prefixes come first.
type family struct {
	prefix string
	types  []int
}

func families() []family {
	return []family{
		{"LB.", []int{TypeLoadBalancer}}, {"NET.RULE", []int{TypePortForwarding}}, {"NET.IP", []int{TypeIPAddress}},
		{"NETWORK.OFFERING.", []int{TypeNetworkOffering}}, {"NETWORK.", []int{TypeNetwork}}, {"VPC.", []int{TypeVPC}},
		{"VMSNAPSHOT.O", []int{TypeOnPrimary}}, {"VMSNAPSHOT.", []int{TypeVMSnapshot}},
		{"VM.", []int{TypeRunningVM, TypeAllocatedVM}}, {"VOLUME.", []int{TypeVolume, TypeVolumeSecondary}},
		{"TEMPLATE.", []int{TypeTemplate}}, {"ISO.", []int{TypeISO}}, {"SNAPSHOT.", []int{TypeSnapshot}},
		{"VPN.USER.", []int{TypeVPNUser}}, {"SG.", []int{TypeSecurityGroup}}, {"BACKUP.", []int{TypeBackup}},
	}
}

// closeDate is the date that a row is closed with.
func (f Faults) closeDate(at time.Time) time.Time {
	if f.CloseHourOff {
		at = at.Add(time.Hour)
	}
	if f.CloseOnMinute {
		at = at.Truncate(time.Minute)
	}
	return at
}

// ends tells whether an event ends something.
func ends(event Event) bool {
	for _, word := range []string{"DELETE", "RELEASE", "REMOVE", "DESTROY", "STOP"} {
		if strings.HasSuffix(event.Type, word) {
			return true
		}
	}
	return false
}

// events are the ones to handle of those that were read: without those left alone, with those handled twice.
func (f Faults) events(read []Event) []Event {
	var handled []Event
	for _, event := range read {
		switch {
		case f.EventsLeftUnprocessed && f.onEvent(event):
		case f.EventProcessedTwice && f.onEvent(event):
			handled = append(handled, event, event)
		default:
			handled = append(handled, event)
		}
	}
	if f.DeletesFirst {
		slices.SortStableFunc(handled, func(a, b Event) int {
			return cmp.Compare(fmt.Sprint(!ends(a)), fmt.Sprint(!ends(b)))
		})
	}
	return handled
}

// records are the ones to write of those that were made for one account and slice. accounts are all live ids in order.
func (f Faults) records(made []Record, accounts []int64) []Record {
	var written []Record
	first := map[int]bool{}
	for _, record := range made {
		if !f.on(record.UsageType) {
			written = append(written, record)
			continue
		}
		seen := first[record.UsageType]
		first[record.UsageType] = true
		if f.WrongAccount {
			record.AccountID = nextAccount(record.AccountID, accounts)
		}
		if f.RecordDuplicate && !seen {
			written = append(written, record)
		}
		if !f.RecordMissing || seen {
			written = append(written, record)
		}
	}
	return written
}

func nextAccount(id int64, accounts []int64) int64 {
	for _, account := range accounts {
		if account > id {
			return account
		}
	}
	if len(accounts) > 0 {
		return accounts[0]
	}
	return id
}

// Cell is a column of a table of cloud_usage.
type Cell struct{ Table, Column string }

// written is the value that a column gets: another one where a fault is planted in it.
func (f Faults) written(table, column string, value any) any {
	if !slices.Contains(f.Wrong, Cell{table, column}) {
		return value
	}
	switch v := value.(type) {
	case bool:
		return !v
	case int64:
		return v + 1
	case int:
		return v + 1
	case nil:
		return 1
	}
	return fmt.Sprint("not ", value)
}
