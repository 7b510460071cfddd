package answers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// ExpectGone expects that the API no longer lists the rules.
func (t Answers) ExpectGone(rules ...*objects.Rule) {
	for _, r := range rules {
		t.Checked(1)
		found, err := r.Account.Cloud.ListLoadBalancerRules(t.ctx, nil)
		t.Must(err, "listing load balancer rules")
		if slices.ContainsFunc(found, func(l *cloud.LoadBalancerRule) bool { return l.Id == r.ID }) {
			t.Fail(result.StillListed, fmt.Sprintf("%s was deleted and is still listed", r))
		}
	}
}

// form is something in an answer that changed from one release line to the next, as programs that read it must know.
type form struct {
	what   string
	old    release.Range // releases that answer in the old form
	isOld  func(text string) bool
	answer func(t Answers, r *objects.Rule) string
}

func forms() []form {
	return []form{
		{"dates of listUsageRecords (text with quotes around the T up to 4.19, a date from 4.20 on, #8243)",
			release.Where(release.UsageDatesAsString),
			func(date string) bool { _, err := time.Parse("2006-01-02T15:04:05-0700", date); return err != nil },
			func(t Answers, r *objects.Rule) string { return t.rawRecord(r, "startdate") }},
		{"the domain's path in listUsageRecords (from 4.19.2 on)", release.Where(release.NoDomainPath),
			func(path string) bool { return path == "" },
			func(t Answers, r *objects.Rule) string { return t.rawRecord(r, "domainpath") }},
		{"fields of listUsageTypes (usagetypeid up to 4.19; id and name from 4.20 on)",
			release.Where(release.UsageTypeJSONOld),
			func(fields string) bool { return fields != "id name" },
			func(t Answers, _ *objects.Rule) string {
				return present(t.rawFirst("listUsageTypes", "usagetype", nil), "id", "name", "usagetypeid")
			}},
		{"the architecture of templates (from 4.20 on)", release.Where(release.AnswerFieldsOld),
			func(fields string) bool { return fields == "" },
			func(t Answers, _ *objects.Rule) string {
				return present(t.rawFirst("listTemplates", "template", cloud.Params{"templatefilter": "all"}), "arch")
			}},
		{"the command's name in the refusal of a call without a parameter (eight letters short up to 4.19)",
			release.Where(release.ErrorCommandCut),
			func(text string) bool { return !strings.Contains(strings.ToLower(text), "createlbstickinesspolicy") },
			func(t Answers, r *objects.Rule) string {
				_, err := r.Account.Cloud.Job(t.ctx, "createLBStickinessPolicy", cloud.Params{"lbruleid": r.ID,
					"methodname": "SourceBased"}, nil)
				refusal := t.on.Refusal(err, "creating a policy without a name")
				if refusal == nil {
					t.Fail(result.NotRefused, "createLBStickinessPolicy without a name was carried out")
					return ""
				}
				return refusal.Text
			}},
	}
}

// ExpectForms expects that answers have the form of the target's release: programs read bills with one and break on the
// other.
func (t Answers) ExpectForms(r *objects.Rule) {
	defer t.Step("forms of answers")()
	for _, f := range forms() {
		t.Checked(1)
		old := f.old.Contains(t.site.Release)
		if got := f.answer(t, r); f.isOld(got) != old {
			t.Fail(result.WrongForm, fmt.Sprintf("%s: %s answers %q", f.what, t.site.Release, got),
				result.Evidence{Kind: result.KindNote, Title: "form of an answer",
					Text: fmt.Sprintf("%s\nrelease %s has the older form: %t", f.what, t.site.Release, old)})
		}
	}
}

