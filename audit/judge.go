package audit

import (
	"fmt"
	"slices"
	"strconv"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// duplicateOpen is the class of a second open row of one life.
const duplicateOpen = "DUPLICATE_OPEN"

// judging goes through all resources and keeps what is not as it should be.
type judging struct {
	*ledger
	result     *Result
	names      map[uint32]string // accounts
	duplicates []string          // U6, one line each
	repeated   int
}

func (j *judging) all() {
	j.result.Judged = map[usageprobe.Kind]map[usageprobe.AuditVerdict]int{}
	var happenings []usageprobe.Happening
	var meterings []usageprobe.Metering
	var judged []usageprobe.Judgement
	for _, s := range j.stores {
		tally := map[usageprobe.AuditVerdict]int{}
		for _, i := range s.ordered() {
			r := s.resources.at(i)
			happenings, meterings = s.happenings(r, happenings[:0]), s.meterings(r, meterings[:0])
			subject := usageprobe.Subject{
				Happenings: happenings,
				Rows:       meterings,
				Life:       s.lifeOf(r),
				Silent:     s.Silent,
				Loose:      s.Loose,
			}
			if s.ByHelperID {
				subject.Crossed = func(row usageprobe.Metering) int64 { return j.crossed(s, r, row) }
			}
			judged = subject.Judge(judged[:0])
			if s.unmetered(r) {
				judged = append(judged, usageprobe.Judgement{Verdict: usageprobe.AuditMissing})
			}
			for _, one := range judged {
				tally[one.Verdict]++
				j.find(s, r, one)
			}
			j.duplicateCreates(s, r, happenings)
		}
		if len(tally) > 0 {
			j.result.Judged[s.Kind] = tally
		}
		j.result.Site.Rows += s.rows.len()
	}
}

func (s *store) lifeOf(r *resource) usageprobe.Life {
	if r.life == usageprobe.Unknown && s.liveRead {
		return usageprobe.Dead
	}
	return r.life
}

// unmetered: alive, and neither a row nor an event of any kind.
func (s *store) unmetered(r *resource) bool {
	return unmeteredMatters(s.Kind) && r.life == usageprobe.Alive && r.row == 0 && r.event == 0
}

// crossed finds the resource of the same account whose delete event closed the row by its helper id. An uploaded
// volume's row is closed by the create event of a volume.
func (j *judging) crossed(s *store, r *resource, row usageprobe.Metering) int64 {
	other, act := s, usageprobe.ActClose
	if s.Kind == usageprobe.KindUpload {
		other, act = j.store(usageprobe.KindVolume), usageprobe.ActOpen
	}
	if other == nil || row.ID == int64(r.id) || row.ID > 1<<32-1 {
		return 0
	}
	by := other.find(other.key(r.owner, uint32(row.ID), 0)) // bounded above
	if by == nil {
		return 0
	}
	for i := by.event; i != 0; {
		h := j.events.at(i)
		if usageprobe.Act(h.idAct>>56)&act != 0 && usageprobe.Moment(h.at) == row.Closed {
			return row.ID
		}
		i = h.before
	}
	return 0
}

// find adds what is not as it should be to the findings.
func (j *judging) find(s *store, r *resource, one usageprobe.Judgement) {
	class := string(one.Verdict)
	switch {
	case one.Verdict == usageprobe.AuditUndecided:
		return
	case one.Verdict == usageprobe.AuditOK && one.Duplicate:
		class = duplicateOpen
	case one.Verdict == usageprobe.AuditOK:
		return
	}
	ref := usageprobe.Ref{Kind: s.Kind, ID: int64(r.id)}
	if s.PartColumn != "" {
		ref.Part = s.PartColumn + "=" + strconv.FormatUint(uint64(r.part), 10)
	}
	f := Finding{
		AuditRow: one.Of(ref, int64(r.owner), ""),
		Class:    class,
		Table:    schemaUsage + "." + s.Table,
		Account:  j.names[r.owner],
		Checks:   checksOf(one, class),
		Rows:     s.count(r),
	}
	f.Events = j.evidence(s, r, one)
	f.Text = f.AuditRow.String()
	if class == duplicateOpen {
		f.Text = fmt.Sprintf("%s: a second open row, %s", class, f.AuditRow.String())
	}
	f.money = &ledgerLine{kind: s.number, key: r.key, owner: r.owner, offer: r.offer, verdict: one}
	j.result.Findings = append(j.result.Findings, f)
}

func (s *store) count(r *resource) (n int) {
	for i := r.row; i != 0; i = s.rows.at(i).before {
		n++
	}
	return n
}

// evidence are the events that date the life, and the foreign delete event of a crossed close.
func (j *judging) evidence(s *store, r *resource, one usageprobe.Judgement) []int64 {
	ids := []int64{}
	for _, id := range []int64{one.BornEvent, one.DiedEvent} {
		if id != 0 {
			ids = append(ids, id)
		}
	}
	if one.CrossedBy == 0 || s.Kind == usageprobe.KindUpload {
		return ids
	}
	if by := s.find(s.key(r.owner, uint32(one.CrossedBy), 0)); by != nil { // it was found by this id
		for i := by.event; i != 0; i = j.events.at(i).before {
			if h := j.events.at(
				i,
			); usageprobe.Act(h.idAct>>56)&usageprobe.ActClose != 0 &&
				usageprobe.Moment(h.at) == one.Row.Closed {
				ids = append(ids, int64(h.idAct<<8>>8)) // 56 bits
			}
		}
	}
	return ids
}

func checksOf(one usageprobe.Judgement, class string) []string {
	var ids []string
	switch one.Verdict {
	case usageprobe.AuditOpenButDead, usageprobe.AuditOpenNoDeleteEvent:
		ids = append(ids, "U1")
	case usageprobe.AuditMissing, usageprobe.AuditClosedButLive:
		ids = append(ids, "U2")
	case usageprobe.AuditLiveWithDeleteEvent:
		ids = append(ids, "U2", "U3")
	case usageprobe.AuditWrongDate:
		ids = append(ids, "U3")
	}
	if one.CrossedBy != 0 {
		ids = append(ids, "U4")
	}
	if one.Duplicate || class == duplicateOpen {
		ids = append(ids, "U5")
	}
	return ids
}

// duplicateCreates notes create events of one resource in the same second: the key of a helper table refuses the
// second one, and a run stands still or rolls back (#7399, #8587, #13399).
func (j *judging) duplicateCreates(s *store, r *resource, happenings []usageprobe.Happening) {
	if s.Kind == usageprobe.KindUpload || s.Kind == usageprobe.KindVolumeOfVM || s.Loose {
		return
	}
	for i := 1; i < len(happenings); i++ { // Judge has sorted them
		a, b := happenings[i-1], happenings[i]
		if a.At != b.At || (a.Act&b.Act)&usageprobe.ActOpen == 0 {
			continue
		}
		j.repeated++
		if len(j.duplicates) < evidenceLines {
			j.duplicates = append(
				j.duplicates,
				fmt.Sprintf("%s of %s %d, account %d, at %s: events %d and %d", s.Opens[0], s.Kind, r.id, r.owner,
					b.At.Time().Format("2006-01-02 15:04:05"), a.ID, b.ID),
			)
		}
	}
}

// evidenceLines is how many lines of evidence a check shows; all of it is in the findings.
const evidenceLines = 20

// sortFindings orders findings: what costs most comes first within its check.
func (r *Result) sortFindings() {
	rank := map[string]int{}
	for i, v := range usageprobe.AuditVerdicts() {
		rank[string(v)] = i
	}
	rank[duplicateOpen] = len(rank)
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return rank[a.Class] - rank[b.Class] })
}
