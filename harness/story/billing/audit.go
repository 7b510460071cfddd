package billing

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Damage is what an audit of the scenario's accounts found wrong, by rule id and verdict.
type Damage map[string]usageprobe.AuditRow

// Audit judges every LB and port forwarding rule of the scenario's accounts.
func (t Audits) Audit() Damage {
	defer t.Step("audit")()
	found := Damage{}
	for _, r := range t.audited() {
		if r.Verdict != usageprobe.AuditOK {
			found[fmt.Sprintf("%s %d, %s", r.Kind, r.ID, r.Verdict)] = r
		}
	}
	return found
}

func (t Audits) audited() []usageprobe.AuditRow {
	rows, err := t.on.Usage().Audit(t.ctx, t.on.AccountIDs()...)
	t.Must(err, "auditing the usage rows")
	if len(rows) == 0 {
		t.Inconclusive("the audit looked at no rule")
	}
	return rows
}

func (d Damage) names() []string { return slices.Sorted(maps.Keys(d)) }

// RequireDamage makes sure that the audit has found these rules and no others.
func (t Audits) RequireDamage(d Damage, rules ...*objects.Rule) {
	for _, r := range rules {
		if !slices.ContainsFunc(slices.Collect(maps.Values(d)),
			func(a usageprobe.AuditRow) bool { return a.ID == r.InternalID }) {
			t.Inconclusive("%s was to be damaged, but the audit finds only: %s", r, strings.Join(d.names(), "; "))
		}
	}
	if len(d) != len(rules) {
		t.Inconclusive("%d rules were to be damaged, the audit finds: %s", len(rules), strings.Join(d.names(), "; "))
	}
}

// ExpectSameDamage expects that an audit finds what it found before: neither less nor more.
func (t Audits) ExpectSameDamage(before Damage) {
	t.Checked(1)
	if now := t.Audit(); !slices.Equal(before.names(), now.names()) {
		t.Fail(result.WrongAudit, fmt.Sprintf("the audit found %d damaged rules before and finds %d now", len(before),
			len(now)),
			result.Evidence{Kind: result.KindRows, Title: "damage before", Text: strings.Join(before.names(), "\n")},
			result.Evidence{Kind: result.KindRows, Title: "damage now", Text: strings.Join(now.names(), "\n")})
	}
}

// ExpectNoDamage expects that an audit finds every rule as it should be.
func (t Audits) ExpectNoDamage() {
	t.Checked(1)
	if found := t.Audit().names(); len(found) > 0 {
		t.Fail(result.WrongAudit, "the audit finds: "+strings.Join(found, "; "))
	}
}

// ExpectUnbilledSince expects that no window which began after a time bills the rules.
func (t RuleRows) ExpectUnbilledSince(since time.Time, rules ...*objects.Rule) {
	for _, r := range rules {
		t.Checked(1)
		for _, rec := range t.watch.RecordsOf(r.Billed()) {
			if rec.Start.After(since) {
				t.Fail(result.BilledAfterEnd,
					fmt.Sprintf("%s is dead and was repaired at %s, but a record of %.6f h was written for the "+
						"window from %s",
						r, stage.Stamp(since), rec.RawUsage, stage.Stamp(rec.Start)), t.watch.Evidence()...)
				break
			}
		}
	}
}

// RepairPlan is what an audit's findings can be put right with.
type RepairPlan []usageprobe.Repair

// PlanRepair derives a plan from an audit of the scenario's accounts and shows it, with what each rule was billed too
// much. Nothing is written.
func (t Audits) PlanRepair() RepairPlan {
	defer t.Step("plan of a repair")()
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
			records, err := t.on.Usage().Records(t.ctx, r.Kind, r.ID)
			t.Must(err, "reading the records of rule %d", r.ID)
			line += fmt.Sprintf(", billed %.4f h too much", usageprobe.Surplus(records, *at))
		}
		lines = append(lines, line)
	}
	for _, a := range left {
		lines = append(lines, "-- for a person: "+a.String())
	}
	t.Show(result.Evidence{Kind: result.KindRows, Title: "plan of a repair", Text: strings.Join(lines, "\n")})
	return plan
}

// Repair carries out a plan as the owner of a lab may: with the usage server stopped, and started again afterwards. On
// an existing site nothing is ever written. It answers the database time of the repair.
func (t Audits) Repair(plan RepairPlan) time.Time {
	defer t.Step("repair of %d usage rows", len(plan))()
	t.Must(t.site.Tamper.EndUsage(t.ctx, harness.FirstHost, harness.Stopped), "stopping the usage server")
	at := t.on.Now()
	t.Must(t.site.Tamper.Repair(t.ctx, plan...), "repairing usage rows")
	t.Must(t.site.Tamper.StartUsage(t.ctx, harness.FirstHost, harness.UsageSettings{}), "starting the usage server")
	t.on.Pass(stage.Apart)
	return at
}

// ExpectPlan expects that a plan closes the rows of the dead rules by itself, and leaves those of the live ones, to be
// opened again, to a person.
func (t Audits) ExpectPlan(plan RepairPlan, dead, live []*objects.Rule) {
	t.Checked(1)
	says := func(rule int64, decision bool) string {
		if decision {
			return fmt.Sprintf("ask whether to open the row of rule %d", rule)
		}
		return fmt.Sprintf("close the row of rule %d", rule)
	}
	want := append(stage.Each(dead, func(r *objects.Rule) string { return says(r.InternalID, false) }),
		stage.Each(live, func(r *objects.Rule) string { return says(r.InternalID, true) })...)
	have := stage.Each(plan, func(r usageprobe.Repair) string { return says(r.ID, r.Decision) })
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Fail(result.WrongAudit, fmt.Sprintf("a repair would %s; it should %s", strings.Join(have, ", "),
			strings.Join(want, ", ")))
	}
}
