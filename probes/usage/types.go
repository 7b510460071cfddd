package usageprobe

import (
	"strings"
	"time"
)

// HelperRow is one row of a helper table of cloud_usage: one life, or part of one, of one resource.
type HelperRow struct {
	Ref
	Table     string     `json:"table"` // without the schema
	HelperID  int64      `json:"helper_id"`
	AccountID int64      `json:"account_id"`
	ZoneID    int64      `json:"zone_id"`
	Created   time.Time  `json:"created"`
	Closed    *time.Time `json:"closed"` // nil while open
	State     string     `json:"state,omitempty"`
	Offering  int64      `json:"offering,omitempty"` // network offering of a NIC
	Raw       string     `json:"raw"`                // every column as name=value, in table order, between tabs

	// ofVM marks the second row of an attached volume, which releases from 4.22.1.0 on have for the VM. The audit
	// judges these rows (KindVolumeOfVM); here a volume is judged by the row of its whole life.
	ofVM bool
}

// Open says whether the row is still billed.
func (r HelperRow) Open() bool { return r.Closed == nil }

// UsageEvent is a row of cloud.usage_event or of its copy cloud_usage.usage_event.
type UsageEvent struct {
	ID           int64     `json:"id"`
	Type         string    `json:"type"`
	AccountID    int64     `json:"account_id"`
	Created      time.Time `json:"created"`
	ZoneID       int64     `json:"zone_id"`
	ResourceID   int64     `json:"resource_id"`
	ResourceName string    `json:"resource_name,omitempty"`
	Processed    bool      `json:"processed"` // meaningful in cloud_usage only

	// What the columns of the same names hold, as text; "NULL" for NULL.
	offering, template, size, virtualSize, resourceType string
}

// Record is a row of cloud_usage.cloud_usage. RawUsage is hours for all types that a Kind belongs to.
type Record struct {
	ID          int64     `json:"id"`
	ZoneID      int64     `json:"zone_id"`
	AccountID   int64     `json:"account_id"`
	Description string    `json:"description"`
	Type        int64     `json:"usage_type"`
	RawUsage    float64   `json:"raw_usage"`
	VMID        int64     `json:"vm_instance_id,omitempty"`
	OfferingID  int64     `json:"offering_id,omitempty"`
	UsageID     int64     `json:"usage_id"`
	Start       time.Time `json:"start_date"`
	End         time.Time `json:"end_date"` // inclusive: the last second of the window
	same        string    // what must not occur twice, see I8
	raw         string    // every column as name=value, in table order, between tabs
}

// Job is a row of cloud_usage.usage_job. Start and End are zero while the job is open.
type Job struct {
	ID        int64     `json:"id"`
	Type      int64     `json:"job_type"` // 0 recurring, 1 single
	Start     time.Time `json:"start"`    // from start_millis
	End       time.Time `json:"end"`      // from end_millis, inclusive
	Success   bool      `json:"success"`
	Heartbeat time.Time `json:"heartbeat"`
}

// Life says what the tables of cloud tell of a resource.
type Life int

// The states of a resource in cloud.
const (
	Unknown   Life = iota // the table was not read
	Alive                 // there, and metered
	Undecided             // on its way in or out (a rule in Revoke, a VM in Stopping): may go either way
	Dead                  // gone
)

// Resource is a live or half-live object of cloud.
type Resource struct {
	Ref
	UUID      string     `json:"uuid"`
	AccountID int64      `json:"account_id"`
	State     string     `json:"state"`
	Life      Life       `json:"life"`
	Created   *time.Time `json:"created,omitempty"`

	live row // what cloud says of it, as far as it is read
}

// Snapshot is all that was read in one transaction. Lists are in order of id.
type Snapshot struct {
	Accounts []int64 // what was asked for; empty means all
	// Cutoff is the end of the newest successful usage job: every event up to it must have been copied and processed.
	// Zero when no job ever succeeded; then nothing is expected yet. A caller that drained up to an earlier time may
	// lower it.
	Cutoff      time.Time
	Rows        []HelperRow
	Events      []UsageEvent // cloud.usage_event
	UsageEvents []UsageEvent // cloud_usage.usage_event
	Waiting     []UsageEvent // those of it that are not processed, of all accounts
	Records     []Record
	Jobs        []Job
	Resources   map[Ref]Resource // every object found, dead ones that have a row included
	Domains     map[int64]int64  // of the accounts that were asked for, by account
	Hidden      map[int64]bool   // events whose address is hidden, by id
	Tables      map[Kind]bool    // kinds whose table of cloud was read: absence there means dead
}

func (s Snapshot) resource(r Ref) Resource {
	if found, ok := s.Resources[r]; ok {
		return found
	}
	if s.Tables[r.Kind] {
		return Resource{Ref: r, Life: Dead}
	}
	return Resource{Ref: r}
}

// Column is a column of the row as text; "NULL" for NULL, "" for a column that the table does not have.
func (r HelperRow) Column(name string) string { return columnOf(r.Raw, name) }

// Column is a column of the record as text, like HelperRow.Column.
func (r Record) Column(name string) string { return columnOf(r.raw, name) }

func columnOf(raw, name string) string {
	text, _ := lookUp(raw, name)
	return text
}

func lookUp(raw, name string) (text string, there bool) {
	for _, kv := range strings.Split(raw, columnSeparator) {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v, true
		}
	}
	return "", false
}
