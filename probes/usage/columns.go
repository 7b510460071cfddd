package usageprobe

import (
	"fmt"
	"slices"
	"strings"
)

// Says is invariant I12: what helper rows and records say beside their dates and hours. Each column of a helper row is
// what the resource's event that opened it says, and what cloud says of the resource; each column of a record is what
// its helper row says (usage/parser/*.java@4.20.0.0). Columns whose truth lies outside the accounts that were read are
// left alone. Findings that before shows as well are Inherited.
func Says(before *Snapshot, after Snapshot) []Violation {
	found := says(after)
	if before == nil {
		return found
	}
	old := map[string]bool{}
	for _, v := range says(*before) {
		old[v.same()+v.Seen] = true
	}
	for i := range found {
		found[i].Inherited = old[found[i].same()+found[i].Seen]
	}
	return found
}

func says(s Snapshot) []Violation {
	if s.Cutoff.IsZero() {
		return nil
	}
	c := &checker{Snapshot: s, rows: map[Ref][]HelperRow{}, byResource: map[int64][]UsageEvent{}}
	for _, row := range s.Rows {
		c.rows[row.Ref] = append(c.rows[row.Ref], row)
	}
	for _, e := range s.Events {
		c.byResource[e.ResourceID] = append(c.byResource[e.ResourceID], e)
	}
	for _, row := range s.Rows {
		c.rowSays(row)
	}
	for _, r := range s.Records {
		c.recordSays(r)
	}
	return c.found
}

// column is what a column must hold, as text.
type column struct{ name, want string }

func (c *checker) rowSays(row HelperRow) {
	report := func(source string, wrong []column) {
		for _, one := range wrong {
			c.report(
				Violation{Invariant: "I12", Class: ClassWrongColumn, Expected: fmt.Sprintf("%s %s, by %s", one.name,
					one.want, source), Seen: one.name + " " + row.Column(one.name)},
				&row,
			)
		}
	}
	if domain, known := c.Domains[row.AccountID]; known {
		report("its account", row.unlike([]column{{"domain_id", fmt.Sprint(domain)}}))
	}
	if live := c.resource(row.Ref); live.live.columns != nil {
		report("cloud", row.unlike(byCloud(row, live)))
	}
	events := c.openersOf(row)
	if len(events) == 0 {
		c.strangeRow(row)
		return
	}
	var wrong []column
	var by UsageEvent
	for i, e := range events {
		differ := row.unlike(append(c.byEvent(row, e), column{"account_id", fmt.Sprint(e.AccountID)},
			column{"zone_id", fmt.Sprint(e.ZoneID)}))
		if i == 0 || len(differ) < len(wrong) {
			wrong, by = differ, e
		}
	}
	report(fmt.Sprintf("event %d (%s)", by.ID, by.Type), wrong)
}

// unlike are the columns in which the row says something else.
func (r HelperRow) unlike(all []column) (wrong []column) {
	for _, one := range all {
		if have, there := lookUp(r.Raw, one.name); there && have != one.want {
			wrong = append(wrong, one)
		}
	}
	return wrong
}

// strangeRow is a row that no event of the accounts opens: one of a wrong resource, account or date.
func (c *checker) strangeRow(row HelperRow) {
	for _, e := range c.Events {
		if e.Created.Equal(row.Created) && e.Created.Before(c.Cutoff) && opensRows(row.Kind, e.Type) {
			c.report(
				Violation{
					Invariant: "I12",
					Class:     ClassWrongColumn,
					Expected: fmt.Sprintf("the resource %d of event %d (%s)", e.ResourceID,
						e.ID, e.Type),
					Seen: "another resource",
				},
				&row,
			)
			return
		}
	}
}

// openersOf are the events whose words a row may have: those of its resource at the second of its opening. A row that
// was changed in place (networks up to 4.19.2 and in 4.20.0) has those of the newest change.
func (c *checker) openersOf(row HelperRow) (events []UsageEvent) {
	for _, e := range c.byResource[row.ID] {
		if !opensRows(row.Kind, e.Type) || !c.names(row, e) || e.Created.After(c.Cutoff) {
			continue
		}
		switch {
		case e.Created.Equal(row.Created):
			events = append(events, e)
		case len(events) > 0 && c.changesInPlace(row, e):
			events = []UsageEvent{e}
		}
	}
	return events
}

// changesInPlace says whether a later event changed a row without closing it: that of a network whose row was the
// oldest open one then (UsageManagerImpl.java@4.19.1.0). Since 4.20.1 a change closes the row and opens another.
func (c *checker) changesInPlace(row HelperRow, e UsageEvent) bool {
	open := func(r HelperRow) bool {
		return r.Created.Before(e.Created) && (r.Open() || r.Closed.After(e.Created))
	}
	return row.Kind == KindNetwork && open(row) && !slices.ContainsFunc(c.rows[row.Ref], func(other HelperRow) bool {
		return other.HelperID < row.HelperID && open(other)
	})
}

// names says whether an event is about a row's resource.
func (c *checker) names(row HelperRow, e UsageEvent) bool {
	switch row.Kind {
	case KindNIC, KindOnPrimary:
		return e.ResourceID == row.ID && e.ResourceName == row.Part
	}
	return e.ResourceID == row.ID
}