// rawRecord is a field of a usage record of the rule's account as it was answered; empty where it is missing.
func (t Answers) rawRecord(r *objects.Rule, field string) string {
	now := t.on.Now()
	record := t.rawFirst("listUsageRecords", "usagerecord", cloud.Params{"accountid": r.Account.ID,
		"type":      usageprobe.UsageLoadBalancer,
		"startdate": now.Add(-wide).Format(time.DateOnly), "enddate": now.Add(wide).Format(time.DateOnly)})
	text, _ := record[field].(string)
	return text
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

// refusedTries is how often a call that must be refused is made where its answers are lost.
const refusedTries = 3

// ExpectRefused expects that a call, or its job, is refused with the error code. One whose answer was lost is made
// again: a refusal changed nothing, and if the first one was carried out, what the story expects next shows it.
func (t Answers) ExpectRefused(code int, command string, as *objects.Account, p cloud.Params) {
	defer t.Step("%s is refused", command)()
	t.Checked(1)
	_, err := as.Cloud.Job(t.ctx, command, p, nil)
	for try := 1; try < refusedTries && cloud.AnswerLost(err); try++ {
		t.Note("made again", "the answer to %s was lost, so it was made again: %v", command, err)
		_, err = as.Cloud.Job(t.ctx, command, p, nil)
	}
	var refusal *cloud.Error
	switch {
	case err == nil:
		t.Fail(result.NotRefused, fmt.Sprintf("%s %v was carried out; it must be refused with %d", command, p, code))
	case !errors.As(err, &refusal):
		t.Must(err, "%s", command)
	case t.Thrown(err, "%s %v", command, p):
	case refusal.Code != code:
		t.Fail(result.WrongRefusal, fmt.Sprintf("%s %v was refused with %d (%s), want %d", command, p, refusal.Code,
			refusal.Text, code))
	}
}

// ExpectListed expects that the rule is still there, and active.
func (t Answers) ExpectListed(r *objects.Rule) {
	t.Checked(1)
	rules, err := r.Account.Cloud.ListLoadBalancerRules(t.ctx, cloud.Params{"id": r.ID})
	if cloud.IsNotFound(err) {
		rules, err = nil, nil
	}
	t.Must(err, "listing %s", r)
	if len(rules) != 1 {
		t.Fail(result.NotListed, fmt.Sprintf("%s is no longer listed", r))
	} else if s := rules[0].State; s != "Active" {
		t.Fail(result.NotListed, fmt.Sprintf("%s is in state %s, want Active", r, s))
	}
}

// ExpectError expects that a call whose push cannot succeed says so: refusal is what the server answered, nil for
// success.
func (t Answers) ExpectError(refusal *cloud.Error, what string) {
	t.Checked(1)
	if refusal != nil {
		return
	}
	if t.on.Stray != nil {
		if why := t.on.Stray(); why != "" {
			t.Inconclusive("%s was answered with success, but %s", what, why)
		}
	}
	t.Fail(result.FalseSuccess, what+" was answered with success")
}

// SeenPolicies is what the policies of a rule are seen by: the methods that the API lists.
const SeenPolicies = "policies"

// ExpectPolicies expects that the API lists exactly these live policies for the rule, by method.
func (t Answers) ExpectPolicies(r *objects.Rule, methods ...string) {
	t.Checked(1)
	policies, err := r.Account.Cloud.ListStickinessPolicies(t.ctx, r.ID)
	t.Must(err, "listing the policies of %s", r)
	var live []string
	for _, p := range policies {
		if p.State != "Revoked" {
			live = append(live, p.MethodName)
		}
	}
	if !slices.Equal(live, methods) {
		t.Find(result.Finding{Says: fmt.Sprintf("the API lists policies %v for %s, want %v", live, r, methods),
			Class: result.WrongPolicies, Subject: watch.Subject(r.Billed().Ref),
			Seen: []result.Seen{{What: SeenPolicies, Text: strings.Join(live, " ")}}})
	}
}

// rawFirst is the first object of a list as it was answered.
func (t Answers) rawFirst(command, list string, p cloud.Params) map[string]any {
	var answer map[string]any
	t.Must(t.site.Cloud.Call(t.ctx, command, p, &answer), "%s", command)
	all, _ := answer[list].([]any)
	if len(all) == 0 {
		t.Inconclusive("%s lists nothing: its form cannot be told", command)
	}
	one, _ := all[0].(map[string]any)
	return one
}
