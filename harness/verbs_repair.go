package harness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// RepairPlan is what an audit's findings can be put right with.
type RepairPlan []usageprobe.Repair

// PlanRepair derives a plan from an audit of the scenario's accounts and shows it, with what each rule was billed too much.
// Nothing is written.
func (t *T) PlanRepair() RepairPlan {
	defer t.step("plan of a repair")()
	audited := t.audited()
	died := map[usageprobe.Ref]usageprobe.AuditRow{}
	for _, a := range audited {
		died[a.Ref] = a
	}
	plan, left := usageprobe.PlanRepairs(audited)
	var lines []string
	for _, r := range plan {
		line := r.String()
		if at := died[r.Ref].Died; at != nil {
			records, err := usageprobe.New(t.site.DB).Records(t.ctx, r.Kind, r.ID)
			t.must(err, "reading the records of rule %d", r.ID)
			line += fmt.Sprintf(", billed %.4f h too much", usageprobe.Surplus(records, *at))
		}
		lines = append(lines, line)
	}
	for _, a := range left {
		lines = append(lines, "-- for a person: "+a.String())
	}
	t.evidence = append(t.evidence, result.Evidence{Kind: result.KindRows, Title: "plan of a repair", Text: strings.Join(lines, "\n")})
	return plan
}

// Repair carries out a plan as the owner of a lab may: with the usage server stopped, and started again afterwards. On an
// existing site nothing is ever written. It answers the database time of the repair.
func (t *T) Repair(plan RepairPlan) time.Time {
	defer t.step("repair of %d usage rows", len(plan))()
	t.must(t.site.Tamper.EndUsage(t.ctx, FirstHost, Stopped), "stopping the usage server")
	at := t.now()
	t.must(t.site.Tamper.Repair(t.ctx, plan...), "repairing usage rows")
	t.must(t.site.Tamper.StartUsage(t.ctx, FirstHost, UsageSettings{}), "starting the usage server")
	t.pass(apart)
	return at
}

// ExpectPlan expects that a plan closes the rows of the dead rules by itself, and leaves those of the live ones, to be opened
// again, to a person.
func (t *T) ExpectPlan(plan RepairPlan, dead, live []*Rule) {
	t.watch.checks++
	var want, have []string
	for _, r := range dead {
		want = append(want, fmt.Sprintf("close the row of rule %d", r.InternalID))
	}
	for _, r := range live {
		want = append(want, fmt.Sprintf("ask whether to open the row of rule %d", r.InternalID))
	}
	for _, r := range plan {
		words := "close the row of rule %d"
		if r.Decision {
			words = "ask whether to open the row of rule %d"
		}
		have = append(have, fmt.Sprintf(words, r.ID))
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Fail(fmt.Sprintf("a repair would %s; it should %s", strings.Join(have, ", "), strings.Join(want, ", ")))
	}
}
