package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReadPlan: whatever rows a plan has, they are refused, or their SQL is one statement a row and comments, whatever
// words stand in the row.
func FuzzReadPlan(f *testing.F) {
	row := PlanRow{
		Table:      "usage_load_balancer_policy",
		IDColumn:   "lb_id",
		Column:     "deleted",
		New:        "2026-06-01 12:00:00",
		HelperID:   3,
		ResourceID: 4,
		AccountID:  5,
	}
	text, err := json.Marshal(row)
	require.NoError(f, err)
	for _, s := range []string{string(text), strings.Replace(string(text), `"table":"`, `"table":"x; DROP TABLE `, 1),
		strings.Replace(string(text), `"class":""`, `"class":"a\nDROP TABLE cloud.vm_instance; --"`, 1), `{}`, `[`, ""} {
		f.Add(s, "site")
	}
	f.Fuzz(func(t *testing.T, line, site string) {
		if strings.ContainsAny(line, "\r\n") {
			return // several lines: one row is enough here
		}
		rows := []PlanRow{{}}
		if json.Unmarshal([]byte(line), &rows[0]) != nil {
			rows = nil
		}
		p := Plan{
			Head: PlanHead{Document: documentPlan, Schema: SchemaVersion, Site: site, Rows: len(rows)},
			Rows: rows,
		}
		p.Head.Digest = digest(rows)
		var file bytes.Buffer
		require.NoError(t, p.Encode(&file))
		read, err := ReadPlan(&file)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		statements := 0
		for line := range strings.Lines(read.SQL()) {
			switch {
			case strings.HasPrefix(line, "UPDATE cloud_usage."):
				statements++
			case strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "-- "):
				t.Fatalf("a line that is neither a statement of ours nor a comment: %q", line)
			}
		}
		require.Equal(t, len(rows), statements, fmt.Sprint(rows))
		require.Len(t, read.undo().Rows, len(rows))
	})
}
