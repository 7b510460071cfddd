package zone

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// readTable reads a recorded table: rows by column name.
func readTable(t testing.TB, file string) []map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	require.True(t, in.Scan(), "%s is empty", file)
	names := strings.Split(in.Text(), "\t")
	var out []map[string]string
	for in.Scan() {
		row := map[string]string{}
		for i, v := range strings.Split(in.Text(), "\t") {
			row[names[i]] = v
		}
		out = append(out, row)
	}
	require.NoError(t, in.Err())
	return out
}

// table reads one of the zone's tables in the same form.
func table(t testing.TB, z *Zone, name string) []map[string]string {
	t.Helper()
	rows, err := z.kernel.DB().Query("SELECT * FROM " + name + " ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	var out []map[string]string
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		row := map[string]string{}
		for i, v := range values {
			switch x := v.(type) {
			case nil:
				row[names[i]] = "NULL"
			case []byte:
				row[names[i]] = string(x)
			default:
				row[names[i]] = fmt.Sprint(x)
			}
		}
		out = append(out, row)
	}
	require.NoError(t, rows.Err())
	return out
}

var memberName = regexp.MustCompile(`^(autoScaleVm-.*-\d+)-[a-z]{6}$`)

// usageLines tells usage events without what differs by chance: internal ids by order of appearance, NIC ids left out.
func usageLines(rows []map[string]string) []string {
	seen := map[string]int{}
	var out []string
	for _, r := range rows {
		if strings.HasPrefix(r["type"], "NETWORK.") && r["account_id"] == "1" {
			continue // the system networks' at the start of the system VMs
		}
		kind, _, _ := strings.Cut(r["type"], ".")
		key := kind + " " + r["resource_id"]
		if kind == "NETWORK" && strings.HasPrefix(r["type"], "NETWORK.OFFERING") {
			key = "VM " + r["resource_id"]
		}
		if _, ok := seen[key]; !ok {
			seen[key] = len(seen)
		}
		name := memberName.ReplaceAllString(r["resource_name"], "$1")
		if strings.HasPrefix(r["type"], "NETWORK.OFFERING") {
			name = "nic"
		}
		switch {
		case kind == "VOLUME":
			name = "root"
		case strings.HasPrefix(r["type"], "NET.IP"):
			name = "address" // which one is free depends on what was there before
		}
		if _, ok := seen["account "+r["account_id"]]; !ok {
			seen["account "+r["account_id"]] = len(seen)
		}
		zone := "zone"
		if r["zone_id"] == "0" {
			zone = "0"
		}
		out = append(out, strings.Join([]string{
			r["type"], fmt.Sprint(seen["account "+r["account_id"]]), zone, fmt.Sprint(seen[key]), name,
			r["offering_id"], r["template_id"], r["size"], r["resource_type"], r["virtual_size"],
		}, " "))
	}
	return out
}

// playAll plays a release's recordings one after the other on one zone.
func playAll(t testing.TB, release string, files []string) *replay {
	t.Helper()
	var parts [][]*exchange
	for _, f := range files {
		parts = append(parts, readRecording(t, f))
	}
	slices.SortFunc(parts, func(a, b []*exchange) int { return a[len(a)-1].at.Compare(b[len(b)-1].at) })
	r := newReplay(t, release, parts[0])
	for _, part := range parts {
		for _, e := range part {
			r.play(e)
		}
	}
	return r
}

// since leaves out the rows that were there before the recording began, and what became of accounts that were.
func (r *replay) since(rows []map[string]string) []map[string]string {
	from, others := r.start.Format(time.DateTime), map[string]bool{}
	for _, row := range rows {
		if account := row["account_id"]; row["created"] < from && account != "1" && account != "2" {
			others[account] = true
		}
	}
	return slices.DeleteFunc(rows, func(row map[string]string) bool {
		return row["created"] < from || others[row["account_id"]]
	})
}

// TestUsageEventsAsRecorded: the calls of a release's recordings, one after the other on one zone, leave the usage
// events that they left on the running server. What was recorded after the table was saved is not looked at.
func TestUsageEventsAsRecorded(t *testing.T) {
	for release, files := range recordings(t) {
		want := readTable(t, filepath.Join(filepath.Dir(files[0]), "tables", "cloud.usage_event.tsv"))
		if want == nil {
			continue
		}
		t.Run(release, func(t *testing.T) {
			r := playAll(t, release, files)
			want, got := usageLines(r.since(want)), usageLines(table(t, r.zone, "cloud.usage_event"))
			require.Empty(t, cmp.Diff(want, got[:min(len(want), len(got))]))
		})
	}
}

// byMonitor is the text of the rows that the monitor of an autoscale group writes as it maps a member to its rule.
var byMonitor = regexp.MustCompile(`assigning to load balancer\. vm id: \d+$`)

// writer tells who wrote a row: the monitor of a group is a thread of its own, so its rows stand in no order to those
// of the API's jobs (cloudstack.md 2.7).
func writer(row map[string]string) string {
	if row["type"] == "LB.ASSIGN.TO.RULE" && byMonitor.MatchString(strings.ToLower(row["description"])) {
		return row["type"] + " of a monitor"
	}
	return row["type"]
}