// opensRows says whether an event opens rows of a kind, or changes them.
func opensRows(kind Kind, event string) bool {
	if kind == KindStorage {
		return slices.Contains([]string{"TEMPLATE.CREATE", "TEMPLATE.COPY", "ISO.CREATE", "ISO.COPY", "SNAPSHOT.CREATE",
			"VOLUME.UPLOAD"}, event)
	}
	s := specOf(kind)
	return (slices.Contains(s.opens, event) || slices.Contains(s.changes, event)) && event != "BACKUP.USAGE.METRIC"
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// zeroed is a column that is not NULL where the event has nothing.
func zeroed(text string) string {
	if text == "NULL" {
		return "0"
	}
	return text
}

// byEvent are the columns of a row by the event that opened it (UsageManagerImpl.java@4.20.0.0).
func (c *checker) byEvent(row HelperRow, e UsageEvent) []column {
	switch row.Kind {
	case KindIP:
		return []column{{"public_ip_address", e.ResourceName}, {"is_source_nat", flag(e.size == "1")},
			{"is_system", flag(e.template != "0" && e.template != "NULL")}, {"is_hidden", flag(c.Hidden[e.ID])}}
	case KindNetwork:
		state := e.resourceType
		if e.Type == "NETWORK.CREATE" {
			state = "Allocated"
		}
		return []column{{"network_offering_id", zeroed(e.offering)}, {"state", row.endState("Destroy", state)}}
	case KindVPC:
		return []column{{"state", row.endState("Inactive", "Enabled")}}
	case KindNIC:
		return []column{{"network_offering_id", zeroed(e.offering)}, {"is_default", flag(e.size == "1")}}
	case KindVMRunning, KindVMAllocated:
		return []column{
			{"usage_type", fmt.Sprint(specOf(row.Kind).vmType)},
			{"vm_name", e.ResourceName},
			{"service_offering_id", zeroed(e.offering)},
			{"template_id", zeroed(e.template)},
			{"hypervisor_type", e.resourceType},
		}
	case KindVolume:
		return []column{{"disk_offering_id", e.offering}, {"template_id", e.template}, {"size", e.size}}
	case KindVPNUser:
		return []column{{"user_name", e.ResourceName}}
	case KindVMSnapshot:
		return []column{{"volume_id", zeroed(e.template)}, {"disk_offering_id", e.offering}, {"size", zeroed(e.size)}}
	case KindOnPrimary:
		return []column{{"physicalsize", zeroed(e.size)}, {"virtualsize", zeroed(e.virtualSize)},
			{"volume_id", fmt.Sprint(e.ResourceID)}, {"type", "0"}}
	case KindBackup:
		return []column{{"backup_offering_id", zeroed(e.offering)}}
	case KindStorage:
		return storedColumns(e)
	}
	return nil
}

func storedColumns(e UsageEvent) []column {
	family, _, _ := strings.Cut(e.Type, ".")
	kinds := map[string]int{"TEMPLATE": storedTemplate, "ISO": storedISO, "SNAPSHOT": storedSnapshot,
		"VOLUME": storedVolume}
	all := []column{{"storage_type", fmt.Sprint(kinds[family])}, {"size", zeroed(e.size)}}
	switch family {
	case "TEMPLATE":
		all = append(all, column{"source_id", e.template}, column{"virtual_size", e.virtualSize})
	case "VOLUME":
		all = append(all, column{"source_id", e.template})
	}
	return all
}

// endState: up to 4.19.2 and in 4.20.0 a row gets the state of the end of its life when it is closed.
func (r HelperRow) endState(end, other string) string {
	if !r.Open() && r.State == end {
		return end
	}
	return other
}

// byCloud are the columns of a row by what cloud says of its resource. What may have changed since is compared for open
// rows only.
func byCloud(row HelperRow, live Resource) []column {
	l := live.live
	all := []column{{"account_id", l.shown("account_id")}}
	switch row.Kind {
	case KindIP:
		if !row.Open() { // cloud shows the next owner
			all = nil
		}
		all = append(all, column{"zone_id", l.shown("data_center_id")}, column{"public_ip_address",
			l.shown("public_ip_address")})
		if row.Open() && live.Life == Alive {
			all = append(all, column{"is_source_nat", zeroed(l.shown("source_nat"))})
		}
	case KindNetwork:
		all = append(all, column{"zone_id", l.shown("data_center_id")})
		if row.Open() && live.Life == Alive {
			all = append(all, column{"network_offering_id", l.shown("network_offering_id")})
		}
	case KindVPC:
		all = append(all, column{"zone_id", l.shown("zone_id")})
	case KindVMRunning, KindVMAllocated:
		all = append(all, column{"zone_id", l.shown("data_center_id")}, column{"template_id",
			l.shown("vm_template_id")}, column{"hypervisor_type", l.shown("hypervisor_type")})
		if row.Open() && live.Life == Alive {
			all = append(all, column{"service_offering_id", l.shown("service_offering_id")})
		}
	case KindNIC:
		all = []column{{"is_default", zeroed(l.shown("default_nic"))}}
	}
	return slices.DeleteFunc(all, func(c column) bool { return c.want == "NULL" })
}
