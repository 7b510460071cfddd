package reports

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// life is a row of an LB rule; times are seconds, 0 is none.
func life(name string, id, helper int64, died, closed int, class result.Class) result.Life {
	at := func(s int) *time.Time {
		if s == 0 {
			return nil
		}
		t := time.Date(2026, 11, 25, 2, 35, s, 0, time.UTC)
		return &t
	}
	return result.Life{Kind: "load balancer rule", Name: name, ID: id, HelperID: helper, Born: at(1), Opened: *at(1),
		Died: at(died), Closed: at(closed), Class: string(class)}
}

// TestCauseIsToldFromTheRows: what was closed in place of what follows from ids and times alone.
func TestCauseIsToldFromTheRows(t *testing.T) {
	const ids = "A has internal id 3, and its own usage row has helper id 1. "
	dead, alive := life("A", 3, 1, 30, 0, result.LeakedRow), life("R3", 5, 3, 0, 30, result.CrossedClose)
	other := life("R3", 5, 3, 0, 30, result.CrossedClose)
	other.Kind = "port forwarding rule"
	nameless := life("", 5, 3, 0, 30, result.CrossedClose)
	for name, tt := range map[string]struct {
		lives []result.Life
		want  string
	}{
		"crossed": {[]result.Life{dead, alive}, ids + "The row with helper id 3 is that of R3 (internal id 5). The " +
			"delete of A at 02:35:30 closed row 3 (R3's) instead of row 1 (its own). So A is gone and is billed on, " +
			"and R3 is alive and is billed no longer."},
		"without a name": {[]result.Life{dead, nameless}, ids + "The row with helper id 3 is that of load balancer " +
			"rule 5 (internal id 5). The delete of A at 02:35:30 closed row 3 (load balancer rule 5's) instead of " +
			"row 1 (its own). So A is gone and is billed on, " +
			"and load balancer rule 5 is alive and is billed no longer."},
		"the victim died later": {[]result.Life{dead, life("R3", 5, 3, 50, 30, result.WrongClose)},
			ids + "The row with helper id 3 is that of R3 (internal id 5). The delete of A at 02:35:30 closed row 3 " +
				"(R3's) instead of row 1 (its own). So A is gone and is billed on, and R3 was billed until then " +
				"instead of until its own delete at 02:35:50."},
		"both closed": {[]result.Life{life("A", 3, 1, 30, 30, ""), alive}, ids + "The row with helper id 3 is that " +
			"of R3 (internal id 5). The delete of A at 02:35:30 closed row 3 (R3's) besides row 1 (its own), and R3 " +
			"is alive and is billed no longer."},
		"leaked, nobody's row": {[]result.Life{dead, life("B", 4, 2, 0, 0, "")}, ids + "Its delete at 02:35:30 did " +
			"not close row 1. None of the rows below has helper id 3. So A is gone and is billed on."},
		"leaked, a row that stayed open": {[]result.Life{dead, life("R3", 5, 3, 0, 0, "")}, ids + "Its delete at " +
			"02:35:30 did not close row 1. The row with helper id 3 is that of R3 (internal id 5) and is open. So A " +
			"is gone and is billed on."},
		"leaked, a row that was closed before": {[]result.Life{dead, life("R3", 5, 3, 20, 20, "")}, ids + "Its " +
			"delete at 02:35:30 did not close row 1. The row with helper id 3 is that of R3 (internal id 5) and was " +
			"closed at 02:35:20. So A is gone and is billed on."},
		"both died in one second": {[]result.Life{dead, life("R3", 5, 3, 30, 30, "")}, ids + "Its delete at 02:35:30 " +
			"did not close row 1. The row with helper id 3 is that of R3 (internal id 5) and was closed at 02:35:30. " +
			"So A is gone and is billed on."},
		"another kind's row": {[]result.Life{dead, other}, ids + "Its delete at 02:35:30 did not close row 1. " +
			"None of the rows below has helper id 3. So A is gone and is billed on."},
		"two rows, one closed": {[]result.Life{life("N", 9, 1, 30, 30, result.LeakedRow),
			life("N", 9, 2, 30, 0, result.LeakedRow)}, "N (internal id 9) has 2 usage rows, of the helper ids 1, 2. " +
			"Its delete at 02:35:30 closed row 1 and left row 2 open. So it is gone and is billed on."},
		"three rows, none closed": {[]result.Life{life("N", 9, 1, 30, 0, result.LeakedRow),
			life("N", 9, 2, 30, 0, result.LeakedRow), life("N", 9, 3, 30, 20, "")}, "N (internal id 9) has 3 usage " +
			"rows, of the helper ids 1, 2, 3. Its delete at 02:35:30 closed none of them and left rows 1, 2 open. So " +
			"it is gone and is billed on."},
		"two rows, both closed": {[]result.Life{life("N", 9, 1, 30, 30, ""), life("N", 9, 2, 30, 30, "")}, ""},
		"ids that are equal":    {[]result.Life{life("A", 3, 3, 30, 0, result.LeakedRow)}, ""},
		"alive":                 {[]result.Life{life("A", 3, 1, 0, 0, ""), life("R3", 5, 3, 0, 0, "")}, ""},
		"closed as it should":   {[]result.Life{life("A", 3, 1, 30, 30, ""), life("R3", 5, 3, 0, 0, "")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := result.Case{Verdict: result.Fail, Views: result.Views{Lives: tt.lives}}
			got := causes(c)
			if tt.want == "" {
				require.Empty(t, got)
				return
			}
			require.Equal(t, []string{tt.want}, got)
			c.Verdict = result.Pass
			require.Empty(t, causes(c), "what passed has no cause")
		})
	}
}

func TestCausesAreFew(t *testing.T) {
	c := result.Case{Verdict: result.Fail}
	for i := range int64(5) {
		c.Lives = append(c.Lives, life(fmt.Sprint("A", i), 100+i, 1+i, 30, 0, result.LeakedRow))
	}
	all := causes(c)
	require.Len(t, all, mostCauses+1)
	require.Equal(t, "It was the same with 2 deleted resources more.", all[mostCauses])
}

// TestRepairIsNamedWhereItHelps: it mends rows of rules only.
func TestRepairIsNamedWhereItHelps(t *testing.T) {
	c := result.Case{ID: "U-02", Verdict: result.Fail, Known: true, KnownWhy: "#10789: x; fixed in 4.20.1.0"}
	c.Lives = []result.Life{life("A", 3, 1, 30, 0, result.LeakedRow)}
	todo := func() string {
		page, err := HTML(result.Run{Release: "4.20.0.0", Results: []result.Case{c}}, false)
		require.NoError(t, err)
		return string(page)
	}
	require.Contains(t, todo(), "stackproof repair plan")
	c.Lives[0].Kind = "network"
	require.NotContains(t, todo(), "stackproof repair plan")
	require.Contains(t, todo(), "update to 4.20.1.0")
	c.Lives[0].Kind, c.Lives[0].Class = "load balancer rule", ""
	require.NotContains(t, todo(), "stackproof repair plan", "nothing is wrong with it")
	c.Known = false
	require.Contains(t, todo(), "--issue U-02")
}