// eventLines tells action events by type and writer: state, level and text without ids.
func eventLines(rows []map[string]string) map[string][]string {
	out, accounts := map[string][]string{}, map[string]int{"1": 0, "2": 1}
	for _, r := range rows {
		resource := r["resource_type"]
		text := sameText(memberName.ReplaceAllString(r["description"], "$1"))
		if _, ok := accounts[r["account_id"]]; !ok {
			accounts[r["account_id"]] = len(accounts)
		}
		account := fmt.Sprint(accounts[r["account_id"]])
		by := writer(r)
		out[by] = append(out[by], strings.Join([]string{r["state"], r["level"], account, resource, text}, " | "))
	}
	return out
}

// comparedEvents are the types whose rows must be those of the running server; the others come from parts that the lab
// does not have (certificates, console proxies) or say nothing to anybody (volumes of routers).
func comparedEvents() []string {
	return append(strings.Fields(`LB.CREATE LB.DELETE LB.ASSIGN.TO.RULE LB.REMOVE.FROM.RULE LB.UPDATE
		LB.STICKINESSPOLICY.CREATE LB.STICKINESSPOLICY.DELETE
		LB.STICKINESSPOLICY.UPDATE AUTOSCALEVMGROUP.CREATE AUTOSCALEVMGROUP.DELETE AUTOSCALEVMGROUP.ENABLE
		AUTOSCALEVMGROUP.DISABLE AUTOSCALEVMGROUP.UPDATE
		AUTOSCALEVMGROUP.SCALEUP AUTOSCALEPOLICY.CREATE AUTOSCALEVMPROFILE.CREATE CONDITION.CREATE NET.RULEADD
		NET.RULEDELETE NET.IPASSIGN NET.IPRELEASE
		VPC.CREATE VPC.DELETE VPC.RESTART NETWORK.CREATE NETWORK.DELETE NETWORK.UPDATE VM.CREATE VM.DESTROY
		VM.STOP ROUTER.STOP ROUTER.START ZONE.VLAN.ASSIGN
		ACCOUNT.CREATE ACCOUNT.DELETE DOMAIN.CREATE DOMAIN.DELETE STATICNAT.ENABLE USER.CREATE`),
		"LB.ASSIGN.TO.RULE of a monitor")
}

// TestEventsAsRecorded does the same for the rows of cloud.event.
func TestEventsAsRecorded(t *testing.T) {
	for release, files := range recordings(t) {
		recorded := readTable(t, filepath.Join(filepath.Dir(files[0]), "tables", "cloud.event.tsv"))
		if recorded == nil {
			continue
		}
		t.Run(release, func(t *testing.T) {
			r := playAll(t, release, files)
			want, got := eventLines(r.since(recorded)), eventLines(table(t, r.zone, "cloud.event"))
			require.NotEmpty(t, want["LB.CREATE"])
			require.NotEmpty(t, want["LB.ASSIGN.TO.RULE of a monitor"])
			for _, typ := range comparedEvents() {
				w, g := want[typ], got[typ]
				if len(w) == 0 {
					continue
				}
				if len(g) > len(w) {
					g = g[:len(w)] // recorded after the table was saved
				}
				if d := cmp.Diff(w, g); d != "" {
					t.Errorf("%s:\n%s", typ, d)
				}
			}
		})
	}
}

// TestMonitorsStandInNoOrderToJobs: a job that fails before the second member is mapped leaves the same lines as one
// that fails after it, and no other two rows may change places.
func TestMonitorsStandInNoOrderToJobs(t *testing.T) {
	row := func(state, level, text string) map[string]string {
		return map[string]string{"type": "LB.ASSIGN.TO.RULE", "state": state, "level": level, "description": text,
			"account_id": "1", "resource_type": "FirewallRule"}
	}
	failed := []map[string]string{
		row("Started", "INFO", "Assigning to load balancer. Load balancer Id: 8 VmIds: 7"),
		row("Completed", "ERROR", "Error while assigning to load balancer. Load balancer Id: 8 VmIds: 7"),
	}
	member := []map[string]string{
		row("Started", "INFO", "Assigning to load balancer. Vm Id: 10"),
		row("Completed", "INFO", "Successfully completed assigning to load balancer. Vm Id: 10"),
	}
	after := eventLines(slices.Concat(member, failed))
	require.Len(t, after, 2, "one sequence for each writer")
	require.Equal(t, after, eventLines(slices.Concat(failed, member)))
	require.Equal(t, after, eventLines([]map[string]string{member[0], failed[0], member[1], failed[1]}))
	require.NotEqual(t, after, eventLines([]map[string]string{member[0], member[1], failed[1], failed[0]}))
	require.NotEqual(t, after, eventLines([]map[string]string{member[1], member[0], failed[0], failed[1]}))
	require.NotEqual(t, after, eventLines(member), "a row that is missing is not a matter of order")
}
