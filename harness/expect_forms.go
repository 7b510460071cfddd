package harness

import (
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// form is something in an answer that changed from one release line to the next, as programs that read it must know.
type form struct {
	what   string
	old    release.Range // releases that answer in the old form
	isOld  func(text string) bool
	answer func(t *T, r *Rule) string
}

func forms() []form {
	return []form{
		{"dates of listUsageRecords (text with quotes around the T up to 4.19, a date from 4.20 on, #8243)", release.Where(release.UsageDatesAsString),
			func(date string) bool { _, err := time.Parse("2006-01-02T15:04:05-0700", date); return err != nil },
			func(t *T, r *Rule) string { return t.rawRecord(r, "startdate") }},
		{"the domain's path in listUsageRecords (from 4.19.2 on)", release.Where(release.NoDomainPath),
			func(path string) bool { return path == "" },
			func(t *T, r *Rule) string { return t.rawRecord(r, "domainpath") }},
		{"fields of listUsageTypes (usagetypeid up to 4.19; id and name from 4.20 on)", release.Where(release.UsageTypeJSONOld),
			func(fields string) bool { return fields != "id name" },
			func(t *T, _ *Rule) string {
				return present(t.rawFirst("listUsageTypes", "usagetype", nil), "id", "name", "usagetypeid")
			}},
		{"the architecture of templates (from 4.20 on)", release.Where(release.AnswerFieldsOld),
			func(fields string) bool { return fields == "" },
			func(t *T, _ *Rule) string {
				return present(t.rawFirst("listTemplates", "template", cloud.Params{"templatefilter": "all"}), "arch")
			}},
		{"the command's name in the refusal of a call without a parameter (eight letters short up to 4.19)", release.Where(release.ErrorCommandCut),
			func(text string) bool { return !strings.Contains(strings.ToLower(text), "createlbstickinesspolicy") },
			func(t *T, r *Rule) string {
				_, err := r.Cloud.Job(t.ctx, "createLBStickinessPolicy", cloud.Params{"lbruleid": r.ID, "methodname": "SourceBased"}, nil)
				refusal := t.refusal(err, "creating a policy without a name")
				if refusal == nil {
					t.Fail("createLBStickinessPolicy without a name was carried out")
					return ""
				}
				return refusal.Text
			}},
	}
}

// ExpectForms expects that answers have the form of the target's release: programs read bills with one and break on the other.
func (t *T) ExpectForms(r *Rule) {
	defer t.step("forms of answers")()
	for _, f := range forms() {
		t.watch.checks++
		old := f.old.Contains(t.site.Release)
		if got := f.answer(t, r); f.isOld(got) != old {
			t.Fail(fmt.Sprintf("%s: %s answers %q", f.what, t.site.Release, got),
				result.Evidence{Kind: result.KindNote, Title: "form of an answer", Text: fmt.Sprintf("%s\nrelease %s has the older form: %t", f.what, t.site.Release, old)})
		}
	}
}

// rawRecord is a field of a usage record of the rule's account as it was answered; empty where it is missing.
func (t *T) rawRecord(r *Rule, field string) string {
	now := t.now()
	record := t.rawFirst("listUsageRecords", "usagerecord", cloud.Params{"accountid": r.Account.ID, "type": usageprobe.UsageLoadBalancer,
		"startdate": now.Add(-wide).Format(time.DateOnly), "enddate": now.Add(wide).Format(time.DateOnly)})
	text, _ := record[field].(string)
	return text
}

// rawFirst is the first object of a list as it was answered.
func (t *T) rawFirst(command, list string, p cloud.Params) map[string]any {
	var answer map[string]any
	t.must(t.site.Cloud.Call(t.ctx, command, p, &answer), "%s", command)
	all, _ := answer[list].([]any)
	if len(all) == 0 {
		t.Inconclusive("%s lists nothing: its form cannot be told", command)
	}
	one, _ := all[0].(map[string]any)
	return one
}

// present names those of the fields that the object has.
func present(one map[string]any, fields ...string) string {
	var have []string
	for _, f := range fields {
		if _, ok := one[f]; ok {
			have = append(have, f)
		}
	}
	return strings.Join(have, " ")
}
