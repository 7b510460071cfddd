package usageprobe

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJudge(t *testing.T) {
	const open, shut, change = ActOpen, ActClose, ActChange
	type rows = []Metering
	for name, tt := range map[string]struct {
		happened []Happening
		rows     rows
		life     Life
		want     []AuditVerdict
	}{
		"address taken twice, now in use": {[]Happening{{1, 10, open}, {2, 20, shut}, {3, 30, open}},
			rows{{1, 10, 20}, {2, 30, 0}}, Alive,
			[]AuditVerdict{AuditOK, AuditOK}},
		"address taken twice, first row left open": {[]Happening{{1, 10, open}, {2, 20, shut}, {3, 30, open}},
			rows{{1, 10, 0}, {2, 30, 0}}, Alive,
			[]AuditVerdict{AuditOpenButDead, AuditOK}},
		"released and taken in one second": {[]Happening{{1, 10, open}, {2, 20, shut}, {3, 20, open}},
			rows{{1, 10, 20}, {2, 20, 0}}, Alive,
			[]AuditVerdict{AuditOK, AuditOK}},
		"volume resized": {[]Happening{{1, 10, open | change}, {2, 20, change}}, rows{{1, 10, 20}, {2, 20, 0}}, Alive,
			[]AuditVerdict{AuditOK, AuditOK}},
		"volume resized, new row lost": {[]Happening{{1, 10, open | change}, {2, 20, change}}, rows{{1, 10, 20}}, Alive,
			[]AuditVerdict{AuditClosedButLive}},
		"volume resized, new row lost, deleted": {[]Happening{{1, 10, open | change}, {2, 20, change}, {3, 30, shut}},
			rows{{1, 10, 20}}, Dead,
			[]AuditVerdict{AuditWrongDate}},
		"network opened twice, one closed": {[]Happening{{1, 10, open}, {2, 20, open}, {3, 30, shut}},
			rows{{1, 10, 30}, {2, 20, 0}}, Dead,
			[]AuditVerdict{AuditOK, AuditOpenButDead}},
		"duplicate closed at its own second": {[]Happening{{1, 10, open}, {2, 20, shut}},
			rows{{1, 10, 20}, {2, 10, 10}}, Dead,
			[]AuditVerdict{AuditOK, AuditOK}},
		"delete rolled back, repeated": {[]Happening{{1, 10, open}, {2, 20, shut}, {3, 30, shut}},
			rows{{1, 10, 20}}, Dead, []AuditVerdict{AuditOK}},
		"delete rolled back, still live": {[]Happening{{1, 10, open}, {2, 20, shut}}, rows{{1, 10, 20}}, Alive,
			[]AuditVerdict{AuditLiveWithDeleteEvent}},
		"create event pruned": {[]Happening{{2, 20, shut}}, rows{{1, 10, 20}}, Dead,
			[]AuditVerdict{AuditOK}},
		"create event pruned, open": {[]Happening{{2, 20, shut}}, rows{{1, 10, 0}}, Dead,
			[]AuditVerdict{AuditOpenButDead}},
		"create event pruned, late": {[]Happening{{2, 20, shut}}, rows{{1, 10, 25}}, Dead,
			[]AuditVerdict{AuditWrongDate}},
		"all events pruned, closed": {nil, rows{{1, 10, 20}}, Dead, []AuditVerdict{AuditUndecided}},
		"all events pruned, open":   {nil, rows{{1, 10, 0}}, Dead, []AuditVerdict{AuditOpenNoDeleteEvent}},
		"all events pruned, live": {nil, rows{{1, 10, 20}, {2, 30, 0}}, Alive,
			[]AuditVerdict{AuditUndecided, AuditOK}},
		"all events pruned, live, shut": {nil, rows{{1, 10, 20}}, Alive, []AuditVerdict{AuditClosedButLive}},
		"lived less than a second":      {[]Happening{{1, 10, open}, {2, 10, shut}}, nil, Dead, nil},
		"lived a second": {[]Happening{{1, 10, open}, {2, 11, shut}}, nil, Dead,
			[]AuditVerdict{AuditMissing}},
		"released, taken again, not covered yet": {[]Happening{{1, 10, open}, {2, 20, shut},
			{3, 30, open | ActPending}}, rows{{1, 10, 20}}, Alive, []AuditVerdict{AuditOK}},
		"delete pending": {[]Happening{{1, 10, open}, {2, 20, shut | ActPending}},
			rows{{1, 10, 0}}, Dead, []AuditVerdict{AuditUndecided}},
		"create pending": {[]Happening{{1, 10, open | ActPending}}, nil, Alive, nil},
		"table of cloud not readable": {[]Happening{{1, 10, open}}, rows{{1, 10, 0}}, Unknown,
			[]AuditVerdict{AuditOK}},
		"being revoked": {[]Happening{{1, 10, open}}, rows{{1, 10, 0}}, Undecided,
			[]AuditVerdict{AuditUndecided}},
		"being revoked, earlier life": {[]Happening{{1, 10, open}, {2, 20, shut}, {3, 30, open}},
			rows{{1, 10, 0}, {2, 30, 0}}, Undecided, []AuditVerdict{AuditOpenButDead, AuditUndecided}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []AuditVerdict
			for _, j := range (Subject{Happenings: tt.happened, Rows: tt.rows, Life: tt.life}).Judge(nil) {
				got = append(got, j.Verdict)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestJudgeMarksDuplicates(t *testing.T) {
	judged := Subject{
		Happenings: []Happening{{1, 10, ActOpen}, {2, 10, ActOpen}},
		Rows:       []Metering{{5, 10, 0}, {4, 10, 0}},
		Life:       Alive,
	}.Judge(
		nil,
	)
	require.Len(t, judged, 2)
	require.False(t, judged[0].Duplicate)
	require.EqualValues(t, 4, judged[0].Row.ID)
	require.True(t, judged[1].Duplicate)
}

func TestStanding(t *testing.T) {
	for name, tt := range map[string]struct {
		at                Moment
		copied, processed bool
		cutoff            Moment
		want              Act
	}{
		"processed":           {10, true, true, 20, 0},
		"after the last job":  {30, true, false, 20, ActPending},
		"no job at all":       {10, true, false, 0, ActPending},
		"never processed":     {10, true, false, 20, ActStalled},
		"never copied":        {10, false, false, 20, ActLost},
		"not copied, and new": {30, false, false, 20, ActPending},
	} {
		require.Equal(t, tt.want, Standing(7, tt.at, tt.copied, tt.processed, tt.cutoff, 9), name)
	}
	require.Equal(t, ActPending, Standing(10, 10, false, false, 20, 9), "committed late, with an id that comes next")
}
