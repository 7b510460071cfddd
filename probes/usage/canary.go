package usageprobe

import (
	"fmt"
	"slices"
)

// Canary is a copy of a snapshot with one planted violation: a judge that does not find it finds nothing at all.
type Canary struct {
	Snapshot
	Planted string // what was changed, in words
}

// Canaries are copies of the snapshot, each with one violation: a row of a live thing that is closed, a row of a wrong
// zone, and a record that shows a wrong usage. There are none of what the snapshot has no row to plant in.
func (s Snapshot) Canaries() (all []Canary, err error) {
	plant := func(table string, id int64, name, value string) {
		if err != nil {
			return
		}
		var copied Snapshot
		if copied, err = s.Altered(table, id, name, value); err == nil {
			all = append(all, Canary{copied, fmt.Sprintf("%s of %s %d is %s", name, table, id, value)})
		}
	}
	past := histories(s.Events, &s.Cutoff)
	i := slices.IndexFunc(s.Rows, func(r HelperRow) bool {
		spec := specOf(r.Kind)
		return r.Open() && spec.strict && r.Created.Before(s.Cutoff) && s.resource(r.Ref).Life == Alive &&
			past[r.Ref].alive() && len(past[r.Ref].lives) == 1 && len(past[r.Ref].closes) == 0
	})
	if i >= 0 {
		r := s.Rows[i]
		plant(r.Table, r.HelperID, specOf(r.Kind).closedAt, stamp(r.Created))
		plant(r.Table, r.HelperID, "zone_id", fmt.Sprint(r.ZoneID+1))
	}
	if len(s.Records) > 0 {
		plant(recordTable, s.Records[0].ID, "usage_display", "none")
	}
	return all, err
}
