package result

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddFindingTellsAFactOnce(t *testing.T) {
	row := Finding{Says: "rule B is still billed", Subject: "rule 22", Class: "leaked-row", Numbers: []string{"id 22"},
		Codes: []string{"I1", "I4"}}
	for name, tt := range map[string]struct {
		added Finding
		want  []Finding
	}{
		"same class: the sentence is not repeated": {Finding{Says: "its row is open", Subject: "rule 22",
			Class: "leaked-row", Numbers: []string{"id 22", "helper id 2"}, Codes: []string{"I5", "I1"}},
			[]Finding{{row.Says, row.Subject, row.Class, []string{"id 22", "helper id 2"},
				[]string{"I1", "I4", "I5"}, nil}}},
		"a consequence: the sentence is a number": {Finding{Says: "0.1 h too many", Subject: "rule 22",
			Class: WrongHours},
			[]Finding{{row.Says, row.Subject, row.Class, []string{"id 22", "0.1 h too many"}, row.Codes, nil}}},
		"another class": {Finding{Says: "x", Subject: "rule 22", Class: "not-sticky"},
			[]Finding{row, {Says: "x", Subject: "rule 22", Class: "not-sticky"}}},
		"another subject": {Finding{Says: "x", Subject: "rule 2", Class: "leaked-row"},
			[]Finding{row, {Says: "x", Subject: "rule 2", Class: "leaked-row"}}},
		"without subjects": {Finding{Says: "x"}, []Finding{row, {Says: "x"}}},
		"word for word":    {Finding{Says: row.Says, Class: row.Class}, []Finding{row}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, AddFinding(AddFinding(nil, row), tt.added))
		})
	}
}
