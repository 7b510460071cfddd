package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios/model"
)

// Budgets of U-26: what is drawn and told, and what is spent on cutting a failure down. Two hundred steps take five
// seconds in the lab; the limit is for a zone that really waits, and far enough off that a busy machine does not make
// the run blind.
const (
	modelSteps = 200
	modelTime  = 2 * time.Minute
	mostTime   = 30 * time.Minute // of a walk that has shown nothing yet, since the server is slow
	shrinkTime = 45 * time.Second
)

// modelRun needs sites of its own one after the other (T.Afresh), so its story is told in package model.
func modelRun() harness.Scenario {
	return modelScenario("random actions of three customers, against a model of what must be true",
		func(t *story.T) { walk(t, model.Generate(t.Seed(), modelSteps), modelTime, reportFinding) })
}

// shortWalk is every verb of the random run once, in an order that is always the same: cheap enough for every run.
func shortWalk() harness.Scenario {
	s := modelScenario("each action of the random run once, by one customer, against the model", func(t *story.T) {
		steps, err := model.Read(strings.NewReader(shortSteps))
		t.Must(err, "reading the steps")
		walk(t, steps, 0, failAfter) // few steps, each of which is needed
	})
	s.ID, s.Priority, s.Weight = "U-42", 0, 4
	s.KnownBad = s.KnownBad.Or(stalledByVM())
	s.Twins = []release.Knob{release.UsageCloseByHelperID, fault.UsagePFClosesBalancer, fault.DisableEndsRule,
		fault.UpdateCreatesAgain, fault.PushLostMembers, fault.PolicyDropped, fault.AlgorithmUpdateIgnored,
		fault.ProtocolUpdateIgnored, fault.CertificateIgnored}
	return s
}

// shortSteps is a replay file.
const shortSteps = `stackproof-replay 1
create pf1 for anna on ip2
create lb1 for anna on ip1
create lb2 tcp-proxy for anna on ip1
create group1 for anna
assign lb1
stick lb1 plain
usage
rename lb1
balance lb1 leastconn
wrap lb1 tcp-proxy
certify lb2
assign lb2
stick lb2 plain
unstick lb1
stick lb1 short
empty lb2
disable group1
grow group1
stick group1 plain
enable group1
halt anna
start anna
join anna
leave anna
restart anna
pass 45s
delete pf1
delete lb2
look
usage
usage
`

// walk tells steps, for so long unless limit is 0, and judges what was seen; report is told each finding with the steps
// up to it.
func walk(t *story.T, steps []model.Step, limit time.Duration,
	report func(*story.T, []model.Step, model.Finding)) {
	walk := tellModel(t, steps, limit)
	switch {
	case len(walk.Findings) > 0:
		for _, f := range walk.Findings {
			report(t, steps[:f.Step+1], f)
		}
	case walk.Ended == 0 || walk.Looks == 0:
		t.Inconclusive("%d rules ended before a usage run and %d sticky rules were looked at: too few to show "+
			"anything", walk.Ended, walk.Looks)
	case walk.Apart == 0:
		t.Inconclusive("no deleted rule's id was apart from its helper row's, so a wrong lookup finds the right " +
			"row (T1)")
	}
	t.Note("what was told", "%d steps, %d left out for lack of time; %d ends of rules seen by usage runs, %d with ids "+
		"apart", len(steps), walk.Skipped, walk.Ended, walk.Apart)
}

// Replay is U-26 with the steps of a replay file: all of them, and nothing is cut down.
func Replay(steps []model.Step) harness.Scenario {
	return modelScenario(fmt.Sprintf("replay of %d steps", len(steps)), func(t *story.T) {
		for _, f := range tellModel(t, steps, 0).Findings {
			failAfter(t, steps[:f.Step+1], f)
		}
	})
}

// failAfter reports a finding as it was seen: nothing is cut down.
func failAfter(t *story.T, steps []model.Step, f model.Finding) {
	t.Fail(f.Class, fmt.Sprintf("after step %d (%s): %s: %s", f.Step+1, steps[f.Step], f.Aspect, f.What),
		f.Evidence...)
}

func modelScenario(title string, run func(*story.T)) harness.Scenario {
	return harness.Scenario{
		ID: "U-26", Title: title, Group: result.GroupUsage, Priority: 1, Weight: 20,
		Guards:   slices.Concat(storyA(), storyB()),
		Needs:    append(usageNeeds(), harness.PushLog, harness.PushFault, harness.RouterFiles),
		KnownBad: helperIDBug().Or(setComparison()),
		Twins:    modelTwins(), Run: story.Of(run),
	}
}

// tellModel carries out steps on a fresh site; limit, unless it is 0, bounds the real time.
func tellModel(t *story.T, steps []model.Step, limit time.Duration) *model.Walk {
	walk, began := &model.Walk{}, time.Now()
	late := func(w *model.Walk) bool {
		shown := w.Ended > 0 && w.Apart > 0
		return limit > 0 && (time.Since(began) > mostTime || shown && time.Since(began) > limit)
	}
	o := t.Afresh(func(t *story.T) {
		t.JudgesPushesItself()
		walk = model.Run(t, steps, func(w *model.Walk) bool { return t.Brief() && len(w.Findings) > 0 }, late)
	})
	switch {
	case len(walk.Findings) > 0 || o.Verdict == result.Pass:
	case o.Verdict == result.Fail: // what is looked at when every story ends
		evidence := o.Evidence // of all findings, told once
		for _, f := range o.Findings {
			t.Find(f, evidence...)
			evidence = nil
		}
	default:
		t.Inconclusive("%s", o.Reason)
	}
	return walk
}

// reportFinding cuts the steps down to a shortest sequence that shows the same, where a fresh site costs little.
func reportFinding(t *story.T, steps []model.Step, f model.Finding) {
	shortest, tries := steps, 0
	if t.Disposable() && !t.Brief() {
		until := time.Now().Add(shrinkTime)
		shortest = model.Shrink(steps, func(some []model.Step) (failed, stop bool) {
			tries++
			var last model.Finding
			t.Afresh(func(t *story.T) {
				t.JudgesPushesItself()
				walk := model.Run(t, some, func(w *model.Walk) bool { _, ok := w.Of(f.Aspect); return ok },
					func(*model.Walk) bool { return false })
				last, failed = walk.Of(f.Aspect)
			})
			if failed {
				f = last
			}
			return failed, t.Context().Err() != nil || time.Now().After(until)
		})
	}
	reason := fmt.Sprintf("%s: %s; %d of %d steps show it (seed %d, %d tries)", f.Aspect, f.What, len(shortest),
		len(steps), t.Seed(), tries)
	var file strings.Builder
	t.Must(model.Write(&file, fmt.Sprintf("%s, seed %d\n%s: %s", t.Release(), t.Seed(), f.Aspect, f.What), shortest),
		"writing the replay")
	t.Fail(f.Class, reason, append([]result.Evidence{{Kind: result.KindReplay, Title: "steps that show it: " + f.Aspect,
		Text: file.String()}}, f.Evidence...)...)
}

// modelTwins are some of the planted faults that the random run finds with whatever seed: one of each way in which the
// model can be contradicted.
func modelTwins() []release.Knob {
	return []release.Knob{release.UsageCloseByHelperID, fault.UsageRecordMissing, fault.CreateEventLost,
		fault.DeleteEventLate,
		fault.PushLostMembers, fault.PushLostDelete, fault.PolicyDropped, fault.RouterServerMissing,
		fault.FailedPushSucceeds}
}
