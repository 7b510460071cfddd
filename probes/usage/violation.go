package usageprobe

import (
	"fmt"
	"strings"
	"time"
)

// Class names the defect that a violation looks like, so that a caller can hold it against what is known of a release.
// It is a signature, not a proof.
type Class string

// The classes.
const (
	ClassOther Class = ""
	// ClassLeakedRow: a rule's own delete event closed nothing of its own (#10789, #9443; 4.16.1 to 4.19.2 and 4.20.0).
	ClassLeakedRow Class = "leaked-row"
	// ClassCrossedClose: a row closed by the delete event of another rule whose id equals this row's helper id; same
	// defect.
	ClassCrossedClose Class = "crossed-close"
	// ClassDuplicateNetwork: several open rows or records for one network or VPC (#10687; 4.19.1, 4.19.2 and 4.20.0).
	ClassDuplicateNetwork Class = "duplicate-network"
	// ClassRolledBackDelete: a live rule with a delete event, written before the router refused; every release.
	ClassRolledBackDelete Class = "rolled-back-delete"
	// ClassSharedNICOffering: removing one NIC closed the row of another one with the same offering; every release.
	ClassSharedNICOffering Class = "shared-nic-offering"
	// ClassVPNUserDate: a VPN user's row closed at the job's time instead of the removal's; every release.
	ClassVPNUserDate Class = "vpn-user-date"
	// ClassLostAccount: an account that the usage server never copies, and whose first event ends every usage run of
	// the site; every release (UsageManagerImpl.java@4.20.0.0, findNewAccounts).
	ClassLostAccount Class = "lost-account"
	// ClassWrongColumn: a row or record that says something else than its event, its resource or its row.
	ClassWrongColumn Class = "wrong-column"
	// ClassStalledRun: what a run that never gets past a volume's event does to rows and records (#13399; 4.22.1).
	ClassStalledRun Class = "stalled-run"
)

// Violation is one finding against an invariant. String is the whole of it in one line.
type Violation struct {
	Invariant string `json:"invariant"` // I1 to I11
	Class     Class  `json:"class,omitempty"`
	Table     string `json:"table"` // qualified
	HelperID  int64  `json:"helper_id,omitempty"`
	Ref       Ref    `json:"resource"`
	UUID      string `json:"uuid,omitempty"` // empty when the object is gone and was not seen before
	AccountID int64  `json:"account_id,omitempty"`
	Expected  string `json:"expected"`
	Seen      string `json:"seen"`
	// At is the wrong date that was seen, Number the wrong count or hours, Want the right ones; zero where there is
	// none.
	At     time.Time `json:"-"`
	Number float64   `json:"-"`
	Want   float64   `json:"-"`
	// Inherited: the earlier snapshot shows the same finding, so what happened in between did not cause it.
	Inherited bool `json:"inherited,omitempty"`
}

// String is a sentence for a CloudStack engineer, in one line.
func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", v.Invariant)
	if v.Ref.Kind != "" {
		fmt.Fprintf(&b, "%s %d", v.Ref.Kind, v.Ref.ID)
		if v.Ref.Part != "" {
			fmt.Fprintf(&b, " (NIC %s)", v.Ref.Part)
		}
		if v.UUID != "" {
			fmt.Fprintf(&b, " (uuid %s)", v.UUID)
		}
		if v.AccountID != 0 {
			fmt.Fprintf(&b, " of account %d", v.AccountID)
		}
		b.WriteString(", ")
	}
	b.WriteString(v.Table)
	if v.HelperID != 0 {
		fmt.Fprintf(&b, " helper id %d", v.HelperID)
	}
	fmt.Fprintf(&b, ": expected %s, seen %s", v.Expected, v.Seen)
	if v.Class != ClassOther {
		fmt.Fprintf(&b, " [%s]", v.Class)
	}
	if v.Inherited {
		b.WriteString(" [seen before]")
	}
	return b.String()
}

// same identifies a finding across two snapshots.
func (v Violation) same() string {
	return fmt.Sprint(v.Invariant, v.Class, v.Table, v.HelperID, v.Ref)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func stamps(ts []time.Time) string {
	var texts []string
	for _, t := range ts {
		if s := stamp(t); len(texts) == 0 || texts[len(texts)-1] != s {
			texts = append(texts, s)
		}
	}
	return strings.Join(texts, " or ")
}
