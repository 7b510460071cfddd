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
			"not close row 1, and closed no other row: none of the rows below has helper id 3. So A is gone and is " +
			"billed on."},
		"leaked, a row that stayed open": {[]result.Life{dead, life("R3", 5, 3, 0, 0, "")}, ids + "Its delete at " +
			"02:35:30 did not close row 1. The row with helper id 3 is that of R3 (internal id 5) and is open. So A " +
			"is gone and is billed on."},
		"leaked, a row that was closed before": {[]result.Life{dead, life("R3", 5, 3, 20, 20, "")}, ids + "Its " +
			"delete at 02:35:30 did not close row 1. The row with helper id 3 is that of R3 (internal id 5) and was " +
			"closed at 02:35:20. So A is gone and is billed on."},
		"both died in one second": {[]result.Life{dead, life("R3", 5, 3, 30, 30, "")}, ids + "Its delete at 02:35:30 " +
			"did not close row 1. The row with helper id 3 is that of R3 (internal id 5) and was closed at 02:35:30. " +
			"So A is gone and is billed on."},
		"another kind's row": {[]result.Life{dead, other}, ids + "Its delete at 02:35:30 did not close row 1, and " +
			"closed no other row: none of the rows below has helper id 3. So A is gone and is billed on."},
		"ids that are equal":  {[]result.Life{life("A", 3, 3, 30, 0, result.LeakedRow)}, ""},
		"alive":               {[]result.Life{life("A", 3, 1, 0, 0, ""), life("R3", 5, 3, 0, 0, "")}, ""},
		"closed as it should": {[]result.Life{life("A", 3, 1, 30, 30, ""), life("R3", 5, 3, 0, 0, "")}, ""},
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
