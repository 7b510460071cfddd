package billing

import (
	"slices"
	"strings"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// RequireEveryTable makes sure that each helper table that is read has a row of the story's accounts, and each kind a
// record: of what has none nothing can be said.
func (t UsageRuns) RequireEveryTable() {
	t.Checked(1)
	var none []string
	for _, m := range usageprobe.Meters() {
		if m.Kind == usageprobe.KindVolumeOfVM || m.Kind == usageprobe.KindTemplate || m.Kind == usageprobe.KindISO ||
			m.Kind == usageprobe.KindSnapshot { // stored as uploaded volumes are
			continue
		}
		row := slices.ContainsFunc(t.watch.Last.Rows, func(r usageprobe.HelperRow) bool { return r.Table == m.Table })
		record := slices.ContainsFunc(t.watch.Last.Records,
			func(r usageprobe.Record) bool { return r.Type == m.RecordType })
		if !row || !record {
			none = append(none, string(m.Kind))
		}
	}
	if len(none) > 0 {
		t.Inconclusive("there is no row or no record of %s: its columns were not looked at", strings.Join(none, ", "))
	}
}
