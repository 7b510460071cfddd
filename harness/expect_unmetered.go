package harness

import (
	"strings"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ReportUnmetered reports that a live thing has no usage row, as in every release seen: its owner pays nothing for it. That
// is no failure. Rows that it should turn out to have must be right, though: they are held against the invariants.
func (t *T) ReportUnmetered(what string, b Billed) {
	t.watch.checks++
	t.KnownDefect(len(t.watch.rows(b)) == 0, what+" is NOT METERED", "UsageManagerImpl.java@4.20.0.0 handles no PORTABLE.* event")
}

// ReportIPv6Unmetered is ReportUnmetered for the IPv6 prefixes of an account's networks, whose events name no resource.
func (t *T) ReportIPv6Unmetered(a *Account) {
	t.watch.checks++
	rows := 0
	for _, row := range t.watch.last.Rows {
		if row.Kind == usageprobe.KindIP && row.AccountID == a.InternalID && strings.Contains(row.Column("public_ip_address"), ":") {
			rows++
		}
	}
	t.KnownDefect(rows == 0, "an IPv6 prefix is NOT METERED", "UsageManagerImpl.java@4.20.0.0 handles no NET.IP6* event")
}
