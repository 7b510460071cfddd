package harness

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Damage is what an audit of the scenario's accounts found wrong, by rule id and verdict.
type Damage map[string]usageprobe.AuditRow

// Audit judges every LB and port forwarding rule of the scenario's accounts.
func (t *T) Audit() Damage {
	defer t.step("audit")()
	found := Damage{}
	for _, r := range t.audited() {
		if r.Verdict != usageprobe.AuditOK {
			found[fmt.Sprintf("%s %d, %s", r.Kind, r.ID, r.Verdict)] = r
		}
	}
	return found
}

func (t *T) audited() []usageprobe.AuditRow {
	ids := make([]int64, len(t.watch.accounts))
	for i, a := range t.watch.accounts {
		ids[i] = a.InternalID
	}
	rows, err := usageprobe.New(t.site.DB).Audit(t.ctx, ids...)
	t.must(err, "auditing the usage rows")
	if len(rows) == 0 {
		t.Inconclusive("the audit looked at no rule")
	}
	return rows
}

func (d Damage) names() []string { return slices.Sorted(maps.Keys(d)) }

// RequireDamage makes sure that the audit has found these rules and no others.
func (t *T) RequireDamage(d Damage, rules ...*Rule) {
	for _, r := range rules {
		if !slices.ContainsFunc(slices.Collect(maps.Values(d)), func(a usageprobe.AuditRow) bool { return a.ID == r.InternalID }) {
			t.Inconclusive("%s was to be damaged, but the audit finds only: %s", r, strings.Join(d.names(), "; "))
		}
	}
	if len(d) != len(rules) {
		t.Inconclusive("%d rules were to be damaged, the audit finds: %s", len(rules), strings.Join(d.names(), "; "))
	}
}

// ExpectSameDamage expects that an audit finds what it found before: neither less nor more.
func (t *T) ExpectSameDamage(before Damage) {
	t.watch.checks++
	if now := t.Audit(); !slices.Equal(before.names(), now.names()) {
		t.Fail(fmt.Sprintf("the audit found %d damaged rules before and finds %d now", len(before), len(now)),
			result.Evidence{Kind: result.KindRows, Title: "damage before", Text: strings.Join(before.names(), "\n")},
			result.Evidence{Kind: result.KindRows, Title: "damage now", Text: strings.Join(now.names(), "\n")})
	}
}

// ExpectNoDamage expects that an audit finds every rule as it should be.
func (t *T) ExpectNoDamage() {
	t.watch.checks++
	if found := t.Audit().names(); len(found) > 0 {
		t.Fail("the audit finds: " + strings.Join(found, "; "))
	}
}

// ExpectUnbilledSince expects that no window which began after a time bills the rules.
func (t *T) ExpectUnbilledSince(since time.Time, rules ...*Rule) {
	for _, r := range rules {
		t.watch.checks++
		for _, rec := range t.watch.recordsOf(r) {
			if rec.Start.After(since) {
				t.Fail(fmt.Sprintf("%s is dead and was repaired at %s, but a record of %.6f h was written for the window from %s",
					r, stamp(since), rec.RawUsage, stamp(rec.Start)), t.watch.evidence()...)
				break
			}
		}
	}
}
